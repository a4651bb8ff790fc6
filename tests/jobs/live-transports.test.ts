import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type ListeningServer, listen } from '../../gateway/server.ts'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import { createJobsSubgraph } from '../../subgraphs/jobs/subgraph.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, testKinds, viewer } from './kinds.ts'

interface Item {
  readonly __typename: string
  readonly cursor: string
  readonly sequence?: number
  readonly state?: string | null
  readonly job?: { id: string; state: string; attempts: { number: number }[] }
}

const LIVE = `subscription ($tag: String!, $after: String) { jobs(where: { tag: $tag }, after: $after) { __typename cursor
  ... on JobsChange { sequence state job { id state attempts { number } } } ... on JobsListed { jobs { id } }
  ... on JobsRefused { code hint } } }`

let database: Database
let jobs: Jobs
let gateway: Gateway
let server: ListeningServer

beforeAll(async () => {
  database = await openTestDatabase()
  jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: true, concurrency: 6, pulse: quickPulse })
  await jobs.start()
  gateway = await createGateway({
    subgraphs: [createJobsSubgraph({ jobs, database })],
    log: silent,
    production: false,
    transport: 'local',
    requestOf: ({ requestId }) => ({ requestId, viewer, now: new Date(), instant: new Date(), log: silent }),
  })
  const checks = async () => ({ jobs: { ok: true, says: 'there' } })
  server = await listen({ gateway, host: '127.0.0.1', port: 0, checks, shutdownSeconds: 1 })
})
afterAll(async () => {
  await server.drain()
  expect(jobs.status().readers, 'readers left behind').toBe(0)
  await gateway.close()
  await jobs.stop()
  await database.close()
})

type Transport = (variables: object, signal: AbortSignal) => AsyncIterable<Item>

async function* overWebSocket(variables: object, signal: AbortSignal): AsyncGenerator<Item> {
  const url = `${server.url.replace('http', 'ws')}/graphql`
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 })
  // Cut off without a word, as by a lost network, once there is something to cut.
  const connected = new Promise<void>((resolve) => client.on('connected', () => resolve()))
  const cut = () => void connected.then(() => client.terminate())
  signal.addEventListener('abort', cut, { once: true })
  try {
    for await (const { data } of client.iterate<{ jobs: Item }>({ query: LIVE, variables: { ...variables } }))
      yield data!.jobs
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', cut)
    await client.dispose()
  }
}

async function* overSse(variables: object, signal: AbortSignal): AsyncGenerator<Item> {
  try {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: LIVE, variables }),
      signal,
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    let text = ''
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      text += part
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const line = text.slice(0, end).match(/^data: (.+)$/m)?.[1]
        text = text.slice(end + 2)
        const item = line && JSON.parse(line).data?.jobs
        if (item) yield item
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

const movesOf = (items: readonly Item[]) => items.filter(({ state }) => state != null)

describe.each<[string, Transport]>([
  ['WebSocket', overWebSocket],
  ['server-sent events', overSse],
])('the live list over %s', (name, follow) => {
  it('is read by many who lose their connections, without gap or repeat', async () => {
    const tag = `crowd ${name}`
    const many = 20
    let present = 0
    let reconnects = 0
    const readers = Array.from({ length: 12 }, async () => {
      const seen: Item[] = []
      const isComplete = () => movesOf(seen).filter(({ state }) => state === 'SUCCEEDED').length === many
      for (let after: string | undefined; !isComplete(); reconnects++) {
        const stop = new AbortController()
        const timer = setTimeout(() => stop.abort(), (after ? 0 : 1000) + 20 + Math.random() * 250)
        for await (const item of follow({ tag, after }, stop.signal)) {
          if (after === undefined) {
            expect(item.__typename).toBe('JobsListed')
            present += 1
          }
          seen.push(item)
          after = item.cursor
          // The loaders of a subscription do not keep what they once knew.
          if (item.job?.state === 'SUCCEEDED') expect(item.job.attempts.length).toBeGreaterThan(0)
          if (isComplete()) break
        }
        clearTimeout(timer)
      }
      return seen
    })
    for (const end = performance.now() + 10_000; present < 12 && performance.now() < end; ) await pause(20)
    for (let at = 0; at < many; at++) {
      await jobs.enqueue('add', { steps: 2, stepMs: 40, failAt: at % 4 === 0 ? 2 : 0 }, { viewer, tags: [tag] })
      await pause(120)
    }
    const all = await Promise.all(readers)
    const { rows } = await database.query<{ move: string }>(
      `SELECT e."jobId" || ' ' || e.sequence || ' ' || e.type AS move FROM inkling."JobEvent" e JOIN inkling."Job" j ON j.id = e."jobId"
       WHERE $1 = ANY(j.tags) AND e.type NOT IN ('PROGRESS', 'LOG', 'STEP', 'ARTIFACT')`,
      [tag],
    )
    const stored = rows.map(({ move }) => move).sort()
    expect(reconnects).toBeGreaterThan(30)
    for (const seen of all)
      expect(
        movesOf(seen)
          .map(({ job, sequence, state }) => `${job!.id} ${sequence} ${state}`)
          .sort(),
      ).toEqual(stored)
  })

  it('says as an event why a cursor is refused', async () => {
    const items: Item[] = []
    for await (const item of follow({ tag: 'x', after: 'nonsense' }, AbortSignal.timeout(5000))) items.push(item)
    expect(items).toMatchObject([{ __typename: 'JobsRefused', code: 'BAD_USER_INPUT' }])
  })
})
