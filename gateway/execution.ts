import { createSourceEventStream, type DocumentNode, type ExecutionResult, execute, type GraphQLSchema } from 'graphql'
import type { Subgraph } from '../platform/request.ts'
import { maskErrors, toClientError } from './client-error.ts'
import { EventStream, isAsyncIterable } from './event-stream.ts'
import type { Operation } from './operation.ts'

/** What is executed, of a client's operation or of a plan's step. */
export interface Asked {
  readonly document: DocumentNode
  readonly variables?: Record<string, unknown>
  readonly operationName?: string
}

/** A schema with the context of its resolvers: a subgraph, or all of a process as one. */
export interface Executable {
  readonly name?: string
  readonly schema: GraphQLSchema
  contextIn(operation: Operation): object
}

export function executableOf(subgraph: Subgraph): Executable {
  const { name, schema } = subgraph
  return { name, schema, contextIn: (operation) => operation.contextOf(subgraph) }
}

/** Runs a query, a mutation or (with its payload) one event of a subscription; errors come back masked. */
export function executeIn(
  executable: Executable,
  asked: Asked,
  operation: Operation,
  payload?: unknown,
): ExecutionResult | Promise<ExecutionResult> {
  const site = siteOf(executable, operation)
  try {
    const result = execute({ ...executionOf(executable, asked, operation), rootValue: payload })
    return result instanceof Promise ? result.then((done) => maskErrors(done, site)) : maskErrors(result, site)
  } catch (error) {
    return { errors: [toClientError(error, site)] }
  }
}

/** Subscribes. Each event is executed with a context of its own; the end of the source is the end of the stream. */
export async function subscribeIn(
  executable: Executable,
  asked: Asked,
  operation: Operation,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  const site = siteOf(executable, operation)
  try {
    const source = await createSourceEventStream(executionOf(executable, asked, operation))
    if (!isAsyncIterable<unknown>(source)) return maskErrors(source, site)
    const run = async (payload: unknown) => {
      await operation.nextEvent()
      return executeIn(executable, asked, operation, payload)
    }
    return new EventStream(eventsOf(source, run, (error) => ({ errors: [toClientError(error, site)] })))
  } catch (error) {
    return { errors: [toClientError(error, site)] }
  }
}

/** An iterator that throws loses its message on the way to the client: a failure becomes the last event instead. */
function eventsOf(
  source: AsyncIterable<unknown>,
  run: (payload: unknown) => Promise<ExecutionResult>,
  failed: (error: unknown) => ExecutionResult,
): AsyncIterable<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]()
  const stop = async () => void (await iterator.return?.())
  let hasFailed = false
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        if (hasFailed) return { done: true, value: undefined }
        try {
          const { done, value } = await iterator.next()
          return done ? { done: true, value: undefined } : { done: false, value: await run(value) }
        } catch (error) {
          hasFailed = true
          stop().catch(() => {}) // it has failed already
          return { done: false, value: failed(error) }
        }
      },
      async return() {
        await stop()
        return { done: true, value: undefined }
      },
    }),
  }
}

function siteOf({ name }: Executable, { request }: Operation) {
  return { request, ...(name ? { subgraph: name } : {}) }
}

function executionOf({ schema, contextIn }: Executable, asked: Asked, operation: Operation) {
  return {
    schema,
    document: asked.document,
    variableValues: asked.variables,
    operationName: asked.operationName,
    contextValue: contextIn(operation),
  }
}
