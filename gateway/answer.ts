import type { ExecutionResult } from 'graphql'
import { ClientError } from './client-error.ts'

/** Equal errors count once, with how many there were; at most `most` are returned. */
export function foldErrors(errors: readonly ClientError[], most: number): ClientError[] {
  const groups = new Map<string, { first: ClientError; count: number }>()
  for (const error of errors) {
    const key = `${error.extensions.code}\n${error.message}`
    const group = groups.get(key)
    if (group) group.count++
    else groups.set(key, { first: error, count: 1 })
  }
  return [...groups.values()]
    .slice(0, most)
    .map(({ first, count }) =>
      count === 1 ? first : new ClientError(first.message, { ...first.extensions, count }, first.path),
    )
}

/** Statuses of refused requests by code; whatever is not named is the client's fault, 400. */
const statuses: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  NOT_ACCEPTABLE: 406,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_ENCODING: 415,
  MISDIRECTED: 421,
  RATE_LIMITED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
  DATABASE_UNAVAILABLE: 503,
}

/** Faults of well-formed requests: the media type application/json answers them with 200, by the GraphQL over HTTP specification. */
const wellFormed = new Set(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED', 'BAD_USER_INPUT'])

/** The HTTP status of a result: 200 as soon as there is data, else what the first error's code says. */
export function statusOf(result: ExecutionResult, isLegacyJson: boolean): number {
  if ('data' in result || !result.errors?.length) return 200
  const code = String(result.errors[0]?.extensions.code)
  return isLegacyJson && wellFormed.has(code) ? 200 : (statuses[code] ?? 400)
}
