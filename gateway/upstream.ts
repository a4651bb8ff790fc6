import { type DocumentNode, type ExecutionResult, print } from 'graphql'
import { InklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { ClientError } from './client-error.ts'
import type { Instance } from './instance.ts'
import type { Operation } from './operation.ts'
import type { SubgraphCall } from './transport.ts'

/** A subgraph elsewhere. */
export interface Target {
  readonly name: string
  readonly secret: string
  readonly timeoutMs: number
  readonly log: Log
  /** Those that serve, each once, beginning with whose turn it is. */
  inTurn(): Instance[]
}

/** A plan's documents live as long as the plan: each is printed once. */
const printed = new WeakMap<DocumentNode, string>()

export function paramsOf(call: SubgraphCall) {
  let query = printed.get(call.document)
  if (query === undefined) {
    query = print(call.document)
    printed.set(call.document, query)
  }
  return {
    query,
    ...(call.variables ? { variables: call.variables } : {}),
    ...(call.operationName ? { operationName: call.operationName } : {}),
  }
}

/** A subgraph masks its own errors: what it says may be passed on. */
export function trusted(result: ExecutionResult): ExecutionResult {
  if (!result.errors?.length) return result
  return {
    ...result,
    errors: result.errors.map(
      ({ message, extensions, path }) =>
        new ClientError(message, { ...extensions, code: extensions?.code ?? 'INTERNAL' }, path),
    ),
  }
}

/** `failure`: why the last process that was asked did not answer; null when none was there to ask. */
export function unavailable(target: Target, operation: Operation, failure: unknown): ClientError {
  if (!operation.signal.aborted) {
    const { requestId, log } = operation.request
    const reason = failure === null ? 'none of its processes answers' : messageOf(failure)
    log[failure === null ? 'debug' : 'error']({
      event: 'subgraph could not be reached',
      requestId,
      subgraph: target.name,
      reason,
    })
  }
  const { message, code, hint, retryable } = new InklingError(
    'UNAVAILABLE',
    `The subgraph "${target.name}" did not answer.`,
    'Other parts of the answer hold; ask again for this one.',
  )
  return new ClientError(message, { code, hint, retryable })
}
