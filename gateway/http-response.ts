import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { ExecutionResult } from 'graphql'
import { statusOf } from './answer.ts'
import { ClientError } from './client-error.ts'

export type MediaType = 'application/graphql-response+json' | 'application/json' | 'text/event-stream'

const HEARTBEAT_MS = 12_000
const SPOKEN: readonly MediaType[] = ['application/json', 'application/graphql-response+json', 'text/event-stream']

/** The media type to answer with, by the Accept header; null when none of ours is accepted. Absent and `*` mean application/json. */
export function acceptedType(accept: string | undefined): MediaType | null {
  if (!accept?.trim()) return 'application/json'
  const wanted = accept
    .split(',')
    .map((entry) => {
      const [name = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase())
      const quality = parameters.find((parameter) => parameter.startsWith('q='))
      return { name, quality: quality ? Number(quality.slice(2)) : 1 }
    })
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality)
  for (const { name } of wanted) {
    if (name === '*/*' || name === 'application/*') return 'application/json'
    const spoken = SPOKEN.find((type) => type === name || (name === 'text/*' && type.startsWith('text/')))
    if (spoken) return spoken
  }
  return null
}

/** Sends one result as JSON with the status that its errors ask for. */
export function sendResult(response: ServerResponse, result: ExecutionResult, type: MediaType): void {
  const isLegacyJson = type === 'application/json'
  const status = statusOf(result, isLegacyJson)
  if (!response.headersSent) {
    if (status === 405) response.setHeader('allow', 'GET, POST')
    if (status === 401) response.setHeader('www-authenticate', 'Bearer')
    if (status === 429 || status === 503) response.setHeader('retry-after', retryAfter(result))
  }
  sendJson(response, status, result, type === 'text/event-stream' ? 'application/json' : type)
}

/** Whole seconds, as the header wants them. */
function retryAfter({ errors }: ExecutionResult): number {
  const ms = errors?.map(({ extensions }) => extensions.retryAfterMs).find((wait) => typeof wait === 'number')
  return Math.max(1, Math.ceil((ms ?? 1_000) / 1_000))
}

export function sendJson(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text), // without it the body goes out in chunks, a sixth more CPU for a list
    'cache-control': 'no-store',
  })
  response.end(text)
}

/**
 * Sends results as server-sent events in GraphQL over SSE's distinct connections mode: `next` for each, `complete` at the end.
 * A client that does not read pauses the source, and is cut after `slowMs`.
 */
export async function sendEvents(
  response: ServerResponse,
  results: AsyncIterable<ExecutionResult>,
  slowMs: number,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no', // proxies that collect a response before passing it on would hold the events back
  })
  response.write(':\n\n') // some browsers show no response before its first byte
  const heartbeat = setInterval(() => void (response.writableNeedDrain || response.write(':\n\n')), HEARTBEAT_MS)
  try {
    for await (const result of results) {
      if (response.destroyed) return
      const hasRoom = response.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`)
      if (!hasRoom && !(await drained(response, slowMs))) return void response.destroy()
    }
    response.end('event: complete\ndata:\n\n')
  } finally {
    clearInterval(heartbeat)
  }
}

/** Whether the client read on within the time. */
async function drained(response: ServerResponse, slowMs: number): Promise<boolean> {
  if (response.destroyed) return false
  const gone = new AbortController()
  const timer = setTimeout(() => gone.abort(), slowMs)
  const close = () => gone.abort()
  response.once('close', close)
  try {
    await once(response, 'drain', { signal: gone.signal })
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
    response.off('close', close)
  }
}

export function notAcceptable(): ClientError {
  return new ClientError(`Accept one of ${SPOKEN.join(', ')}.`, { code: 'NOT_ACCEPTABLE' })
}
