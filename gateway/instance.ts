import { type IncomingMessage, Agent as PlainAgent, request as plainRequest } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'

/** Header of the answer to a request that a process did not begin on, because it is about to end. */
export const DRAINING_HEADER = 'x-inkling-draining'

/** Idle connections are given up after so long; a process that drains waits longer, so that no request meets a closing one. */
export const IDLE_MS = 1_000
/** How often an instance that serves is looked at, and one that does not; how long it may take to answer. */
const LOOK_MS = 1_000
const LOOK_AGAIN_MS = 250
const LOOK_TIMEOUT_MS = 1_000
/** So many requests in a row without an answer, and nobody waits for it any more until it answers again. */
const FAILURES = 3

/** An instance gave no answer. */
export class Unanswered extends Error {
  /** Whether it may have begun to work on the request. */
  readonly wasSent: boolean
  /** Whether it speaks against the instance: a client that went away does not. */
  readonly isFault: boolean

  constructor(reason: string, { wasSent, isFault = true }: { wasSent: boolean; isFault?: boolean }) {
    super(reason)
    this.wasSent = wasSent
    this.isFault = isFault
  }
}

export interface Post {
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** One process that serves a subgraph. */
export interface Instance {
  readonly url: string
  /** Whether to ask it: it answers, and is not about to end. */
  isWell(): boolean
  /** Sends a request and resolves with the answer's text. Rejects with Unanswered. */
  post(request: Post): Promise<string>
  /** Its WebSocket, over which all subscriptions go; opened by the first. */
  readonly socket: Client
  isConnected(): boolean
  /** How often the WebSocket was connected: a subscription that failed before the next time was never sent. */
  connections(): number
  close(): Promise<void>
}

export function openInstance(options: { name: string; url: string; timeoutMs: number; log: Log }): Instance {
  const { name, timeoutMs, log } = options
  const url = new URL(options.url)
  const agent = new (url.protocol === 'https:' ? SecureAgent : PlainAgent)({ keepAlive: true, timeout: IDLE_MS })
  const breaker = circuitBreaker(
    handleWhen((error) => error instanceof Unanswered && error.isFault),
    { halfOpenAfter: LOOK_AGAIN_MS, breaker: new ConsecutiveBreaker(FAILURES) },
  )
  let draining: { dispose(): void } | null = null
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let connections = 0
  let isConnected = false

  breaker.onBreak((reason) => {
    const isDraining = 'isolated' in reason
    log.warn({ event: isDraining ? 'subgraph drains' : 'subgraph is down', subgraph: name, url: url.href })
    for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    lookAgain()
  })
  breaker.onReset(() => log.info({ event: 'subgraph is back', subgraph: name, url: url.href }))

  function drain(): void {
    draining ??= breaker.isolate()
  }
  function lookAgain(): void {
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(look, breaker.state === CircuitState.Closed ? LOOK_MS : LOOK_AGAIN_MS)
    timer.unref()
  }
  /** While it serves, only its word that it drains counts: a busy process may be slow to answer. */
  async function look(): Promise<void> {
    const { state } = breaker
    try {
      const answer = await exchange(new URL('/live', url), { method: 'GET', agent: false }, LOOK_TIMEOUT_MS)
      if (answer.isDraining) drain()
      else if (draining) {
        draining.dispose()
        draining = null
      } else if (state !== CircuitState.Closed) await breaker.execute(() => {})
    } catch {
      // it is as it was
    }
    lookAgain()
  }

  async function ask({ body, headers, timeoutMs: within, signal }: Post): Promise<string> {
    const answer = await exchange(url, { method: 'POST', agent, headers, signal }, within, body)
    if (answer.isDraining) {
      drain()
      throw new Unanswered('it is about to end', { wasSent: false, isFault: false })
    }
    return answer.text
  }

  const socket = createClient({
    url: url.href.replace(/^http/, 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0, // a lost stream is told to the client at once; it resumes with its cursor
    lazyCloseTimeout: 5_000,
    connectionAckWaitTimeout: timeoutMs,
    keepAlive: 5_000,
    on: {
      connected: () => {
        connections++
        isConnected = true
      },
      // A process that was stopped keeps its connections open; one that has not ponged by the time of the next ping is gone.
      ping: (received) => {
        if (received) return
        silent = setTimeout(() => socket.terminate(), 4_500)
        silent.unref()
      },
      pong: (received) => {
        if (received) clearTimeout(silent)
      },
      closed: () => {
        isConnected = false
        clearTimeout(silent)
      },
    },
  })
  let silent: NodeJS.Timeout | undefined

  lookAgain()
  return {
    url: url.href,
    isWell: () => breaker.state === CircuitState.Closed,
    post: (request) => breaker.execute(() => ask(request)),
    socket,
    isConnected: () => isConnected,
    connections: () => connections,
    async close() {
      isClosed = true
      clearTimeout(timer)
      clearTimeout(silent)
      agent.destroy()
      await socket.dispose()
    },
  }
}

interface ExchangeOptions {
  readonly method: 'GET' | 'POST'
  readonly agent: PlainAgent | SecureAgent | false
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** One HTTP exchange by node:http. Rejects with Unanswered. */
function exchange(
  url: URL,
  { signal, headers, ...options }: ExchangeOptions,
  timeoutMs: number,
  body = '',
): Promise<{ text: string; isDraining: boolean }> {
  return new Promise((resolve, reject) => {
    let wasSent = false
    const fail = (error: unknown) => {
      clearTimeout(timer)
      reject(new Unanswered(messageOf(error), { wasSent, isFault: !signal?.aborted }))
    }
    const receive = (incoming: IncomingMessage) => {
      let text = ''
      incoming.setEncoding('utf8')
      incoming.on('data', (piece: string) => {
        text += piece
      })
      incoming.on('error', fail)
      incoming.on('end', () => {
        clearTimeout(timer)
        resolve({ text, isDraining: incoming.headers[DRAINING_HEADER] !== undefined })
      })
    }
    const outgoing = (url.protocol === 'https:' ? secureRequest : plainRequest)(
      url,
      {
        ...options,
        headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        ...(signal ? { signal } : {}),
      },
      receive,
    )
    const timer = setTimeout(
      () => outgoing.destroy(new Error(`no answer within ${Math.round(timeoutMs)} ms`)),
      timeoutMs,
    )
    outgoing.on('error', fail)
    outgoing.on('socket', (socket) => {
      wasSent = !socket.connecting
      if (socket.connecting)
        socket.once('connect', () => {
          wasSent = true
        })
    })
    outgoing.end(body)
  })
}
