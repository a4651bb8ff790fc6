import { connect } from 'node:net'
import { execute, parse, subscribe } from 'graphql'
import { createApp } from '../../app.ts'
import { signToken } from '../../platform/authentication.ts'
import { type Config, loadConfig } from '../../platform/config.ts'
import { InklingError } from '../../platform/errors.ts'
import { localViewer } from '../../platform/viewer.ts'
import { openGround } from '../ground.ts'
import { readServerEvents } from './server-events.ts'

const PROBE_MS = 1000
const DAY_SECONDS = 86_400

/** The graph as a command asks it, wherever it is. */
export interface Graph {
  /** Rejects with the first error of the answer. */
  ask<Data>(text: string, variables: object): Promise<Data>
  follow<Data>(text: string, variables: object, signal: AbortSignal): AsyncIterable<Data>
  close(): Promise<void>
}

interface Answer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: unknown } }[]
}

/** The server where one runs on the embedded database, which only one process may open; else the jobs subgraph in this process. */
async function openGraph(): Promise<Graph> {
  const config = loadConfig()
  const { HOST, PORT, DATABASE_URL } = config
  const host = HOST === '0.0.0.0' ? '127.0.0.1' : HOST
  if (!DATABASE_URL && (await answers(host, PORT))) return overHttp(`http://${host}:${PORT}/graphql`, config)
  return inProcess()
}

/** Opens the graph for one piece of work. */
export async function withGraph(work: (graph: Graph) => Promise<void>): Promise<void> {
  const graph = await openGraph()
  try {
    await work(graph)
  } finally {
    await graph.close()
  }
}

/** Whether anybody listens there. Health would wait for a database that a training run keeps busy. */
function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_MS })
    const end = (isThere: boolean) => {
      socket.destroy()
      resolve(isThere)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}

function overHttp(url: string, config: Config): Graph {
  const post = async (text: string, variables: object, accept: string, signal?: AbortSignal) =>
    fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, ...(await tokenHeader(config)) },
      body: JSON.stringify({ query: text, variables }),
      ...(signal ? { signal } : {}),
    })
  return {
    async ask(text, variables) {
      const response = await post(text, variables, 'application/json')
      return dataOf(await response.json())
    },
    async *follow<Data>(text: string, variables: object, signal: AbortSignal) {
      const response = await post(text, variables, 'text/event-stream', signal)
      for await (const answer of readServerEvents(response)) yield dataOf(answer as Answer<Data>)
    },
    close: async () => {},
  }
}

/** Whoever runs commands beside a server holds its key, and is its administrator. */
async function tokenHeader(config: Config): Promise<Record<string, string>> {
  if (!config.INKLING_AUTH_SECRET) return {}
  const { id: subject, tenant, scopes } = localViewer
  return { authorization: `Bearer ${await signToken(config, { subject, tenant, scopes, seconds: DAY_SECONDS })}` }
}

async function inProcess(): Promise<Graph> {
  const ground = await openGround({ quiet: true })
  // Only looks and asks: jobs are left to the workers.
  const app = await createApp({ ...ground, config: { ...ground.config, INKLING_WORKER: 'off' } })
  const { schema, contextOf } = app.subgraphs.find((subgraph) => subgraph.name === 'jobs')!
  const request = (text: string, variables: object) => {
    const now = ground.clock.now()
    const contextValue = contextOf({ requestId: 'cli', viewer: localViewer, now, instant: new Date(), log: ground.log })
    return { schema, document: parse(text), variableValues: variables as Record<string, unknown>, contextValue }
  }
  return {
    ask: async (text, variables) => dataOf((await execute(request(text, variables))) as Answer<never>),
    async *follow<Data>(text: string, variables: object, signal: AbortSignal) {
      const answers = (await subscribe(request(text, variables))) as AsyncIterableIterator<Answer<Data>>
      if (!(Symbol.asyncIterator in answers)) return dataOf(answers as Answer<Data>)
      signal.addEventListener('abort', () => void answers.return?.(), { once: true })
      for await (const answer of answers) yield dataOf(answer)
    },
    async close() {
      await app.close()
      await ground.close()
    },
  }
}

function dataOf<Data>({ data, errors }: Answer<Data>): Data {
  if (data && !errors) return data
  const [first] = errors ?? []
  throw new InklingError('BAD_USER_INPUT', first?.message ?? 'The server gave no answer.', 'Correct the command.')
}
