import { type InklingError, isInklingError, messageOf } from '../../platform/errors.ts'
import type { Exchange } from '../../platform/exchange.ts'

interface Fault {
  readonly status: number
  readonly type: string
}

/** Statuses and types that existing clients know. Whatever is not named is our fault and says nothing. */
const faults: Readonly<Record<string, Fault>> = {
  BAD_USER_INPUT: { status: 400, type: 'invalid_request_error' },
  BAD_REQUEST: { status: 400, type: 'invalid_request_error' },
  BODY_TOO_LARGE: { status: 413, type: 'invalid_request_error' },
  UNSUPPORTED_ENCODING: { status: 415, type: 'invalid_request_error' },
  METHOD_NOT_ALLOWED: { status: 405, type: 'invalid_request_error' },
  LLM_NO_TARGET: { status: 400, type: 'invalid_request_error' },
  LLM_REQUEST_REJECTED: { status: 400, type: 'invalid_request_error' },
  SECRET_IN_PROMPT: { status: 400, type: 'invalid_request_error' },
  UNAUTHENTICATED: { status: 401, type: 'authentication_error' },
  FORBIDDEN: { status: 403, type: 'permission_error' },
  NOT_FOUND: { status: 404, type: 'invalid_request_error' },
  COMPLETION_STATE: { status: 409, type: 'invalid_request_error' },
  COMPLETION_LOST: { status: 409, type: 'invalid_request_error' },
  COMPLETION_ELSEWHERE: { status: 409, type: 'invalid_request_error' },
  BUDGET_EXCEEDED: { status: 402, type: 'insufficient_quota' },
  RATE_LIMITED: { status: 429, type: 'rate_limit_error' },
  LLM_OVERLOADED: { status: 503, type: 'server_error' },
  LLM_UNAVAILABLE: { status: 503, type: 'server_error' },
  UNAVAILABLE: { status: 503, type: 'server_error' },
  DATABASE_UNAVAILABLE: { status: 503, type: 'server_error' },
  DEADLINE_EXCEEDED: { status: 504, type: 'server_error' },
  INCOMPLETE: { status: 502, type: 'server_error' },
}

/** An error in the form that existing clients read. */
export interface FaultBody {
  readonly error: {
    readonly message: string
    readonly type: string
    readonly param: null
    readonly code: string
  }
}

export function faultOf({
  code,
  message,
  hint,
}: Pick<InklingError, 'code' | 'message' | 'hint'> | { code: string; message: string; hint?: string }): {
  status: number
  body: FaultBody
} {
  const fault = faults[code]
  if (!fault)
    return {
      status: 500,
      body: { error: { message: 'Something went wrong.', type: 'server_error', param: null, code: 'INTERNAL' } },
    }
  return {
    status: fault.status,
    body: { error: { message: hint ? `${message} ${hint}` : message, type: fault.type, param: null, code } },
  }
}

/** Answers whatever was thrown; what is not meant for the client is logged instead. */
export function sendFault({ request, response, log, requestId }: Exchange, error: unknown): void {
  const known = isInklingError(error) ? error : codedOf(error)
  const { status, body } = faultOf(known ?? { code: 'INTERNAL', message: '' })
  if (status === 500) log.error({ event: 'request failed', requestId, error: messageOf(error) })
  if (!request.complete) response.setHeader('connection', 'close')
  sendJson(response, status, body)
}

export function sendJson(response: Exchange['response'], status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** The errors of the edge carry their code in their extensions. */
function codedOf(error: unknown): { code: string; message: string } | null {
  const extensions = (error as { extensions?: { code?: unknown } } | null)?.extensions
  if (!(error instanceof Error) || typeof extensions?.code !== 'string') return null
  return { code: extensions.code, message: error.message }
}
