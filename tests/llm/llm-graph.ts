import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type ListeningServer, listen } from '../../gateway/server.ts'
import type { Llm } from '../../llm/engine.ts'
import type { ReasonsOf } from '../../llm/explanation/facts.ts'
import { createV1Route } from '../../llm/v1/routes.ts'
import { InklingError } from '../../platform/errors.ts'
import { createLlmSubgraph } from '../../subgraphs/llm/subgraph.ts'
import { silent } from '../harness.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
type Json = any

export interface LlmGraph {
  readonly url: string
  readonly gateway: Gateway
  query(document: string, variables?: object, as?: string): Promise<Json>
  /** Events of a subscription over WebSocket; `seen` may end it by answering false. */
  subscribe(
    document: string,
    variables?: Record<string, unknown>,
    as?: string,
    seen?: (event: Json) => boolean,
  ): Promise<Json[]>
  close(): Promise<void>
}

const moment = new Date('2026-11-20T12:00:00Z')

/** The llm subgraph behind a real gateway. The token says who asks: "name", "name@tenant" or "name@tenant:scope,scope". */
export async function openLlmGraph(llm: Llm, reasonsOf: ReasonsOf): Promise<LlmGraph> {
  const gateway = await createGateway({
    subgraphs: [createLlmSubgraph({ llm, reasonsOf })],
    log: silent,
    production: false,
    transport: 'local',
    requestOf({ headers, requestId }) {
      const token = headers.authorization?.replace('Bearer ', '')
      if (!token) throw new InklingError('UNAUTHENTICATED', 'There is no token.', 'Send one.')
      const [who = '', scopes = 'admin'] = token.split(':')
      const [id = '', tenant = 'default'] = who.split('@')
      const viewer = { id, tenant, scopes: scopes.split(',').map((scope) => scope.replace('.', ':')) }
      return { requestId, viewer, now: moment, instant: new Date(), log: silent }
    },
  })
  const server: ListeningServer = await listen({
    gateway,
    host: '127.0.0.1',
    port: 0,
    shutdownSeconds: 2,
    checks: async () => ({}),
    routes: { '/v1/': createV1Route(llm) },
  })
  return {
    url: server.url,
    gateway,
    async query(query, variables, as = 'ann') {
      const response = await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${as}` },
        body: JSON.stringify({ query, variables }),
      })
      return response.json()
    },
    async subscribe(query, variables, as = 'ann', seen = () => true) {
      const client = createClient({
        url: `${server.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { authorization: `Bearer ${as}` },
        retryAttempts: 0,
      })
      const events: Json[] = []
      try {
        for await (const { data, errors } of client.iterate({ query, ...(variables ? { variables } : {}) })) {
          if (errors) throw new Error(JSON.stringify(errors))
          const event = Object.values(data as object)[0]
          events.push(event)
          if (!seen(event)) break
        }
      } finally {
        await client.dispose()
      }
      return events
    },
    async close() {
      await server.drain()
      await gateway.close()
    },
  }
}
