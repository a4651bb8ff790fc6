import {
  type FieldNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isLeafType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
} from 'graphql'

/**
 * `extensions.prepare` of a field: finds the values of many sources in one go, so that each of them then comes without a promise. Undefined
 * where it can do nothing about these arguments.
 */
export type Prepare = (
  sources: readonly unknown[],
  args: object,
  context: unknown,
  info: GraphQLResolveInfo,
) => Promise<void> | undefined

interface Ahead {
  readonly prepare: Prepare
  readonly args: object
  readonly info: GraphQLResolveInfo
}

/** By the nodes of a list's field, which belong to one execution. */
const known = new WeakMap<readonly FieldNode[], readonly Ahead[]>()

/**
 * Has fields of a list's items prepared before graphql-js resolves them one by one: a promise for each of a thousand items takes longer than
 * most of what is promised. Undefined where there is nothing to wait for.
 */
export function prepareItems(
  items: readonly unknown[],
  context: unknown,
  info: GraphQLResolveInfo,
): Promise<unknown> | undefined {
  let fields = known.get(info.fieldNodes)
  if (!fields) {
    fields = aheadOf(info)
    known.set(info.fieldNodes, fields)
  }
  const waits = fields.flatMap(({ prepare, args, info }) => {
    try {
      return prepare(items, args, context, info)?.catch(() => {}) ?? []
    } catch {
      return [] // the field itself says what is wrong, as it does for what was not found
    }
  })
  return waits.length > 0 ? Promise.all(waits) : undefined
}

function aheadOf(info: GraphQLResolveInfo): readonly Ahead[] {
  return selectedFields(info).flatMap(({ field, nodes }) => {
    const { prepare } = field.extensions as { prepare?: Prepare }
    if (!prepare) return []
    try {
      const args = getArgumentValues(field, nodes[0]!, info.variableValues)
      return { prepare, args, info: { ...info, fieldName: field.name, fieldNodes: nodes, returnType: field.type } }
    } catch {
      return [] // as above
    }
  })
}

interface Selected {
  readonly field: GraphQLField<unknown, unknown>
  readonly nodes: readonly FieldNode[]
}

/** What is selected of the items; empty where something else among it takes its time, which would have to wait. */
function selectedFields({ returnType, fieldNodes, fragments }: GraphQLResolveInfo): readonly Selected[] {
  const type = getNamedType(returnType)
  if (!isListType(getNullableType(returnType)) || !isObjectType(type)) return []
  const own = type.getFields()
  if (!Object.values(own).some(({ extensions }) => extensions.prepare)) return []
  const nodes = new Map<string, FieldNode[]>()
  for (const { selectionSet } of fieldNodes) if (!collect(selectionSet, fragments, nodes)) return []
  const selected = [...nodes.values()].flatMap((group) => {
    const field = own[group[0]!.name.value]
    return field ? { field, nodes: group } : [] // __typename
  })
  const isQuick = ({ extensions, type }: Selected['field']) => extensions.prepare || isLeafType(getNamedType(type))
  return selected.every(({ field }) => isQuick(field)) ? selected : []
}

/** By the names in the response. False where it depends on more than the text what is selected. */
function collect(
  selectionSet: SelectionSetNode | undefined,
  fragments: GraphQLResolveInfo['fragments'],
  nodes: Map<string, FieldNode[]>,
): boolean {
  return (selectionSet?.selections ?? []).every((selection) => {
    if (selection.directives?.length) return false
    if (selection.kind !== Kind.FIELD) {
      const inner = selection.kind === Kind.FRAGMENT_SPREAD ? fragments[selection.name.value] : selection
      return collect(inner?.selectionSet, fragments, nodes)
    }
    const name = (selection.alias ?? selection.name).value
    const group = nodes.get(name)
    if (group) group.push(selection)
    else nodes.set(name, [selection])
    return true
  })
}
