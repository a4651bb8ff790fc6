import { type DirectiveNode, type DocumentNode, type FieldNode, Kind, print, type SelectionNode, visit } from 'graphql'

const known = new WeakMap<DocumentNode, DocumentNode>()

/**
 * The same operation with fields that are selected twice beside each other made one: `nodes { id } nodes { name }` becomes `nodes { id name }`.
 * The Rust planner's executor appends the second list to the first (seen: twice the rows). The document has been validated, so that fields of one
 * response key are one field with the same arguments. What has no such fields is given back itself; plans are found by the document.
 */
export function mergeFields(document: DocumentNode): DocumentNode {
  const before = known.get(document)
  if (before) return before
  const merged = visit(document, {
    SelectionSet: {
      enter(set) {
        const selections = mergeSelections(set.selections)
        return selections === set.selections ? undefined : { ...set, selections }
      },
    },
  })
  known.set(document, merged)
  return merged
}

function mergeSelections(selections: readonly SelectionNode[]): readonly SelectionNode[] {
  const groups = Map.groupBy(selections, (selection) =>
    selection.kind === Kind.FIELD ? (selection.alias ?? selection.name).value : selection,
  )
  if (groups.size === selections.length) return selections
  const merged = [...groups.values()].flatMap((group) => mergeGroup(group as readonly FieldNode[]))
  return merged.length === selections.length ? selections : merged
}

function mergeGroup(group: readonly FieldNode[]): readonly SelectionNode[] {
  const [first] = group
  if (!first || group.length === 1) return group
  const conditions = group.map(({ directives = [] }) => directives.map(print).sort().join(' '))
  if (conditions.every((condition) => condition === conditions[0])) return [withInner(first, group.flatMap(innerOf))]
  // Selected once without a condition, it is there: what the others add to it may still depend on theirs.
  const always = group.find((_, index) => conditions[index] === '')
  if (!always) return group
  const inner = group.flatMap((field) =>
    field.directives?.length ? wrapped(innerOf(field), field.directives) : innerOf(field),
  )
  return [withInner(always, inner)]
}

function innerOf({ selectionSet }: FieldNode): readonly SelectionNode[] {
  return selectionSet?.selections ?? []
}

function wrapped(selections: readonly SelectionNode[], directives: readonly DirectiveNode[]): SelectionNode[] {
  if (selections.length === 0) return []
  return [{ kind: Kind.INLINE_FRAGMENT, directives, selectionSet: { kind: Kind.SELECTION_SET, selections } }]
}

function withInner(field: FieldNode, selections: readonly SelectionNode[]): FieldNode {
  return field.selectionSet ? { ...field, selectionSet: { ...field.selectionSet, selections } } : field
}
