import type { GatewayRuntime } from '@graphql-hive/gateway-runtime'
import type { ExecutionResult, GraphQLError, GraphQLScalarType } from 'graphql'
import type { Audit } from '../platform/audit.ts'
import { tokenExpired } from '../platform/authentication.ts'
import { InklingError } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Rates } from '../platform/rates.ts'
import type { RequestContext, Subgraph } from '../platform/request.ts'
import { foldErrors } from './answer.ts'
import { toClientError } from './client-error.ts'
import type { ClientRequest, GraphQLParams } from './client-request.ts'
import { type ComposedSubgraph, composeSupergraph } from './compose.ts'
import { EventStream, isAsyncIterable } from './event-stream.ts'
import { actAt } from './expiry.ts'
import { addExtensions } from './extensions.ts'
import { hiveLog } from './hive-log.ts'
import { type HttpTransportOptions, httpTransport } from './http-transport.ts'
import { joinSubgraphs } from './joined-schema.ts'
import { type LimitedContext, limitPlugin } from './limit-plugin.ts'
import { defaultLimits, type Limits } from './limits.ts'
import { localTransport } from './local-transport.ts'
import { Operation, type RenewRequest } from './operation.ts'
import { loadPlanner, type PlannerName, withoutPlanner } from './planner.ts'
import { plannerPlugin } from './planner-plugin.ts'
import { auditRefusal } from './refusals.ts'
import type { SubgraphReach, SubgraphTransport } from './transport.ts'
import { documentUnknown, type TrustedDocuments } from './trusted-documents.ts'
import { teachScalars, variablesPlugin } from './variables-plugin.ts'

/** In process, or over HTTP to subgraphs at these addresses; `secret` signs what the gateway vouches for. */
export type TransportOptions = 'local' | Omit<HttpTransportOptions, 'log'>

export interface GatewayOptions {
  /** With the local transport these are executed; of those elsewhere only name and SDL are needed. */
  readonly subgraphs: readonly (Subgraph | ComposedSubgraph)[]
  /** Authenticates, and stamps the moment. Called once per request, on a WebSocket once per operation. Throws UNAUTHENTICATED. */
  requestOf(client: ClientRequest): RequestContext | Promise<RequestContext>
  /** Renews a subscription's request for its next event: a new moment, the token looked at again. */
  readonly renew?: RenewRequest
  readonly log: Log
  /** Hides GraphiQL, introspection, and what is wrong with an invalid query. */
  readonly production: boolean
  readonly transport: TransportOptions
  /** How values of the graph's own scalars are read. */
  readonly scalars?: readonly GraphQLScalarType[]
  readonly limits?: Partial<Limits>
  /** How often viewers may ask; without, as often as they like. */
  readonly rates?: Rates | undefined
  /** Where mutations are kept that were refused before they came to a subgraph. */
  readonly audit?: Audit | undefined
  /** With them nothing else runs. */
  readonly documents?: TrustedDocuments | undefined
  /** Plans where nothing would need to be planned, too. */
  readonly planner?: Exclude<PlannerName, 'none'>
}

export type GraphResult = ExecutionResult | EventStream<ExecutionResult>

export interface RunOptions {
  /** Refuses mutations: a GET may be repeated by anybody on the way. */
  readonly isReadOnly?: boolean
}

export interface Gateway {
  /** The composed supergraph, as it is printed to schema/sdl. */
  readonly supergraph: string
  readonly planner: PlannerName
  readonly limits: Limits
  readonly production: boolean
  readonly log: Log
  /** Authenticates a client. Rejects with a ClientError. */
  open(client: ClientRequest): Promise<Operation>
  /** Runs an operation; never rejects. The result has no `data` when the request itself was refused. */
  run(operation: Operation, params: GraphQLParams, options?: RunOptions): Promise<GraphResult>
  /** Completes every running subscription, and those that begin later at once. */
  endStreams(): void
  /** How many processes of each subgraph are known, and how many of them answer. */
  reach(): SubgraphReach[]
  close(): Promise<void>
}

interface RuntimeContext extends LimitedContext, Record<string, unknown> {}

/** The runtime asks for a request where it comes from HTTP; ours reaches it in the operation instead. */
const anyRequest = new Request('http://gateway.inprocess/graphql', { method: 'POST' })

/** Composes the subgraphs, plans and runs operations over them. Throws CONFIG_INVALID when they do not compose. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { log, production } = options
  const limits = { ...defaultLimits, ...options.limits }
  const supergraph = composeSupergraph(options.subgraphs)
  const transport = openTransport(options)
  const { createGatewayRuntime } = await import('@graphql-hive/gateway-runtime') // half a second and 80 MB: only for who serves
  const isWhole = options.transport === 'local' && hereOf(options).length === options.subgraphs.length
  const joined = isWhole && !options.planner ? joinSubgraphs(supergraph, hereOf(options)) : null
  const planner = joined ? withoutPlanner(joined) : await loadPlanner(log, options.planner)
  const logging = await hiveLog(log)
  const runtime = startRuntime(() =>
    createGatewayRuntime<RuntimeContext>({
      supergraph,
      ...(planner.unifiedGraphHandler ? { unifiedGraphHandler: planner.unifiedGraphHandler } : {}),
      transports: { http: { getSubgraphExecutor: ({ subgraphName }) => transport.executorOf(subgraphName) as never } },
      logging,
      // What follows is ours: the edge, the masking and the batching are done once, not twice.
      maskedErrors: false,
      subgraphErrors: false,
      requestId: false,
      graphiql: false,
      landingPage: false,
      __experimental__batchExecution: false,
      plugins: () => [
        limitPlugin(limits, production, options.rates),
        variablesPlugin(limits.errors),
        ...(joined ? [] : [plannerPlugin()]),
      ],
    }),
  )
  // Before the first operation: one that comes earlier finds no schema.
  const schema = await runtime.getSchema()
  if (!joined) teachScalars(schema, options.scalars ?? [])
  const streams = new Set<EventStream<ExecutionResult>>()
  let isEnding = false

  const finish = (result: ExecutionResult, operation: Operation): ExecutionResult => {
    const reported = operation.extensions()
    const extensions = reported ? addExtensions(result.extensions ?? null, reported) : result.extensions
    if (!result.errors?.length) return reported ? { ...result, extensions: { ...extensions } } : result
    const errors = result.errors.map((error) => toClientError(error, { request: operation.request }))
    return {
      ...('data' in result ? { data: result.data ?? null } : {}),
      errors: foldErrors(errors, limits.errors),
      ...(extensions ? { extensions: { ...extensions } } : {}),
    }
  }

  const answer = (result: ExecutionResult, operation: Operation, params: GraphQLParams): ExecutionResult => {
    const finished = finish(result, operation)
    if (options.audit && finished.errors) auditRefusal(options.audit, operation, params, finished, limits.tokens)
    return finished
  }

  return {
    supergraph,
    planner: planner.name,
    limits,
    production,
    log,
    async open(client) {
      try {
        return new Operation(await options.requestOf(client), options.renew, client.headers.authorization)
      } catch (error) {
        throw toClientError(error, { request: { requestId: client.requestId, log } })
      }
    },
    async run(operation, { documentId, ...asked }, { isReadOnly = false } = {}) {
      let params: GraphQLParams = asked // the runtime knows no documentId and refuses what it does not know
      try {
        await options.rates?.take('operations', operation.request.viewer)
        if (options.documents) {
          params = { ...asked, query: options.documents.textOf(documentId ? { ...asked, documentId } : asked) }
          operation.trust()
        } else if (documentId && !asked.query) throw documentUnknown()
        const context: RuntimeContext = { operation, isReadOnly, request: anyRequest, headers: {} }
        const result: unknown = await runtime.getResultForParams(
          { params: params as never, request: anyRequest },
          context as never,
        )
        if (!isAsyncIterable<ExecutionResult>(result)) return answer(result as ExecutionResult, operation, params)
        const stream: EventStream<ExecutionResult> = new EventStream(
          result,
          (event) => finish(detachErrors(event), operation),
          () => {
            stopClock()
            streams.delete(stream)
            operation.abort()
          },
        )
        streams.add(stream)
        // A quiet stream has no event at which its token would be looked at again.
        const stopClock = actAt(operation.request.expiresAt, () => stream.end(finish(expired(), operation)))
        if (isEnding || operation.signal.aborted) stream.end()
        return stream
      } catch (error) {
        return answer({ errors: [error as GraphQLError] }, operation, params)
      }
    },
    endStreams() {
      isEnding = true
      for (const stream of streams) stream.end()
    },
    reach: () => transport.reach(),
    async close() {
      for (const stream of streams) stream.end()
      await runtime.dispose()
      await transport.close()
    },
  }
}

/** The typed last event of a stream whose viewer is nobody any longer. */
function expired(): ExecutionResult {
  return { errors: [tokenExpired() as unknown as GraphQLError] }
}

function openTransport({ transport, subgraphs, log }: GatewayOptions): SubgraphTransport {
  if (transport === 'local') return localTransport(hereOf({ subgraphs }))
  const unnamed = subgraphs.find(({ name }) => !transport.urls[name]?.length)
  if (!unnamed) return httpTransport({ ...transport, log })
  throw new InklingError(
    'CONFIG_INVALID',
    `No address is given for the subgraph "${unnamed.name}".`,
    'Name the address of every subgraph, or serve them in this process.',
  )
}

function hereOf({ subgraphs }: Pick<GatewayOptions, 'subgraphs'>): Subgraph[] {
  return subgraphs.filter((subgraph) => 'schema' in subgraph)
}

/**
 * The Rust planner's executor keeps one list of errors per subscription, so that an error of one event would come again with
 * every later one. The event takes its errors along and leaves the list empty.
 */
function detachErrors(event: ExecutionResult): ExecutionResult {
  if (!event.errors?.length) return event
  return { data: null, ...event, errors: (event.errors as GraphQLError[]).splice(0) }
}

/** The runtime traps SIGTERM and SIGINT to dispose itself in the middle of running requests; how this ends is the server's to say. */
function startRuntime(create: () => GatewayRuntime<RuntimeContext>): GatewayRuntime<RuntimeContext> {
  const signals = ['SIGINT', 'SIGTERM', 'exit'] as const
  const before = signals.map((signal) => new Set(process.listeners(signal as 'SIGINT')))
  const runtime = create()
  signals.forEach((signal, index) => {
    for (const listener of process.listeners(signal as 'SIGINT')) {
      if (!before[index]?.has(listener)) process.removeListener(signal, listener)
    }
  })
  return runtime
}
