import { type ExecutionResult, GraphQLError } from 'graphql'
import { isInklingError } from '../platform/errors.ts'
import { toClientError } from './client-error.ts'
import { EventStream } from './event-stream.ts'
import type { Instance } from './instance.ts'
import type { Operation } from './operation.ts'
import { signedHeaders } from './signature.ts'
import { operationOf, type SubgraphAnswer, type SubgraphCall } from './transport.ts'
import { paramsOf, type Target, trusted, unavailable } from './upstream.ts'

type Events = AsyncIterableIterator<ExecutionResult>

/** One attempt to subscribe at one process. */
interface Attempt {
  readonly instance: Instance
  readonly events: Events
  /** How often the socket had been connected before, or null when it was at that moment. */
  readonly connections: number | null
}

/**
 * Subscribes at the first process that takes the subscription: one that was never reached, or that is about to end, has begun
 * nothing. A stream that is lost later ends with a typed error; its reader resumes with the cursor.
 */
export function subscribeAt(target: Target, call: SubgraphCall): SubgraphAnswer {
  const operation = operationOf(call)
  const waiting = target.inTurn()
  let attempt = next()
  let hasBegun = false
  let hasFailed = false

  function next(): Attempt | null {
    const instance = waiting.shift()
    if (!instance) return null
    const connections = instance.isConnected() ? null : instance.connections()
    return { instance, connections, events: subscribe(target, instance, call, operation) }
  }
  async function take(): Promise<IteratorResult<ExecutionResult>> {
    if (!attempt) return failed([unavailable(target, operation, null)])
    try {
      const { done, value } = await attempt.events.next()
      if (done) return { done: true, value: undefined }
      hasBegun = true
      await operation.nextEvent()
      return { done: false, value: trusted(value) }
    } catch (error) {
      attempt.events.return?.(undefined).catch(() => {}) // it has failed already
      if (!hasBegun && !operation.signal.aborted && waiting.length > 0 && hasNotStarted(attempt, error)) {
        attempt = next()
        return take()
      }
      if (Array.isArray(error)) return failed(trusted({ errors: error }).errors ?? [])
      if (isInklingError(error)) return failed([toClientError(error, operation)]) // the viewer may not go on
      return failed([error instanceof GraphQLError ? error : unavailable(target, operation, error)])
    }
  }
  function failed(errors: readonly GraphQLError[]): IteratorResult<ExecutionResult> {
    hasFailed = true
    return { done: false, value: { errors } }
  }
  return new EventStream<ExecutionResult>({
    [Symbol.asyncIterator]: () => ({
      next: () => (hasFailed ? Promise.resolve({ done: true, value: undefined }) : take()),
      async return() {
        await attempt?.events.return?.(undefined)
        return { done: true, value: undefined }
      },
    }),
  })
}

function subscribe(target: Target, instance: Instance, call: SubgraphCall, operation: Operation): Events {
  const params = paramsOf(call)
  const body = JSON.stringify(params)
  const headers = signedHeaders(operation.request, operation.authorization, body, target.secret)
  return instance.socket.iterate({ ...params, extensions: { headers } }) as Events
}

/** The socket was not connected from first to last, or the process said that it takes nothing more. */
function hasNotStarted({ instance, connections }: Attempt, error: unknown): boolean {
  if (Array.isArray(error)) return error[0]?.extensions?.code === 'UNAVAILABLE'
  return connections !== null && instance.connections() === connections
}
