import {
  type FieldNode,
  type GraphQLResolveInfo,
  getNamedType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql'

/** `extensions` of a field that needs what a prediction was computed from: a stored score cannot answer it. */
export const needsComputation = { needsComputation: true } as const

const known = new WeakMap<readonly FieldNode[], boolean>()

/** Whether a field selects anything that a stored score cannot answer; directives are not looked at. The same for all rows of a page. */
export function asksComputation(info: GraphQLResolveInfo): boolean {
  let asks = known.get(info.fieldNodes)
  if (asks === undefined) {
    const names = computedFields(info)
    asks = info.fieldNodes.some(({ selectionSet }) => selects(selectionSet, names, info.fragments))
    known.set(info.fieldNodes, asks)
  }
  return asks
}

function computedFields({ returnType }: GraphQLResolveInfo): ReadonlySet<string> {
  const type = getNamedType(returnType)
  const fields = isObjectType(type) ? Object.values(type.getFields()) : []
  return new Set(fields.flatMap(({ name, extensions }) => (extensions.needsComputation ? [name] : [])))
}

function selects(
  selectionSet: SelectionSetNode | undefined,
  names: ReadonlySet<string>,
  fragments: GraphQLResolveInfo['fragments'],
): boolean {
  return (selectionSet?.selections ?? []).some((selection) => {
    if (selection.kind === Kind.FIELD) return names.has(selection.name.value)
    const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
    return selects(inner?.selectionSet, names, fragments)
  })
}
