import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import type { Exchange, ExchangeRoute } from '../platform/exchange.ts'
import { ClientError, toClientError } from './client-error.ts'
import { clientOf } from './client-request.ts'
import { EventStream } from './event-stream.ts'
import type { Gateway } from './gateway.ts'
import { type Example, type Page, renderGraphiql } from './graphiql.ts'
import { type Checks, watchHealth } from './health.ts'
import { readJson, readRequest } from './http-request.ts'
import { acceptedType, notAcceptable, sendEvents, sendJson, sendResult } from './http-response.ts'
import { listenOn } from './listening.ts'
import { createOrigins } from './origins.ts'
import { serveSockets } from './websocket.ts'

const GRAPHQL = '/graphql'

const nothingHere = new ClientError(`Nothing is here; GraphQL is asked at ${GRAPHQL}.`, { code: 'NOT_FOUND' })

export interface ListenOptions {
  readonly gateway: Gateway
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** What must hold before /health says 200: database, migrations, models, worker. */
  readonly checks: Checks
  /** How long running requests may take to end once the server drains, in seconds. */
  readonly shutdownSeconds: number
  /** How long before that it still takes requests while /health says 503, so that balancers look away first, in seconds. */
  readonly drainSeconds?: number
  /** What else is served, by prefix of its paths, such as "/v1/". */
  readonly routes?: Readonly<Record<string, ExchangeRoute>>
  /** Tabs of GraphiQL. */
  readonly examples?: readonly Example[]
  readonly title?: string
  /** Origins whose pages may ask, besides the server's own. */
  readonly origins?: readonly string[]
  /** Answers only to names of this machine: for a server without keys, whose every caller is an administrator. */
  readonly loopbackOnly?: boolean
}

export interface ListeningServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /**
   * Ends gracefully: /health turns 503, no new connections, running requests finish, subscriptions complete; what is left
   * after `shutdownSeconds` is cut. Resolves when the last connection is closed. May be called twice.
   */
  drain(): Promise<void>
}

/** Serves the gateway: /graphql over HTTP, SSE and WebSocket, /health and /ready. Rejects with PORT_IN_USE. */
export async function listen(options: ListenOptions): Promise<ListeningServer> {
  const { gateway, host, shutdownSeconds, drainSeconds = 0 } = options
  const { limits, log, production } = gateway
  let draining: Promise<void> | null = null
  let page: Promise<Page> | null = null
  const health = watchHealth(options.checks, () => draining !== null)
  const origins = createOrigins({ origins: options.origins ?? [], loopbackOnly: options.loopbackOnly ?? false })

  const server = createServer({
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: Math.min(limits.headersMs / 4, 2_000),
  })
  server.keepAliveTimeout = 65_000 // longer than the 60 s of common load balancers, which must be the ones to hang up

  server.on('request', (request, response) => {
    response.setHeader('x-content-type-options', 'nosniff')
    if (draining) response.setHeader('connection', 'close')
    route(request, response).catch((error) => {
      const { requestId } = clientOf('http', request.headers)
      dropBody(request, response)
      sendResult(response, { errors: [toClientError(error, { request: { requestId, log } })] }, 'application/json')
    })
  })

  const route = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (origins.admit(request, response)) return
    const path = request.url?.split('?', 1)[0]
    if (path === GRAPHQL) {
      return isPageRequest(request) ? sendPage(request, response) : answer(request, response)
    }
    if (path === '/health' || path === '/ready') {
      const report = await health()
      return sendJson(
        response,
        report.status === 'ready' ? 200 : 503,
        path === '/ready' ? { status: report.status } : report,
      )
    }
    const prefix = Object.keys(options.routes ?? {}).find((start) => path?.startsWith(start))
    if (prefix) return options.routes![prefix]!(exchangeOf(request, response, path!))
    sendResult(response, { errors: [nothingHere] }, 'application/json')
  }

  const exchangeOf = (request: IncomingMessage, response: ServerResponse, path: string): Exchange => {
    const client = clientOf('http', request.headers)
    response.setHeader('x-request-id', client.requestId)
    return {
      ...{ request, response, path, log },
      requestId: client.requestId,
      slowConsumerMs: limits.slowConsumerMs,
      open: async () => (await gateway.open(client)).request,
      readJson: () => readJson(request, limits),
    }
  }

  const sendPage = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (production) return sendResult(response, { errors: [nothingHere] }, 'application/json')
    page ??= renderGraphiql(options.examples ?? [], options.title ?? 'Inkling')
    const { html, gzipped } = await page
    const isGzip = String(request.headers['accept-encoding']).includes('gzip')
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-length': (isGzip ? gzipped : html).length,
      vary: 'accept-encoding, origin',
      ...(isGzip ? { 'content-encoding': 'gzip' } : {}),
    })
    response.end(request.method === 'HEAD' ? undefined : isGzip ? gzipped : html)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const client = clientOf('http', request.headers)
    response.setHeader('x-request-id', client.requestId)
    const type = acceptedType(request.headers.accept)
    try {
      const params = await readRequest(request, limits)
      const operation = await gateway.open(client)
      response.once('close', () => operation.abort()) // after a finished response nobody listens any more
      if (type === null) throw notAcceptable()
      const result = await gateway.run(operation, params, { isReadOnly: request.method === 'GET' })
      if (type === 'text/event-stream' && (result instanceof EventStream || 'data' in result)) {
        const events = result instanceof EventStream ? result : new EventStream<ExecutionResult>(single(result))
        response.once('close', () => events.end())
        return await sendEvents(response, events, limits.slowConsumerMs)
      }
      if (!(result instanceof EventStream)) return sendResult(response, result, type)
      result.end()
      throw notAcceptable()
    } catch (error) {
      const fault = toClientError(error, { request: { requestId: client.requestId, log } })
      dropBody(request, response)
      sendResult(response, { errors: [fault] }, type ?? 'application/json')
    }
  }

  const sockets = serveSockets({
    server,
    path: GRAPHQL,
    limits,
    isOriginAllowed: origins.isOriginAllowed,
    isHostAllowed: origins.isHostAllowed,
    async connect(client) {
      const { viewer, expiresAt } = (await gateway.open(client)).request
      return { viewer: `${viewer.tenant}/${viewer.id}`, expiresAt }
    },
    async run(client, params, closed) {
      const operation = await gateway.open(client)
      closed.addEventListener('abort', () => operation.abort(), { once: true, signal: operation.signal })
      return gateway.run(operation, params)
    },
  })

  const port = await listenOn(server, host, options.port)
  const shown = host.includes(':') ? `[${host}]` : host
  log.info({ event: 'listening', host, port, planner: gateway.planner })

  const drain = async (): Promise<void> => {
    log.info({ event: 'draining', drainSeconds, shutdownSeconds })
    if (drainSeconds > 0) await new Promise((resolve) => setTimeout(resolve, drainSeconds * 1_000))
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    gateway.endStreams()
    sockets.close()
    // A connection whose last answer began before the drain was promised to stay open; it is closed once it is idle.
    const sweep = setInterval(() => server.closeIdleConnections(), 25)
    const cut = setTimeout(() => {
      log.warn({ event: 'requests were cut at shutdown', shutdownSeconds })
      server.closeAllConnections()
      sockets.terminate()
    }, shutdownSeconds * 1_000)
    await closed
    clearTimeout(cut)
    clearInterval(sweep)
    log.info({ event: 'drained' })
  }

  return {
    host,
    port,
    url: `http://${shown}:${port}`,
    drain: () => {
      draining ??= drain()
      return draining
    },
  }
}

/** How long a connection whose body was refused is still read from. */
const LINGER_MS = 1_000

/**
 * A body that was refused is not looked at, and the connection cannot be used again. It is read from for a moment all the same: one
 * that is closed on a sender takes the answer with it (seen with one in seven bodies of 14 MB).
 */
function dropBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.complete || response.headersSent) return
  response.setHeader('connection', 'close')
  request.resume()
  const { socket } = request
  socket.destroySoon = () => {
    socket.end()
    const cut = setTimeout(() => socket.destroy(), LINGER_MS)
    request.once('end', () => socket.destroy())
    socket.once('close', () => clearTimeout(cut))
  }
}

/** A browser that opens the address, as opposed to a client that asks. */
function isPageRequest({ method, headers }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && String(headers.accept).includes('text/html')
}

async function* single<T>(value: T): AsyncGenerator<T> {
  yield value
}
