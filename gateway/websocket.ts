import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ExecutionArgs, type ExecutionResult, GraphQLError, parse } from 'graphql'
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import { ClientError } from './client-error.ts'
import { type ClientRequest, clientOf, type GraphQLParams, readParams } from './client-request.ts'
import type { EventStream } from './event-stream.ts'
import { actAt } from './expiry.ts'
import { type Limits, operationLimit } from './limits.ts'

export type SocketLimits = Pick<
  Limits,
  | 'bodyBytes'
  | 'variableDepth'
  | 'operationsPerSocket'
  | 'socketsPerViewer'
  | 'sockets'
  | 'pingsPerMinute'
  | 'slowConsumerMs'
>

/** Who opened a socket. */
export interface SocketOwner {
  readonly viewer: string
  /** When the token ends, and the socket with it. */
  readonly expiresAt?: Date | undefined
}

export interface SocketOptions {
  readonly server: Server
  readonly path: string
  readonly limits: SocketLimits
  /** Whether a page of this origin may open a socket. Not asked for clients that are no browser. */
  isOriginAllowed(origin: string, host: string | undefined): boolean
  /** Whether this server is meant by the Host header. */
  isHostAllowed?(host: string | undefined): boolean
  /** Authenticates a new socket and names its owner. Rejecting closes it with 4403. */
  connect(client: ClientRequest): Promise<SocketOwner>
  /** Runs one operation; `closed` is aborted with the socket. Never rejects. */
  run(
    client: ClientRequest,
    params: GraphQLParams,
    closed: AbortSignal,
  ): Promise<ExecutionResult | EventStream<ExecutionResult>>
}

export interface Sockets {
  /** Takes no more sockets and operations, and closes each open socket with 1001 once its last operation is answered. */
  close(): void
  /** Cuts what is still open. */
  terminate(): void
}

const PING_MS = 12_000
const goodbye = [1001, 'Going away'] as const
/** Streams say last that the token has expired; that leaves before the socket closes. */
const LAST_WORDS_MS = 100
/** The protocol wants a document for each operation; ours is parsed behind it. What comes back decides whether it streams. */
const anyQuery = parse('query { __typename }')

interface Extra {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  readonly closed: AbortController
  readonly countPing: () => void
  viewer?: string
  stopClock?: () => void
}

/** Serves graphql-transport-ws on the path of a server. Without the package's own adapter: that one logs a client's faults as internal errors. */
export function serveSockets(options: SocketOptions): Sockets {
  const { server, path, limits } = options
  const socketsOf = new Map<string, number>()
  const protocol = makeServer<Record<string, unknown>, Extra>({
    async onConnect({ extra, connectionParams }) {
      try {
        const client = clientOf('websocket', extra.request.headers, connectionParams)
        const { viewer, expiresAt } = await options.connect(client)
        const count = (socketsOf.get(viewer) ?? 0) + 1
        if (count > limits.socketsPerViewer) return false
        socketsOf.set(viewer, count)
        extra.viewer = viewer
        extra.stopClock = actAt(expiresAt && new Date(expiresAt.getTime() + LAST_WORDS_MS), () =>
          extra.socket.close(CloseCode.Forbidden, 'Forbidden'),
        )
        return true
      } catch {
        return false // 4403: what was wrong with a token is for the log alone
      }
    },
    onPing: ({ extra }) => extra.countPing(),
    onPong: ({ extra }) => extra.countPing(),
    onClose({ extra }) {
      extra.closed.abort()
      extra.stopClock?.()
      if (extra.viewer === undefined) return
      const left = (socketsOf.get(extra.viewer) ?? 1) - 1
      if (left > 0) socketsOf.set(extra.viewer, left)
      else socketsOf.delete(extra.viewer)
    },
    async onSubscribe({ extra, connectionParams, subscriptions }, _id, payload) {
      if (isClosed) return [new ClientError('The server is shutting down.', { code: 'UNAVAILABLE', retryable: true })]
      if (Object.keys(subscriptions).length > limits.operationsPerSocket) {
        return [operationLimit('The socket runs too many operations.')]
      }
      try {
        const params = readParams(payload, limits.variableDepth)
        const client = clientOf('websocket', extra.request.headers, connectionParams)
        const result = await options.run(client, params, extra.closed.signal)
        if ('errors' in result && !('data' in result) && result.errors?.length) return result.errors
        return { document: anyQuery, contextValue: result } as unknown as ExecutionArgs
      } catch (error) {
        if (error instanceof GraphQLError) return [error]
        throw error
      }
    },
    execute: (args) => args.contextValue as ExecutionResult,
    // Given back as it is, so that the protocol does not ask errors of another module for their JSON.
    onNext: (_context, _id, _payload, _args, result) => ({ ...result }) as never,
  })

  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false, // a compression bomb needs a decompressor
    handleProtocols,
  })
  const idle = new Map<WebSocket, () => boolean>()
  let isClosed = false

  const upgrade = (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    raw.on('error', () => raw.destroy()) // until the handshake is done nobody else listens
    const { origin, host } = request.headers
    if (isClosed || sockets.clients.size >= limits.sockets) return refuseUpgrade(raw, '503 Service Unavailable')
    if (options.isHostAllowed?.(host) === false) return refuseUpgrade(raw, '421 Misdirected Request')
    if (request.url?.split('?', 1)[0] !== path) return refuseUpgrade(raw, '404 Not Found')
    if (origin !== undefined && !options.isOriginAllowed(origin, host)) return refuseUpgrade(raw, '403 Forbidden')
    sockets.handleUpgrade(request, raw, head, (socket) => openSocket(socket, request))
  }

  const openSocket = (socket: WebSocket, request: IncomingMessage) => {
    const stopPings = keepAlive(socket)
    const countPing = pingCounter(socket, limits.pingsPerMinute)
    socket.on('ping', countPing)
    socket.on('pong', countPing)
    let running = 0
    idle.set(socket, () => running === 0)
    socket.on('error', () => socket.terminate()) // a frame too large, bad UTF-8: the close code has said it
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        send: sender(socket, limits.slowConsumerMs),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (receive) =>
          socket.on('message', (message) => {
            running++
            receive(String(message))
              .catch(() => socket.close(CloseCode.InternalServerError, 'Internal server error'))
              .finally(() => {
                running--
                if (isClosed && running === 0) socket.close(...goodbye)
              })
          }),
      },
      { socket, request, closed: new AbortController(), countPing },
    )
    socket.once('close', (code, reason) => {
      stopPings()
      idle.delete(socket)
      void Promise.resolve(closed(code, String(reason))).catch(() => {})
    })
  }

  server.on('upgrade', upgrade)
  return {
    close() {
      isClosed = true
      for (const [socket, isIdle] of idle) if (isIdle()) socket.close(...goodbye)
    },
    terminate() {
      for (const socket of sockets.clients) socket.terminate()
    },
  }
}

function refuseUpgrade(raw: Duplex, status: string): void {
  raw.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
}

/**
 * Sends messages. Each promise resolves once its message left this process, so that a client that does not read pauses the stream; the
 * client is cut when something waits and nothing has left for `slowMs`. One timer a socket: one a message costs more than the message.
 */
function sender(socket: WebSocket, slowMs: number): (message: string) => Promise<void> {
  let waiting = 0
  const timer = setTimeout(() => waiting > 0 && socket.terminate(), slowMs)
  socket.once('close', () => clearTimeout(timer))
  return (message) => {
    if (socket.readyState !== socket.OPEN) return Promise.resolve()
    if (waiting++ === 0) timer.refresh()
    return new Promise((resolve) => {
      socket.send(message, () => {
        if (--waiting > 0) timer.refresh()
        resolve() // a failed write closes the socket, and with it the operation
      })
    })
  }
}

/** Every ping is answered, so that a flood of them costs more to answer than to send: past the limit the socket closes with 1008. */
function pingCounter(socket: WebSocket, perMinute: number): () => void {
  let since = Date.now()
  let count = 0
  return () => {
    const now = Date.now()
    if (now - since > 60_000) [since, count] = [now, 0]
    if (++count === perMinute + 1) socket.close(1008, 'Too many pings')
    else if (count > perMinute + 1_000) socket.terminate() // it goes on behind the close
  }
}

function keepAlive(socket: WebSocket): () => void {
  let isAlive = true
  socket.on('pong', () => {
    isAlive = true
  })
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate()
    isAlive = false
    socket.ping()
  }, PING_MS)
  return () => clearInterval(timer)
}
