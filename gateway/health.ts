import { messageOf } from '../platform/errors.ts'

export interface Check {
  readonly ok: boolean
  /** One sentence for whoever is on call. */
  readonly says: string
}

export type Checks = () => Promise<Readonly<Record<string, Check>>>

export interface Health {
  readonly status: 'ready' | 'not ready' | 'draining'
  readonly checks: Readonly<Record<string, Check>>
}

/** Probes come from every balancer at once; the parts are asked this often at most. */
const FRESH_MS = 500

/** Asks the parts, and remembers their answer for a moment. */
export function watchHealth(checks: Checks, isDraining: () => boolean): () => Promise<Health> {
  let asked: Promise<Readonly<Record<string, Check>>> | null = null
  let askedAt = 0
  return async () => {
    if (!asked || Date.now() - askedAt > FRESH_MS) {
      askedAt = Date.now()
      asked = checks().catch((error) => ({ checks: { ok: false, says: messageOf(error) } }))
    }
    const answers = await asked
    const isReady = Object.values(answers).every(({ ok }) => ok)
    return { status: isDraining() ? 'draining' : isReady ? 'ready' : 'not ready', checks: answers }
  }
}
