import type { Study } from './context.ts'
import type { Progress } from './options.ts'

/** Turns planned and finished fits into progress that never runs backwards. */
export function progressOf(onProgress: (progress: Progress) => void): Pick<Study, 'plan' | 'step'> {
  let planned = 1
  let finished = 0
  let shown = 0
  const running = new Map<symbol, number>()
  const report = (message: string) => {
    let done = finished
    for (const share of running.values()) done += share
    shown = Math.max(shown, Math.min(99, Math.floor((100 * done) / planned)))
    onProgress({ done: shown, total: 100, message })
  }
  return {
    plan(count) {
      planned += count
    },
    async step(message, run) {
      const key = Symbol(message)
      running.set(key, 0)
      try {
        return await run((share) => {
          running.set(key, share)
          report(message)
        })
      } finally {
        running.delete(key)
        finished++
        report(message)
      }
    },
  }
}
