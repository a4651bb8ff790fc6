import type { GraphQLSchema } from 'graphql'
import type { Audit } from './audit.ts'
import type { Log } from './log.ts'
import type { Rates } from './rates.ts'
import type { Viewer } from './viewer.ts'

/** What every resolver knows about the request it serves. Made once per request by the gateway, the same for all subgraphs. */
export interface RequestContext {
  readonly requestId: string
  readonly viewer: Viewer
  /** The viewer's own token, for another process that is asked on its behalf. Never logged. */
  readonly authorization?: string
  /** When the viewer's token ends, and with it a stream; absent for one that does not. */
  readonly expiresAt?: Date
  /** The request's one instant, on the data's clock: what "now" means everywhere in this request. */
  readonly now: Date
  /** The same instant on the wall clock: which versions serve. */
  readonly instant: Date
  readonly log: Log
  readonly signal?: AbortSignal
  /** Where every mutation of the request is kept. */
  readonly audit?: Audit
  /** Where what it costs is counted; without, nothing is. */
  readonly rates?: Rates
}

/** A part of the graph. Its schema carries `_entities` and `_service`; it is served in process or over HTTP. */
export interface Subgraph {
  readonly name: string
  readonly schema: GraphQLSchema
  /** Printed federation SDL. */
  readonly sdl: string
  /** The resolvers' context of one request: the request itself plus this subgraph's engines and loaders. Called once per request. */
  contextOf(request: RequestContext): object
  /** What it has to say about a request that it has served, for the response's `extensions`; null for nothing. */
  extensionsOf?(context: object): Readonly<Record<string, unknown>> | null
}
