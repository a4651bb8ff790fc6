// The one way bytes leave for a provider: node:http, because it connects to the address that was judged (fetch looks names up by
// itself), and costs less before the first byte. Redirects are not followed, replies are bounded.
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { type Lookup, publicLookup, requirePublicUrl } from '../../platform/addresses.ts'
import { isInklingError, messageOf } from '../../platform/errors.ts'
import { ProviderError } from '../provider.ts'

/** What no answer of an LLM comes near: 16 MiB. */
const MOST_BYTES = 16 * 1024 * 1024

export interface WireOptions {
  /** Whether loopback and private addresses may be called: true only where the configuration says `local: true`. */
  readonly isLocal: boolean
  readonly mostBytes?: number
  readonly lookup?: Lookup
}

export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

export interface Wire {
  readonly fetch: Fetch
  /** Ends idle connections. */
  close(): void
}

export function createWire({ isLocal, mostBytes = MOST_BYTES, lookup }: WireOptions): Wire {
  const connection = { keepAlive: true, timeout: 60_000, ...(isLocal ? {} : { lookup: publicLookup(lookup) }) }
  const http = new HttpAgent(connection)
  const https = new HttpsAgent(connection)

  const fetch: Fetch = (input, init = {}) =>
    new Promise((resolve, reject) => {
      const url = new URL(input instanceof Request ? input.url : input)
      const signal = init.signal ?? null
      if (!isLocal) requirePublic(url)
      signal?.throwIfAborted()
      const isSecure = url.protocol === 'https:'
      const request = (isSecure ? requestHttps : requestHttp)(url, {
        agent: isSecure ? https : http,
        method: init.method ?? 'GET',
        headers: { ...Object.fromEntries(new Headers(init.headers)), 'accept-encoding': 'identity' },
      })
      const abort = () => request.destroy(signal!.reason)
      signal?.addEventListener('abort', abort, { once: true })
      request.on('close', () => signal?.removeEventListener('abort', abort))
      request.on('error', (error) => reject(signal?.aborted ? signal.reason : unreachable(url, error)))
      request.on('response', (response) => {
        const status = response.statusCode ?? 0
        if (status >= 300 && status < 400 && status !== 304) {
          request.destroy()
          return reject(
            new ProviderError('ADDRESS_REFUSED', `${url.host} redirects, which is not followed.`, { status }),
          )
        }
        const headers = new Headers()
        for (const [name, value] of Object.entries(response.headers))
          if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
        const hasBody = status !== 204 && status !== 304
        resolve(new Response(hasBody ? bodyOf(response, mostBytes, signal) : null, { status, headers }))
      })
      request.end(typeof init.body === 'string' || init.body instanceof Uint8Array ? init.body : undefined)
    })

  return {
    fetch,
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

/** The reply's bytes, as they come and not faster than they are read. Breaks off beyond so many bytes. */
function bodyOf(response: IncomingMessage, mostBytes: number, signal: AbortSignal | null): ReadableStream<Uint8Array> {
  let bytes = 0
  let isOver = false
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (error: unknown) => {
          if (isOver) return
          isOver = true
          controller.error(error)
          response.destroy()
        }
        response.on('data', (part: Buffer) => {
          if (isOver) return
          bytes += part.length
          if (bytes > mostBytes)
            return fail(new ProviderError('TOO_LARGE', `The reply is longer than ${mostBytes} bytes.`))
          controller.enqueue(part)
          if ((controller.desiredSize ?? 0) <= 0) response.pause()
        })
        response.on('end', () => {
          if (isOver) return
          isOver = true
          controller.close()
        })
        response.on('error', (error) =>
          fail(
            signal?.aborted
              ? signal.reason
              : new ProviderError('TRUNCATED', `The connection broke: ${messageOf(error)}`),
          ),
        )
        response.on('close', () =>
          fail(new ProviderError('TRUNCATED', 'The connection broke in the middle of the answer.')),
        )
        response.pause()
      },
      pull: () => void response.resume(),
      cancel() {
        isOver = true
        response.destroy()
      },
    },
    { highWaterMark: 16 },
  )
}

function requirePublic(url: URL): void {
  try {
    requirePublicUrl(url)
  } catch (error) {
    throw unreachable(url, error)
  }
}

function unreachable(url: URL, error: unknown): ProviderError {
  if (isInklingError(error)) return new ProviderError('ADDRESS_REFUSED', error.message, { cause: error })
  return new ProviderError('UNREACHABLE', `${url.host} cannot be reached: ${messageOf(error)}`, { cause: error })
}
