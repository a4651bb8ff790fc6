import { createServer } from 'node:http'
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import {
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type NextFunction, type Request, type Response } from 'express'
import { type ExecutionResult, getOperationAST, parse, validate } from 'graphql'
import type { Log } from '../platform/log.ts'
import type { RequestContext, Subgraph } from '../platform/request.ts'
import { ClientError, maskErrors, toClientError } from './client-error.ts'
import { badRequest, type ClientRequest, clientOf, type GraphQLParams } from './client-request.ts'
import { keepDoors } from './draining.ts'
import { EventStream, isAsyncIterable } from './event-stream.ts'
import { executableOf, executeIn, subscribeIn } from './execution.ts'
import type { Checks } from './health.ts'
import { sendResult } from './http-response.ts'
import { defaultLimits } from './limits.ts'
import { listenOn } from './listening.ts'
import { Operation, type RenewRequest } from './operation.ts'
import { verifiedVoucher } from './signature.ts'
import { serveSockets } from './websocket.ts'

export interface ServeSubgraphOptions {
  readonly subgraph: Subgraph
  /** Authenticates the client whose token the gateway forwards. The moment and request id that it makes are replaced by the gateway's. */
  requestOf(client: ClientRequest): RequestContext | Promise<RequestContext>
  readonly renew?: RenewRequest
  /** The secret that the gateway signs with; a request without a valid signature is answered 401. */
  readonly secret: string
  readonly host: string
  readonly port: number
  readonly log: Log
  /** Larger than the edge's: the gateway sends representations, 36 to 69 kB for 1,000. */
  readonly bodyBytes?: number
  /** What must hold before /health says 200. */
  readonly checks?: Checks
  /** How long running requests may take to end once it drains, in seconds. */
  readonly shutdownSeconds?: number
}

export interface ServedSubgraph {
  readonly url: string
  readonly port: number
  /**
   * Ends without losing a request: what comes is sent back unread, to be asked elsewhere, until the gateways have looked away;
   * running requests finish, subscriptions complete; what is left after `shutdownSeconds` is cut. May be called twice.
   */
  drain(): Promise<void>
  /** Ends at once, for tests: running requests finish. */
  close(): Promise<void>
}

interface SubgraphRequest extends Request {
  signedBody?: string
  operation?: Operation
}

/** Apollo clones the context that it is given, so what a plugin needs travels inside it. */
const operationKey = Symbol('operation')
type ApolloContext = { readonly [operationKey]: Operation }

const MEBIBYTE = 1024 * 1024

/** Serves one subgraph by Apollo Server over HTTP, and its subscriptions over graphql-ws on the same port, to the gateway alone. */
export async function serveSubgraph(options: ServeSubgraphOptions): Promise<ServedSubgraph> {
  const { subgraph, log, bodyBytes = 16 * MEBIBYTE } = options
  const apollo = new ApolloServer<ApolloContext>({
    schema: subgraph.schema,
    introspection: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    logger: apolloLog(log),
    plugins: [ApolloServerPluginLandingPageDisabled(), ApolloServerPluginInlineTraceDisabled(), masking(subgraph)],
  })
  await apollo.start()

  const app = express().disable('x-powered-by')
  app.use(
    '/graphql',
    express.json({
      limit: bodyBytes,
      verify: (request, _response, bytes) => {
        ;(request as SubgraphRequest).signedBody = bytes.toString('utf8')
      },
    }),
    (request: SubgraphRequest, response: Response, next: NextFunction) => {
      openOperation(options, clientOf('http', request.headers), request.headers, request.signedBody ?? '').then(
        (operation) => {
          request.operation = operation
          response.once('close', () => operation.abort())
          next()
        },
        next,
      )
    },
    expressMiddleware(apollo, {
      async context({ req }) {
        const operation = (req as SubgraphRequest).operation!
        return { ...operation.contextOf(subgraph), [operationKey]: operation }
      },
    }),
  )
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const { requestId } = clientOf('http', request.headers)
    sendResult(response, { errors: [refusalOf(error, requestId, log)] }, 'application/graphql-response+json')
  })

  const server = createServer()
  const streams = new Set<EventStream<ExecutionResult>>()
  const sockets = serveSockets({
    server,
    path: '/graphql',
    // One gateway carries the subscriptions of all its clients over one socket, and has counted them already.
    limits: {
      ...defaultLimits,
      bodyBytes,
      operationsPerSocket: Number.POSITIVE_INFINITY,
      socketsPerViewer: Number.POSITIVE_INFINITY,
      sockets: 1_000,
    },
    isOriginAllowed: () => false,
    connect: async () => ({ viewer: 'gateway' }), // who asks is signed in each operation
    run: async (client, params, closed) => {
      const result = await runSubscription(options, client, params, closed, (stream) => streams.delete(stream))
      if (result instanceof EventStream) streams.add(result)
      return result
    },
  })
  const doors = keepDoors(server, app, {
    checks: options.checks ?? (async () => ({})),
    shutdownSeconds: options.shutdownSeconds ?? 8,
    endStreams() {
      sockets.close()
      for (const stream of streams) stream.end()
    },
    cut: () => sockets.terminate(),
  })
  const port = await listenOn(server, options.host, options.port)
  log.info({ event: 'subgraph listening', subgraph: subgraph.name, host: options.host, port })
  return {
    port,
    url: `http://${options.host}:${port}/graphql`,
    async drain() {
      await doors.drain()
      await apollo.stop()
      log.info({ event: 'subgraph drained', subgraph: subgraph.name })
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      sockets.terminate()
      server.closeIdleConnections()
      await closed
      await apollo.stop()
    },
  }
}

/** The operation of a signed request: the viewer by the client's token, the moment by the gateway's word. */
async function openOperation(
  { secret, requestOf, renew }: ServeSubgraphOptions,
  client: ClientRequest,
  headers: Readonly<Record<string, unknown>>,
  body: string,
): Promise<Operation> {
  const voucher = verifiedVoucher(headers, body, secret)
  if (!voucher) throw new ClientError('Only the gateway may ask a subgraph.', { code: 'UNAUTHENTICATED' })
  const request = await requestOf({ ...client, requestId: voucher.requestId })
  const { isBulk, ...moment } = voucher
  const operation = new Operation({ ...request, ...moment }, renew, client.headers.authorization)
  if (isBulk) operation.trust()
  return operation
}

async function runSubscription(
  options: ServeSubgraphOptions,
  client: ClientRequest,
  params: GraphQLParams,
  closed: AbortSignal,
  ended: (stream: EventStream<ExecutionResult>) => void,
): Promise<ExecutionResult | EventStream<ExecutionResult>> {
  const { subgraph, log } = options
  try {
    const headers = (params.extensions?.headers ?? {}) as Record<string, string>
    const { query, variables, operationName } = params
    const signed = JSON.stringify({
      query,
      ...(variables ? { variables } : {}),
      ...(operationName ? { operationName } : {}),
    })
    const signedBy = { ...client, headers: { ...client.headers, ...headers } }
    const operation = await openOperation(options, signedBy, headers, signed)
    const site = { request: operation.request, subgraph: subgraph.name }
    const document = parse(query)
    const faults = validate(subgraph.schema, document, undefined, { maxErrors: 5 })
    if (faults.length > 0) return maskErrors({ errors: faults }, site)
    const call = { document, ...(variables ? { variables } : {}), ...(operationName ? { operationName } : {}) }
    const isSubscription = getOperationAST(document, operationName)?.operation === 'subscription'
    const result = await (isSubscription ? subscribeIn : executeIn)(executableOf(subgraph), call, operation)
    closed.addEventListener('abort', () => operation.abort(), { once: true, signal: operation.signal })
    if (!isAsyncIterable<ExecutionResult>(result)) return result
    const stream: EventStream<ExecutionResult> = new EventStream(result, undefined, () => {
      operation.abort()
      ended(stream)
    })
    return stream
  } catch (error) {
    return { errors: [refusalOf(error, client.requestId, log)] }
  }
}

/** Apollo formats errors before anybody knows the request; here they are masked as in one process, from what was thrown. */
function masking(subgraph: Subgraph): ApolloServerPlugin<ApolloContext> {
  return {
    async requestDidStart({ contextValue }) {
      const operation = contextValue[operationKey]
      const { request } = operation
      return {
        async willSendResponse({ response, errors }) {
          if (response.body.kind !== 'single') return
          const extensions = operation.extensions()
          if (extensions) response.body.singleResult.extensions = { ...extensions }
          if (!response.body.singleResult.errors?.length) return
          const thrown = errors ?? response.body.singleResult.errors.map(({ message }) => new Error(message))
          response.body.singleResult.errors = thrown.map((error) =>
            toClientError(error, { request, subgraph: subgraph.name }).toJSON(),
          )
        },
      }
    },
  }
}

function apolloLog(log: Log) {
  const line = (level: 'debug' | 'info' | 'warn' | 'error') => (message?: unknown) =>
    log[level]({ event: 'apollo server', message })
  return { debug: line('debug'), info: line('debug'), warn: line('warn'), error: line('error') }
}

/** Errors of the body parser say their status and nothing else; they are the client's. */
function refusalOf(error: unknown, requestId: string, log: Log): ClientError {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined
  if (status === 413) return new ClientError('The request body is too large.', { code: 'BODY_TOO_LARGE' })
  if (typeof status === 'number' && status < 500) return badRequest('The body could not be read as JSON.')
  return toClientError(error, { request: { requestId, log } })
}
