import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLError,
  type GraphQLSchema,
  validate,
} from 'graphql'
import type { Subgraph } from '../platform/request.ts'
import { maskErrors, toClientError } from './client-error.ts'
import { EventStream, isAsyncIterable } from './event-stream.ts'
import type { Operation } from './operation.ts'
import { operationOf, type SubgraphAnswer, type SubgraphCall, type SubgraphTransport } from './transport.ts'

/**
 * Subgraphs in this process, called as functions. Nothing awaits before `execute`, so that the branches of a plan start in
 * the same tick and their loaders batch across them.
 */
export function localTransport(subgraphs: readonly Subgraph[]): SubgraphTransport {
  return {
    executorOf(name) {
      const subgraph = subgraphs.find((candidate) => candidate.name === name)
      if (!subgraph) throw new Error(`The supergraph names a subgraph "${name}" that is not served here`)
      const findFaults = rememberFaults(subgraph.schema)
      return (call) => {
        const operation = operationOf(call)
        const faults = findFaults(call.document)
        if (faults.length > 0) return maskErrors({ errors: faults }, { request: operation.request, subgraph: name })
        return call.operationType === 'subscription'
          ? subscribeIn(subgraph, call, operation)
          : executeIn(subgraph, call, operation)
      }
    },
    reach: () => subgraphs.map(({ name }) => ({ name, known: 1, well: 1 })),
    async close() {},
  }
}

/**
 * Values inside a document are checked against the subgraph's own scalars: the supergraph knows their names alone. A plan's
 * documents are objects that live as long as the plan, so each is validated once.
 */
function rememberFaults(schema: GraphQLSchema): (document: DocumentNode) => readonly GraphQLError[] {
  const known = new WeakMap<DocumentNode, readonly GraphQLError[]>()
  return (document) => {
    let faults = known.get(document)
    if (!faults) {
      faults = validate(schema, document, undefined, { maxErrors: 5 })
      known.set(document, faults)
    }
    return faults
  }
}

/** Runs a query, a mutation or (with its payload) one event of a subscription; errors come back masked. */
export function executeIn(
  subgraph: Subgraph,
  call: SubgraphCall,
  operation: Operation,
  payload?: unknown,
): ExecutionResult | Promise<ExecutionResult> {
  const site = { request: operation.request, subgraph: subgraph.name }
  try {
    const result = execute({ ...executionOf(subgraph, call, operation), rootValue: payload })
    return result instanceof Promise ? result.then((done) => maskErrors(done, site)) : maskErrors(result, site)
  } catch (error) {
    return { errors: [toClientError(error, site)] }
  }
}

/** Subscribes in a subgraph. Each event is executed with a context of its own; the end of the source is the end of the stream. */
export async function subscribeIn(
  subgraph: Subgraph,
  call: SubgraphCall,
  operation: Operation,
): Promise<SubgraphAnswer> {
  const site = { request: operation.request, subgraph: subgraph.name }
  try {
    const source = await createSourceEventStream(executionOf(subgraph, call, operation))
    if (!isAsyncIterable<unknown>(source)) return maskErrors(source, site)
    const run = async (payload: unknown) => {
      await operation.nextEvent()
      return executeIn(subgraph, call, operation, payload)
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

function executionOf(subgraph: Subgraph, call: SubgraphCall, operation: Operation): ExecutionArgs {
  return {
    schema: subgraph.schema,
    document: call.document,
    variableValues: call.variables,
    operationName: call.operationName,
    contextValue: operation.contextOf(subgraph),
  }
}
