import { type ExecutionResult, GraphQLError, type GraphQLErrorExtensions } from 'graphql'
import { isInklingError } from '../platform/errors.ts'
import type { RequestContext } from '../platform/request.ts'

/**
 * An error as the client may see it: message, code, hint and path, and no cause. It has locations only where they point into
 * what the client wrote (`at`), not into the document of a subgraph.
 */
export class ClientError extends GraphQLError {
  constructor(
    message: string,
    extensions: GraphQLErrorExtensions,
    path?: readonly (string | number)[],
    at?: Pick<GraphQLError, 'nodes' | 'source' | 'positions'>,
  ) {
    super(message, {
      extensions,
      path: path ?? null,
      nodes: at?.nodes ?? null,
      source: at?.source ?? null,
      positions: at?.positions ?? null,
    })
  }
}

/** What masking needs to know about where an error was caught. */
export interface ErrorSite {
  readonly request: Pick<RequestContext, 'requestId' | 'log'>
  readonly subgraph?: string
}

/** Codes whose messages are not written for the client. */
const unspeakable = new Set(['INTERNAL', 'INTERNAL_SERVER_ERROR', 'DOWNSTREAM_SERVICE_ERROR'])
/** Codes of graphql-js and Apollo for what the client wrote wrongly; one name at this edge, whoever noticed. */
const renamed: Readonly<Record<string, string>> = { GRAPHQL_VALIDATION_FAILED: 'BAD_USER_INPUT' }

/**
 * Masks every error of a result: InklingErrors and GraphQLErrors that carry a code pass with code and hint; anything else
 * becomes "Something went wrong (request <id>)" with the code INTERNAL and is logged with its cause.
 */
export function maskErrors<Result extends ExecutionResult>(result: Result, site: ErrorSite): Result {
  if (!result.errors?.length) return result
  return { ...result, errors: result.errors.map((error) => toClientError(error, site)) }
}

export function toClientError(error: unknown, site: ErrorSite): ClientError {
  const path = error instanceof GraphQLError ? error.path : undefined
  const chain = causesOf(error)
  const known = chain.find((cause) => cause instanceof ClientError)
  if (known) {
    const { http: _forTheRuntime, ...extensions } = known.extensions
    return new ClientError(known.message, extensions, path ?? known.path, known)
  }
  const raised = chain.find(isInklingError)
  if (raised) {
    const { message, code, hint, retryable, retryAfterMs } = raised
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
    return new ClientError(message, { code, hint, retryable, ...wait }, path)
  }
  const coded = chain.find(isSpeakable)
  if (coded) {
    const { code, hint } = coded.extensions
    const shown = renamed[String(code)] ?? code
    return new ClientError(coded.message, { code: shown, ...(typeof hint === 'string' ? { hint } : {}) }, path)
  }
  if (isClientFault(chain)) return new ClientError((error as GraphQLError).message, { code: 'BAD_USER_INPUT' }, path)
  const { requestId, log } = site.request
  log.error({
    event: 'unexpected error was masked',
    requestId,
    subgraph: site.subgraph,
    path: path?.join('.'),
    err: chain.at(-1),
  })
  return new ClientError(`Something went wrong (request ${requestId})`, { code: 'INTERNAL', requestId }, path)
}

function isSpeakable(cause: unknown): cause is GraphQLError {
  if (!(cause instanceof GraphQLError)) return false
  const { code } = cause.extensions
  return typeof code === 'string' && !unspeakable.has(code)
}

/** graphql-js' own complaints about a query, its variables or its arguments; all of them point at something the client wrote. */
function isClientFault(chain: readonly unknown[]): boolean {
  if (!chain.every((cause) => cause instanceof GraphQLError)) return false
  const [outermost, root] = [chain[0], chain.at(-1)]
  // A value that cannot be serialised is raised without a node of its own: that is the server's fault.
  return outermost?.path === undefined || (root?.nodes !== undefined && root.nodes.length > 0 && root !== outermost)
}

function causesOf(error: unknown): unknown[] {
  const chain: unknown[] = []
  for (let cause = error; cause && chain.length < 8; ) {
    chain.push(cause)
    cause = cause instanceof GraphQLError ? cause.originalError : undefined
  }
  return chain
}
