// The one way bytes leave for a provider: node:http, because it connects to the address that was judged (fetch looks names up by
// itself), and costs less before the first byte. Redirects are not followed, replies are bounded.
import { Agent as HttpAgent, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { type Lookup, publicLookup, requirePublicUrl } from '../../platform/addresses.ts'
import { isInklingError, messageOf } from '../../platform/errors.ts'
import { createPace, type Pace } from '../pace.ts'
import { ProviderError } from '../provider.ts'
import { bodyOf } from './body.ts'
import { Bypass } from './bypass.ts'

/** What no answer of an LLM comes near: 16 MiB. */
const MOST_BYTES = 16 * 1024 * 1024

export interface WireOptions {
  /** Whether loopback and private addresses may be called: true only where the configuration says `local: true`. */
  readonly isLocal: boolean
  readonly mostBytes?: number
  readonly lookup?: Lookup
  /** How often the stream of an answer is looked at. */
  readonly pace?: Pace
}

export type Fetch = (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>

export interface Wire {
  readonly fetch: Fetch
  /** Text of the reply to the call with this signal comes this way, where it can. */
  bypass(signal: AbortSignal): Bypass
  /** Ends idle connections. */
  close(): void
}

export function createWire({ isLocal, mostBytes = MOST_BYTES, lookup, pace = createPace() }: WireOptions): Wire {
  const connection = {
    keepAlive: true,
    timeout: 60_000,
    // A reply that is paused leaves what comes in the kernel, to be read at once, rather than piece by piece into a buffer here.
    readableHighWaterMark: 1,
    ...(isLocal ? {} : { lookup: publicLookup(lookup) }),
  }
  const http = new HttpAgent(connection)
  const https = new HttpsAgent(connection)
  const bypasses = new WeakMap<AbortSignal, Bypass>()

  const send: Fetch = (input, init = {}) =>
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
        const bypass = signal ? bypasses.get(signal) : undefined
        const body = hasBody ? bodyOf(response, { mostBytes, signal, joinMs: pace.joinMs, bypass }) : null
        resolve(new Response(body, { status, headers }))
      })
      request.end(typeof init.body === 'string' || init.body instanceof Uint8Array ? init.body : undefined)
    })

  return {
    bypass(signal) {
      const bypass = new Bypass()
      bypasses.set(signal, bypass)
      return bypass
    },
    fetch: async (input, init = {}) =>
      send(input, init.body instanceof FormData ? { ...init, ...(await packed(init.body, init.headers)) } : init),
    close() {
      http.destroy()
      https.destroy()
    },
  }
}

/** A form as bytes, with the header that says where its parts end. */
async function packed(
  form: FormData,
  given: RequestInit['headers'],
): Promise<{ body: Uint8Array<ArrayBuffer>; headers: Headers }> {
  const written = new Response(form)
  const headers = new Headers(given)
  headers.set('content-type', written.headers.get('content-type')!)
  return { body: new Uint8Array(await written.arrayBuffer()), headers }
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
