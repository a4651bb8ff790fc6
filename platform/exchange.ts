import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Log } from './log.ts'
import type { RequestContext } from './request.ts'

/** One HTTP request beside GraphQL, at a server that has looked at where it comes from already. */
export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly path: string
  readonly requestId: string
  readonly log: Log
  /** How long a client that does not read is waited for, in milliseconds. */
  readonly slowConsumerMs: number
  /** Who asks. Rejects with UNAUTHENTICATED, as a GraphQL request does. */
  open(): Promise<RequestContext>
  /** The body as JSON, within the limits of every request. Rejects with an error that carries a code. */
  readJson(): Promise<unknown>
}

/** Answers the exchanges under one prefix of paths. What it rejects with is answered as a GraphQL error. */
export type ExchangeRoute = (exchange: Exchange) => Promise<void>
