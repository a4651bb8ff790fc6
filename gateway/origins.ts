import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopback } from '../platform/authentication.ts'
import { ClientError } from './client-error.ts'

const ALLOWED_HEADERS = 'authorization, content-type, apollo-require-preflight, x-apollo-operation-name, x-request-id'
const EXPOSED_HEADERS = 'x-request-id, retry-after'

/** Which pages may ask this server, and by which names it may be called. */
export interface Origins {
  isOriginAllowed(origin: string, host: string | undefined): boolean
  isHostAllowed(host: string | undefined): boolean
  /**
   * Refuses a request that was meant for another server or comes from a page of another origin, and tells browsers what
   * allowed pages may do. Returns whether the request was a browser's preflight and is answered. Throws FORBIDDEN.
   */
  admit(request: IncomingMessage, response: ServerResponse): boolean
}

export interface OriginOptions {
  /** Origins allowed besides the server's own. */
  readonly origins: readonly string[]
  /** Answers only to names of this machine: any other name that leads here is a page's trick (DNS rebinding). */
  readonly loopbackOnly: boolean
}

export function createOrigins({ origins, loopbackOnly }: OriginOptions): Origins {
  const isOriginAllowed = (origin: string, host: string | undefined) =>
    origin === `http://${host}` || origin === `https://${host}` || origins.includes(origin)
  const isHostAllowed = (host: string | undefined) =>
    !loopbackOnly || (host !== undefined && isLoopback(host.replace(/:\d+$/, '')))
  return {
    isOriginAllowed,
    isHostAllowed,
    admit(request, response) {
      const { origin, host } = request.headers
      if (!isHostAllowed(host)) {
        throw new ClientError('This server answers to names of this machine alone.', { code: 'MISDIRECTED' })
      }
      if (origin === undefined) return false
      response.setHeader('vary', 'origin')
      if (!isOriginAllowed(origin, host)) {
        throw new ClientError('Pages of this origin may not ask here.', { code: 'FORBIDDEN' })
      }
      response.setHeader('access-control-allow-origin', origin)
      response.setHeader('access-control-expose-headers', EXPOSED_HEADERS)
      if (request.method !== 'OPTIONS') return false
      response.writeHead(204, {
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': ALLOWED_HEADERS,
        'access-control-max-age': '600',
      })
      response.end()
      return true
    },
  }
}
