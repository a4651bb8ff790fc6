import type { GatewayPlugin } from '@graphql-hive/gateway-runtime'
import {
  type DirectiveNode,
  type DocumentNode,
  type ExecutionResult,
  getOperationAST,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import { isAsyncIterable } from './event-stream.ts'
import { mergeFields } from './merge-fields.ts'

type Variables = Readonly<Record<string, unknown>>

interface Execution {
  readonly args: {
    document: DocumentNode
    readonly operationName?: string | null
    readonly variableValues?: Variables | null
  }
  setResultAndStopExecution(result: ExecutionResult): void
}

interface Done {
  readonly result: ExecutionResult | AsyncIterable<ExecutionResult>
  setResult(result: ExecutionResult): void
}

/**
 * What the planner does not take as it is written, after everything was counted and validated, and before it is planned: fields that are selected
 * twice, and an operation whose every field is skipped, for which it has no plan (seen: 500). And what its executor leaves out.
 */
export function plannerPlugin(): GatewayPlugin {
  return {
    onExecute: (payload) => {
      const { args, setResultAndStopExecution } = payload as unknown as Execution
      if (asksNothing(args)) return setResultAndStopExecution({ data: {} })
      args.document = mergeFields(args.document)
      return { onExecuteDone: withData }
    },
    onSubscribe: (payload) => {
      const { args } = payload as unknown as Execution
      args.document = mergeFields(args.document)
    },
  }
}

/** Where nothing could be answered, the planner's executor leaves data out, as if nothing had been executed; the specification says null. */
function withData({ result, setResult }: Done): void {
  if (!isAsyncIterable(result) && !('data' in result)) setResult({ data: null, ...result })
}

function asksNothing({ document, operationName, variableValues }: Execution['args']): boolean {
  const operation = getOperationAST(document, operationName)
  if (!operation) return false
  const defaults = (operation.variableDefinitions ?? []).flatMap(({ variable, defaultValue }) =>
    defaultValue?.kind === Kind.BOOLEAN ? [[variable.name.value, defaultValue.value]] : [],
  )
  const variables: Variables = { ...Object.fromEntries(defaults), ...variableValues }
  const asks = ({ selections }: SelectionSetNode): boolean =>
    selections.some((selection) => {
      if (!isIncluded(selection.directives, variables)) return false
      if (selection.kind === Kind.FIELD) return true
      if (selection.kind === Kind.INLINE_FRAGMENT) return asks(selection.selectionSet)
      const { value } = selection.name
      return document.definitions.some(
        (node) => node.kind === Kind.FRAGMENT_DEFINITION && node.name.value === value && asks(node.selectionSet),
      )
    })
  return !asks(operation.selectionSet)
}

function isIncluded(directives: readonly DirectiveNode[] = [], variables: Variables): boolean {
  return directives.every(({ name, arguments: given = [] }) => {
    const value = given.find((argument) => argument.name.value === 'if')?.value
    const holds =
      value?.kind === Kind.VARIABLE ? variables[value.name.value] : value?.kind === Kind.BOOLEAN && value.value
    if (name.value === 'skip') return holds !== true
    return name.value !== 'include' || holds !== false
  })
}
