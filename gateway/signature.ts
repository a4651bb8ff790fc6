import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RequestContext } from '../platform/request.ts'

/** How long a signed request may be under way, in milliseconds; clocks of two machines differ by less. */
const WINDOW_MS = 60_000

/** What the gateway vouches for when it calls a subgraph; the token of the client travels beside it and is verified again. */
export interface Voucher {
  readonly requestId: string
  readonly now: Date
  readonly instant: Date
  /** Whether the limits of the scope `bulk` hold: its viewer has it, or the document is trusted. */
  readonly isBulk: boolean
}

const names = {
  requestId: 'x-request-id',
  now: 'x-inkling-now',
  instant: 'x-inkling-instant',
  limits: 'x-inkling-limits',
  sentAt: 'x-inkling-sent-at',
  signature: 'x-inkling-signature',
} as const

/** The headers of a call to a subgraph: the client's token, the request's moment, and an HMAC-SHA256 over all of it and the body. */
export function signedHeaders(
  request: Pick<RequestContext, 'requestId' | 'now' | 'instant'> & Partial<Pick<RequestContext, 'viewer'>>,
  authorization: string | undefined,
  body: string,
  secret: string,
): Record<string, string> {
  const headers: Record<string, string> = {
    [names.requestId]: request.requestId,
    [names.now]: request.now.toISOString(),
    [names.instant]: request.instant.toISOString(),
    [names.limits]: request.viewer?.scopes.includes('bulk') ? 'bulk' : 'plain',
    [names.sentAt]: String(Date.now()),
    ...(authorization ? { authorization } : {}),
  }
  return { ...headers, [names.signature]: sign(headers, body, secret).toString('base64url') }
}

/** What the headers vouch for; null when the signature is missing, wrong, of another body, or older than a minute. */
export function verifiedVoucher(
  headers: Readonly<Record<string, unknown>>,
  body: string,
  secret: string,
  at: number = Date.now(),
): Voucher | null {
  const given = Buffer.from(String(headers[names.signature] ?? ''), 'base64url')
  const expected = sign(headers, body, secret)
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
  if (Math.abs(at - Number(headers[names.sentAt])) > WINDOW_MS) return null
  return {
    requestId: String(headers[names.requestId]),
    now: new Date(String(headers[names.now])),
    instant: new Date(String(headers[names.instant])),
    isBulk: headers[names.limits] === 'bulk',
  }
}

function sign(headers: Readonly<Record<string, unknown>>, body: string, secret: string): Buffer {
  const said = [names.sentAt, names.requestId, names.now, names.instant, names.limits, 'authorization'].map((name) =>
    JSON.stringify(headers[name] ?? null),
  )
  return createHmac('sha256', secret)
    .update(`${said.join('\n')}\n${body}`)
    .digest()
}
