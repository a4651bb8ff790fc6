import type { ClientRequest } from '../../gateway/client-request.ts'
import { createGateway, type Gateway, type GatewayOptions } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { type ListeningServer, type ListenOptions, listen } from '../../gateway/server.ts'
import { InklingError } from '../../platform/errors.ts'
import { createLog } from '../../platform/log.ts'
import type { RequestContext } from '../../platform/request.ts'
import { type SmallGraph, smallGraph } from './small-graph.ts'

export const silent = createLog('silent')
export const moment = new Date('2014-03-01T12:00:00.000Z')
const secret = 'a secret of the tests'

/** Authenticates by the token itself: its text is the viewer, "bad" is refused, "bulk" may ask for more. */
export function requestOf(client: ClientRequest): RequestContext {
  const token = client.headers.authorization?.replace('Bearer ', '') ?? 'anonymous'
  if (token === 'bad') throw new InklingError('UNAUTHENTICATED', 'The token is not valid.', 'Sign in again.')
  return {
    requestId: client.requestId,
    viewer: { id: token, tenant: 'default', scopes: token === 'bulk' ? ['bulk'] : [] },
    now: moment,
    instant: moment,
    log: silent,
  }
}

export interface Stand {
  readonly graph: SmallGraph
  readonly gateway: Gateway
  readonly server: ListeningServer
  readonly url: string
  post(query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
  readonly json: any
}

export interface StandOptions extends Partial<Omit<GatewayOptions, 'transport'>> {
  readonly transport?: 'local' | 'http'
  readonly listen?: Partial<ListenOptions>
}

/** The small graph behind a real gateway on a free port; with `http`, its subgraphs are served on ports of their own. */
export async function openStand({
  transport = 'local',
  listen: listening,
  ...options
}: StandOptions = {}): Promise<Stand> {
  const graph = smallGraph()
  const served: ServedSubgraph[] = []
  if (transport === 'http') {
    for (const subgraph of graph.subgraphs) {
      served.push(
        await serveSubgraph({
          subgraph,
          requestOf,
          secret,
          host: '127.0.0.1',
          port: 0,
          log: silent,
          ...asked(options),
        }),
      )
    }
  }
  const urls = Object.fromEntries(served.map(({ url }, index) => [graph.subgraphs[index]!.name, url]))
  const gateway = await createGateway({
    subgraphs: graph.subgraphs,
    requestOf,
    log: silent,
    production: false,
    ...options,
    transport: transport === 'http' ? { urls, secret } : 'local',
  })
  const server = await listen({
    gateway,
    host: '127.0.0.1',
    port: 0,
    shutdownSeconds: 2,
    checks: async () => ({ database: { ok: true, says: 'up' } }),
    ...listening,
  })
  return {
    graph,
    gateway,
    server,
    url: `${server.url}/graphql`,
    async post(query, variables, headers = {}) {
      return ask(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
    },
    async close() {
      await server.drain()
      await gateway.close()
      for (const subgraph of served) await subgraph.close()
    },
  }
}

/** Subgraphs of their own verify tokens as the gateway does. */
function asked({ requestOf: given }: StandOptions): { requestOf?: NonNullable<StandOptions['requestOf']> } {
  return given ? { requestOf: given } : {}
}

export async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  let json: unknown = null
  try {
    json = JSON.parse(text)
  } catch {
    // a page or an event stream
  }
  return { status: response.status, headers: response.headers, text, json }
}

/** Waits until something holds, looking every few milliseconds. */
export async function until(holds: () => boolean, ms = 3_000): Promise<void> {
  const end = Date.now() + ms
  while (!holds()) {
    if (Date.now() > end) throw new Error('It did not come to hold in time')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
