import type { DocumentNode, ExecutionResult } from 'graphql'
import type { Operation } from './operation.ts'

/** What the plan asks of one subgraph. */
export interface SubgraphCall {
  readonly document: DocumentNode
  readonly variables?: Record<string, unknown>
  readonly operationName?: string
  readonly operationType?: string
  readonly context?: { readonly operation: Operation }
}

export type SubgraphAnswer = ExecutionResult | AsyncIterable<ExecutionResult>

/** How the gateway reaches subgraphs: by a function call in the same process, or over the network. */
export interface SubgraphTransport {
  executorOf(subgraph: string): (call: SubgraphCall) => SubgraphAnswer | Promise<SubgraphAnswer>
  /** How many processes of each subgraph are known, and how many of them answer. */
  reach(): SubgraphReach[]
  close(): Promise<void>
}

export interface SubgraphReach {
  readonly name: string
  readonly known: number
  readonly well: number
}

/** The operation that a call belongs to. */
export function operationOf(call: SubgraphCall): Operation {
  if (!call.context) throw new Error('A subgraph was called outside an operation')
  return call.context.operation
}
