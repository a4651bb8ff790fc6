import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http'
import { ClientError } from './client-error.ts'
import { type Checks, watchHealth } from './health.ts'
import { sendJson, sendResult } from './http-response.ts'
import { DRAINING_HEADER, IDLE_MS } from './instance.ts'

export interface DoorsOptions {
  readonly checks: Checks
  readonly shutdownSeconds: number
  /** Completes running subscriptions and takes no more of them. */
  endStreams(): void
  /** Cuts what is still open. */
  cut(): void
}

export interface Doors {
  /** See ServedSubgraph. Resolves when the last connection is closed. */
  drain(): Promise<void>
}

/**
 * Gateways look every second and give idle connections up: then none is left and the wait is over. One that is too busy to do
 * either has this long, so that no request meets a closing connection.
 */
const LOOK_AWAY_MS = 4 * IDLE_MS

/**
 * The way into a process behind gateways: /health and /live for whoever watches over it, `inside` for requests. While it drains,
 * requests are sent back without having been looked at, so that the gateway may ask even a mutation elsewhere.
 */
export function keepDoors(server: Server, inside: RequestListener, options: DoorsOptions): Doors {
  let draining: Promise<void> | null = null
  const health = watchHealth(options.checks, () => draining !== null)
  let running = 0

  server.on('request', (request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (path === '/live') return sendLife(response, draining !== null)
    if (path === '/health') {
      health().then((report) => sendJson(response, report.status === 'ready' ? 200 : 503, report))
      return
    }
    if (draining) return sendBack(request, response)
    running++
    response.once('close', () => running--)
    inside(request, response)
  })

  async function drain(): Promise<void> {
    const closed = new Promise<void>((resolve) => server.once('close', resolve))
    const cut = setTimeout(() => {
      options.cut()
      server.closeAllConnections()
    }, options.shutdownSeconds * 1_000)
    options.endStreams()
    const lookedAway = performance.now() + Math.min(LOOK_AWAY_MS, options.shutdownSeconds * 1_000)
    while (running > 0 || (performance.now() < lookedAway && (await connectionsOf(server)) > 0))
      await new Promise((resolve) => setTimeout(resolve, 25))
    server.close()
    options.cut()
    await closed
    clearTimeout(cut)
  }

  return {
    drain() {
      draining ??= drain()
      return draining
    },
  }
}

function sendLife(response: ServerResponse, isDraining: boolean): void {
  if (isDraining) response.setHeader(DRAINING_HEADER, 'true')
  response.setHeader('connection', 'close')
  sendJson(response, isDraining ? 503 : 200, { status: isDraining ? 'draining' : 'live' })
}

/** The body is read to its end first: a sender that is still writing would not see the answer. */
function sendBack(request: IncomingMessage, response: ServerResponse): void {
  request.resume().once('end', () => {
    response.setHeader(DRAINING_HEADER, 'true')
    response.setHeader('connection', 'close')
    const fault = new ClientError('The process is shutting down.', { code: 'UNAVAILABLE', retryable: true })
    sendResult(response, { errors: [fault] }, 'application/graphql-response+json')
  })
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((error, count) => resolve(error ? 0 : count)))
}
