import type { CompletionEvent, CompletionInput } from '../../llm/completion.ts'
import { createLlm, type Llm, type LlmOptions } from '../../llm/engine.ts'
import { requestOf } from '../../llm/provider.ts'
import type { Target } from '../../llm/target.ts'
import type { Database } from '../../platform/database.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { type ProviderServer, type Script, startProviderServer } from './provider-server/server.ts'
import { providerAt, routerOf, targetOf } from './stand.ts'

export interface CompletionStand {
  readonly server: ProviderServer
  readonly database: Database
  /** An engine on a router of one target per script, asked in their order; all settings short. */
  open(scripts: readonly Script[], options?: Partial<LlmOptions>, target?: Partial<Target>): Llm
  close(): Promise<void>
}

let count = 0

/** The local server and engines that ask it. */
export async function openCompletionStand(database: Database): Promise<CompletionStand> {
  const server = await startProviderServer()
  const engines: Llm[] = []
  return {
    server,
    database,
    open(scripts, options = {}, target = {}) {
      const provider = providerAt(server.url)
      const targets = scripts.map((script, priority) => {
        const name = `llm-${++count}`
        server.script(name, script)
        return targetOf(name, provider, { priority, ...target })
      })
      const router = routerOf(targets)
      const llm = createLlm({
        database,
        log: silent,
        openRouter: async () => ({ router }),
        perMinute: 100_000,
        graceMs: 300,
        cacheSeconds: 60,
        ...options,
      })
      engines.push(llm)
      return llm
    },
    async close() {
      for (const engine of engines) await engine.close()
      await server.close()
    },
  }
}

export const viewerOf = (id: string, tenant = 'default'): Viewer => ({ id, tenant, scopes: ['admin'] })

let question = 0
/** A question that nobody has asked before. */
export function ask(
  options: Partial<CompletionInput> = {},
  request: Parameters<typeof requestOf>[1] = {},
): CompletionInput {
  return { request: requestOf(`Question ${++question}?`, { maxTokens: 1_000, ...request }), ...options }
}

export async function readAll(events: AsyncIterable<CompletionEvent>): Promise<CompletionEvent[]> {
  const all: CompletionEvent[] = []
  for await (const event of events) all.push(event)
  return all
}

export function textOf(events: readonly CompletionEvent[]): string {
  return events.map((event) => (event.type === 'TOKENS' ? event.text : '')).join('')
}

/** Whether each event follows the one before it: nothing left out, nothing twice. */
export function isGapless(events: readonly CompletionEvent[], after = 0): boolean {
  let position = after
  for (const event of events) {
    position += event.type === 'TOKENS' ? event.text.length : 1
    if (event.sequence !== position) return false
  }
  return true
}
