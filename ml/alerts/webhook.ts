import { createHmac } from 'node:crypto'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { z } from 'zod'
import { type AnyJobKind, defineJob } from '../../jobs/kind.ts'
import { publicLookup, requirePublicUrl } from '../../platform/addresses.ts'
import type { Database } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import { type AlertEvent, findAlertEvent } from './store.ts'

export const WEBHOOK_JOB = 'alert-webhook'

/** Where alerts are told. It comes from the configuration alone: no viewer can name an address. */
export interface Webhook {
  readonly url: string
  /** Signs what is sent. */
  readonly secret: string
  /** Whether an address outside the open internet is meant. */
  readonly isPrivate?: boolean
}

const TIMEOUT_MS = 10_000

const input = z.object({ sequence: z.string().regex(/^\d{1,18}$/) })

/** Tells one alert event to the webhook; tries for about an hour. */
export function webhookJob({
  database,
  webhook,
}: {
  readonly database: Database
  readonly webhook: Webhook | null
}): AnyJobKind {
  return defineJob({
    name: WEBHOOK_JOB,
    input,
    retry: { attempts: 10, delayMs: 1000, maxDelayMs: 600_000 },
    timeoutMs: 30_000,
    async run(context, { sequence }) {
      if (!webhook) return { sent: false }
      const event = await findAlertEvent(database, sequence)
      if (!event) return { sent: false } // forgotten with its alert
      const status = await sendWebhook(webhook, event, context.signal)
      return { sent: true, status }
    },
  })
}

/** HMAC-SHA256 of "timestamp.body", in hex: the receiver computes the same, and refuses old timestamps. */
export function signatureOf(secret: string, timestamp: string, body: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}

/**
 * Posts an event and resolves with the status, 2xx. A redirect is not followed: it would lead past the check of the address. Throws
 * UNAVAILABLE where another try may help, WEBHOOK_REFUSED and ADDRESS_REFUSED where not.
 */
export async function sendWebhook(webhook: Webhook, event: AlertEvent, signal?: AbortSignal): Promise<number> {
  const url = new URL(webhook.url)
  if (!webhook.isPrivate) requirePublicUrl(url)
  const body = JSON.stringify({ sequence: String(event.sequence), type: event.type, at: event.at, alert: event.data })
  const timestamp = String(Math.floor(Date.now() / 1000))
  const status = await post(url, body, webhook, signal, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'user-agent': 'inkling',
    'idempotency-key': `inkling-alert-${event.sequence}`,
    'x-inkling-timestamp': timestamp,
    'x-inkling-signature': `sha256=${signatureOf(webhook.secret, timestamp, body)}`,
  })
  if (status >= 200 && status < 300) return status
  const message = `The webhook at ${url.host} answered ${status}.`
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429
  throw mayPass
    ? new InklingError('UNAVAILABLE', message, 'It is tried again.')
    : new InklingError('WEBHOOK_REFUSED', message, 'Correct INKLING_ALERT_WEBHOOK; redirects are not followed.')
}

function post(
  url: URL,
  body: string,
  { isPrivate }: Webhook,
  signal: AbortSignal | undefined,
  headers: Record<string, string>,
): Promise<number> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  const timeout = AbortSignal.timeout(TIMEOUT_MS)
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers,
      agent: false,
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      ...(isPrivate ? {} : { lookup: publicLookup() }),
    })
    sent.on('response', (response) => {
      response.destroy() // the status says it all
      resolve(response.statusCode ?? 0)
    })
    sent.on('error', (cause) => {
      if (cause instanceof InklingError) return reject(cause)
      reject(
        new InklingError(
          'UNAVAILABLE',
          `The webhook at ${url.host} did not answer: ${cause.message}`,
          'It is tried again.',
          {
            cause,
          },
        ),
      )
    })
    sent.end(body)
  })
}
