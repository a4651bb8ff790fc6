import { type DocumentNode, type GraphQLError, type GraphQLSchema, validate } from 'graphql'
import type { Subgraph } from '../platform/request.ts'
import { maskErrors } from './client-error.ts'
import { executableOf, executeIn, subscribeIn } from './execution.ts'
import { operationOf, type SubgraphTransport } from './transport.ts'

/**
 * Subgraphs in this process, called as functions. Nothing awaits before `execute`, so that the branches of a plan start in
 * the same tick and their loaders batch across them.
 */
export function localTransport(subgraphs: readonly Subgraph[]): SubgraphTransport {
  return {
    executorOf(name) {
      const subgraph = subgraphs.find((candidate) => candidate.name === name)
      if (!subgraph) throw new Error(`The supergraph names a subgraph "${name}" that is not served here`)
      const executable = executableOf(subgraph)
      const findFaults = rememberFaults(subgraph.schema)
      return (call) => {
        const operation = operationOf(call)
        const faults = findFaults(call.document)
        if (faults.length > 0) return maskErrors({ errors: faults }, { request: operation.request, subgraph: name })
        return call.operationType === 'subscription'
          ? subscribeIn(executable, call, operation)
          : executeIn(executable, call, operation)
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
