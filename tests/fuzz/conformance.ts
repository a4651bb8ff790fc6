import {
  type FieldNode,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  parse,
  type SelectionSetNode,
} from 'graphql'

/** What is wrong with an answer's data by the schema: a null where none may be, a value of another type, an enum value that is none. */
export function faultsOf(schema: GraphQLSchema, query: string, data: unknown): string[] {
  const document = parse(query)
  const operation = document.definitions.find((node) => node.kind === 'OperationDefinition')
  const fragments = new Map(
    document.definitions.flatMap((node) => (node.kind === 'FragmentDefinition' ? [[node.name.value, node]] : [])),
  )
  const faults: string[] = []

  function look(type: GraphQLOutputType, value: unknown, nodes: readonly FieldNode[], path: string): void {
    if (isNonNullType(type)) {
      if (value === null || value === undefined) faults.push(`${path} is null`)
      else look(type.ofType, value, nodes, path)
      return
    }
    if (value === null) return
    if (isListType(type)) {
      if (!Array.isArray(value)) faults.push(`${path} is no list`)
      else for (const [index, item] of value.entries()) look(type.ofType, item, nodes, `${path}.${index}`)
      return
    }
    if (isEnumType(type)) {
      if (!type.getValues().some(({ name }) => name === value)) faults.push(`${path} is ${String(value)}`)
      return
    }
    if (isObjectType(type) || isAbstractType(type)) {
      const name = String((value as { __typename?: unknown }).__typename)
      const possible = isObjectType(type) ? [type] : schema.getPossibleTypes(type)
      if (!possible.some((one) => one.name === name)) faults.push(`${path} is a ${name}, not a ${type.name}`)
      else for (const node of nodes) if (node.selectionSet) walk(node.selectionSet, name, value as object, path)
      return
    }
    const kinds: Record<string, string> = {
      Int: 'number',
      Float: 'number',
      Boolean: 'boolean',
      ID: 'string',
      String: 'string',
      DateTime: 'string',
    }
    const kind = kinds[type.name]
    if (kind && typeof value !== kind) faults.push(`${path} is a ${typeof value}, not a ${type.name}`)
  }

  function walk(set: SelectionSetNode, typeName: string, value: object, path: string): void {
    const type = schema.getType(typeName)
    if (!isObjectType(type)) return
    for (const node of set.selections) {
      if (node.kind === 'Field') {
        const key = node.alias?.value ?? node.name.value
        const field = type.getFields()[node.name.value]
        if (field && key in value) look(field.type, (value as Record<string, unknown>)[key], [node], `${path}.${key}`)
        continue
      }
      const inner = node.kind === 'InlineFragment' ? node : fragments.get(node.name.value)!
      const on = inner.typeCondition?.name.value
      const condition = on ? schema.getType(on) : type
      const fits =
        on === undefined || on === typeName || (isAbstractType(condition) && schema.isSubType(condition, type))
      if (fits) walk(inner.selectionSet, typeName, value, path)
    }
  }

  if (operation && data !== null && typeof data === 'object') {
    const root = operation.operation === 'mutation' ? schema.getMutationType() : schema.getQueryType()
    walk(operation.selectionSet, root!.name, data, '')
  }
  return faults
}
