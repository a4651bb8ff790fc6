import { type DocumentNode, type ExecutionResult, getOperationAST, Kind, parse } from 'graphql'
import { type Audit, askedBy, shapeOf } from '../platform/audit.ts'
import type { GraphQLParams } from './client-request.ts'
import type { Operation } from './operation.ts'

/** A mutation may be hidden behind comments and commas, never behind another word. */
const STARTS_WITH_MUTATION = /^(?:[\s,\ufeff]|#[^\n\r]*)*mutation\b/

/**
 * Records the mutations that ended before a subgraph's field could: refused for their form, their size, their rate, or because the
 * subgraph did not answer. What came to a field is recorded there.
 */
export function auditRefusal(
  audit: Audit,
  operation: Operation,
  { query, operationName, variables }: GraphQLParams,
  result: ExecutionResult,
  maxTokens: number,
): void {
  const outcome = refusalOf(result)
  if (!outcome || !query.includes('mutation')) return
  const entry = { ...askedBy(operation.request), input: shapeOf(variables ?? {}), outcome }
  for (const field of mutationsOf(query, operationName, maxTokens)) audit.record({ ...entry, field })
}

/** The code of a result that no field has made. */
function refusalOf({ data, errors }: ExecutionResult): string | null {
  const lost = errors?.find(({ extensions }) => extensions.code === 'UNAVAILABLE')
  if (lost) return 'UNAVAILABLE'
  if (data || !errors?.length || errors.some(({ path }) => path !== undefined)) return null
  return String(errors[0]!.extensions.code)
}

function mutationsOf(query: string, operationName: string | null | undefined, maxTokens: number): string[] {
  let document: DocumentNode
  try {
    document = parse(query, { maxTokens, noLocation: true })
  } catch {
    return STARTS_WITH_MUTATION.test(query) ? ['unreadable'] : []
  }
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== 'mutation') return []
  return operation.selectionSet.selections
    .slice(0, 10)
    .map((selection) => (selection.kind === Kind.INLINE_FRAGMENT ? 'fragment' : selection.name.value.slice(0, 100)))
}
