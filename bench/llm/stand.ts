import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openRequests } from '../../app/requests.ts'
import { createGateway } from '../../gateway/gateway.ts'
import { listen } from '../../gateway/server.ts'
import { parseConfiguration } from '../../llm/configuration.ts'
import { configuredTargets } from '../../llm/configured-targets.ts'
import { createLlm } from '../../llm/engine.ts'
import { createRouter } from '../../llm/router.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { createLlmSubgraph } from '../../subgraphs/llm/subgraph.ts'
import { log } from '../scores/stand.ts'

/** Signs the tokens of a bench's viewers. */
export const benchConfig = loadConfig({ LOG_LEVEL: 'error', INKLING_AUTH_SECRET: 'b'.repeat(32) })

/** The local server in a process of its own, so that what it costs is not counted here. */
export async function startProvider(): Promise<{ url: string; pid: number; end(): void }> {
  const file = fileURLToPath(new URL('../../tests/llm/provider-server/main.ts', import.meta.url))
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(child.stdout!, 'data')) as [Buffer]
  return { url: line.toString().trim(), pid: child.pid!, end: () => child.stdin!.end() }
}

/**
 * The llm subgraph behind the gateway in this process, as `npm start` has it: tokens verified, money set aside, rows written.
 * llms: by the name of their target; the first is asked where nothing is said.
 */
export async function serveLlm(
  database: Database,
  providerUrl: string,
  llms: Readonly<Record<string, string>>,
  { graceMs = 15_000 } = {},
) {
  const opened = new AsyncDisposableStack()
  const file = {
    providers: { local: { kind: 'openai-compatible', baseUrl: `${providerUrl}/v1`, local: true } },
    targets: Object.fromEntries(
      Object.entries(llms).map(([name, llm]) => [
        name,
        { provider: 'local', llm, contextTokens: 2_000_000, price: { input: 1, output: 4 } },
      ]),
    ),
    privacy: { secrets: 'mask' },
  }
  const { targets, close } = await configuredTargets(parseConfiguration(file, () => undefined, 'bench'))
  opened.defer(close)
  const router = createRouter({ targets, log })
  const openRouter = async () => ({ router })
  const engine = createLlm({ database, log, openRouter, perMinute: 100_000, graceMs, cacheSeconds: 60 })
  opened.defer(() => engine.close())
  const clock = await createClock(database, benchConfig)
  const learning = learningClient(database)
  const ground = { config: benchConfig, log, database, clock, learning, artefacts: null, close: async () => {} }
  const requests = await openRequests(ground, opened)
  const reasonsOf = () => Promise.reject(new Error('nothing is explained here'))
  const subgraphs = [createLlmSubgraph({ llm: engine, reasonsOf })]
  const gateway = await createGateway({ subgraphs, log, production: true, transport: 'local', ...requests })
  opened.defer(() => gateway.close())
  const server = await listen({ gateway, host: '127.0.0.1', port: 0, shutdownSeconds: 1, checks: async () => ({}) })
  opened.defer(() => server.drain())
  return { url: server.url, end: () => opened.disposeAsync() }
}
