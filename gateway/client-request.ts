import { randomUUID } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { ClientError } from './client-error.ts'

/** Who sent an operation, as far as the wire tells: authenticate from this. */
export interface ClientRequest {
  readonly transport: 'http' | 'websocket'
  /** Lower-case names. On a WebSocket the handshake's headers with the string values of connectionParams laid over them. */
  readonly headers: Readonly<Record<string, string>>
  readonly requestId: string
}

/** One GraphQL request as it came. */
export interface GraphQLParams {
  /** Empty where the document is named by its id. */
  readonly query: string
  /** SHA-256 of a document that the server holds. */
  readonly documentId?: string
  readonly variables?: Record<string, unknown> | null
  readonly operationName?: string | null
  readonly extensions?: Record<string, unknown> | null
}

const REQUEST_ID = /^[\w.-]{1,64}$/

/** Reads the identity of an HTTP request; a request id is taken over when it looks like one. */
export function clientOf(
  transport: ClientRequest['transport'],
  headers: IncomingHttpHeaders,
  connectionParams: Readonly<Record<string, unknown>> = {},
): ClientRequest {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value
  }
  for (const [name, value] of Object.entries(connectionParams)) {
    if (typeof value === 'string') flat[name.toLowerCase()] = value
  }
  const given = flat['x-request-id']
  return { transport, headers: flat, requestId: given && REQUEST_ID.test(given) ? given : randomUUID() }
}

/** Checks that something is a GraphQL request whose values can be stored and walked. Throws BAD_REQUEST or BAD_USER_INPUT as a ClientError. */
export function readParams(body: unknown, variableDepth: number): GraphQLParams {
  if (Array.isArray(body)) throw badRequest('Send one operation at a time, not an array.')
  if (!isObject(body)) throw badRequest('The body must be a JSON object with "query".')
  const { variables, operationName, extensions } = body
  const documentId = documentIdOf(body)
  const query = body.query ?? (documentId ? '' : undefined)
  if (typeof query !== 'string') throw badRequest('"query" must be a string.')
  if (!isOptional(operationName, (value) => typeof value === 'string'))
    throw badRequest('"operationName" must be a string.')
  if (!isOptional(variables, isObject)) throw badRequest('"variables" must be an object.')
  if (!isOptional(extensions, isObject)) throw badRequest('"extensions" must be an object.')
  if (!isStorable(query) || /\\u(0000|\{0+\})/.test(query)) throw unstorable()
  checkValue(variables, variableDepth)
  return {
    query,
    ...(documentId ? { documentId } : {}),
    ...(variables ? { variables: variables as Record<string, unknown> } : {}),
    ...(operationName ? { operationName: operationName as string } : {}),
    ...(extensions ? { extensions: extensions as Record<string, unknown> } : {}),
  }
}

/** By the name of the GraphQL over HTTP draft, or as Apollo's clients send it. */
function documentIdOf({ documentId, extensions }: Record<string, unknown>): string | null {
  const persisted = isObject(extensions) && isObject(extensions.persistedQuery) ? extensions.persistedQuery : {}
  const id = documentId ?? persisted.sha256Hash
  return typeof id === 'string' ? id.replace(/^sha256:/, '') : null
}

export function badRequest(message: string): ClientError {
  return new ClientError(message, { code: 'BAD_REQUEST' })
}

/** PostgreSQL text holds neither NUL nor half a character: better said here than by the database. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0')
}

function unstorable(): ClientError {
  return new ClientError('Text must be well-formed Unicode without NUL.', { code: 'BAD_USER_INPUT' })
}

function checkValue(value: unknown, depth: number): void {
  if (typeof value === 'string') {
    if (!isStorable(value)) throw unstorable()
  } else if (typeof value === 'object' && value !== null) {
    if (depth === 0) throw new ClientError('The variables nest too deeply.', { code: 'OPERATION_LIMIT' })
    for (const [key, inner] of Object.entries(value)) {
      if (!isStorable(key)) throw unstorable()
      checkValue(inner, depth - 1)
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isOptional(value: unknown, isRight: (value: unknown) => boolean): boolean {
  return value === undefined || value === null || isRight(value)
}
