import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  valueFromAST,
} from 'graphql'
import { type Limits, operationLimit } from './limits.ts'

/** A list that says nothing about its size is taken to hold this many. */
const ASSUMED_LIST = 10

export interface CostedOperation {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName?: string | null | undefined
  readonly variables?: Record<string, unknown> | null | undefined
}

export type CostLimits = Pick<Limits, 'cost' | 'pageSize'>

/**
 * Refuses an operation whose lists multiply to more objects than allowed, or whose pages are too large or contradict
 * themselves; null when it may run. Objects are counted, scalars are free. A field's `first` or `last` sizes the list it
 * returns, or the `nodes` and `edges` of the connection it returns.
 */
export function exceededCost(operation: CostedOperation, limits: CostLimits): GraphQLError | null {
  const { schema, document } = operation
  const definition = getOperationAST(document, operation.operationName)
  const root = definition && schema.getRootType(definition.operation)
  if (!definition || !root) return null
  const variables = new Map<string, unknown>(
    definition.variableDefinitions?.map(({ variable, defaultValue }) => [
      variable.name.value,
      operation.variables?.[variable.name.value] ??
        (defaultValue?.kind === Kind.INT ? Number(defaultValue.value) : undefined),
    ]),
  )
  const walk = new CostWalk(schema, document, variables, limits)
  walk.add(definition.selectionSet, root, 1, null)
  return walk.fault
}

class CostWalk {
  fault: GraphQLError | null = null
  #objects = 0
  readonly #schema: GraphQLSchema
  readonly #fragments: Map<string, FragmentDefinitionNode>
  readonly #variables: ReadonlyMap<string, unknown>
  readonly #limits: CostLimits

  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    variables: ReadonlyMap<string, unknown>,
    limits: CostLimits,
  ) {
    this.#schema = schema
    this.#variables = variables
    this.#limits = limits
    this.#fragments = new Map(
      document.definitions.flatMap((definition) =>
        definition.kind === Kind.FRAGMENT_DEFINITION ? [[definition.name.value, definition] as const] : [],
      ),
    )
  }

  /** Adds what a selection yields for `count` objects of a type; `page` is the size that the field above set for its lists. */
  add(set: SelectionSetNode, type: GraphQLCompositeType, count: number, page: number | null): void {
    for (const selection of set.selections) {
      if (this.fault) return
      if (selection.kind === Kind.FIELD) this.#addField(selection, type, count, page)
      else {
        const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments.get(selection.name.value)
        if (!fragment) continue
        const condition = fragment.typeCondition && this.#schema.getType(fragment.typeCondition.name.value)
        this.add(fragment.selectionSet, isCompositeType(condition) ? condition : type, count, page)
      }
    }
  }

  #addField(node: FieldNode, type: GraphQLCompositeType, count: number, page: number | null): void {
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined
    if (!field) return
    const own = this.#pageOf(node, field.args)
    const inner = getNamedType(field.type)
    if (this.fault || !isCompositeType(inner) || !node.selectionSet) return
    const isList = isListType(getNullableType(field.type))
    const size = isList ? (own ?? page ?? ASSUMED_LIST) : 1
    const objects = count * size
    this.#objects += objects
    if (this.#objects > this.#limits.cost) {
      this.fault = operationLimit('The operation may return too many objects.')
      return
    }
    // A connection hands its page down to the lists of edges and nodes that are its content.
    this.add(node.selectionSet, inner, objects, isList ? null : own)
  }

  #pageOf(node: FieldNode, args: readonly GraphQLArgument[]): number | null {
    const sizes = ['first', 'last'].flatMap((name) => {
      const argument = args.find((candidate) => candidate.name === name)
      if (!argument) return []
      const value = this.#valueOf(node, argument)
      return typeof value === 'number' ? [value] : []
    })
    if (sizes.length > 1) this.fault = badPage(`"${node.name.value}" takes first or last, not both.`)
    else if (sizes.some((size) => size < 0)) this.fault = badPage(`"${node.name.value}" takes no negative page size.`)
    else if (sizes.some((size) => size > this.#limits.pageSize)) {
      this.fault = badPage(`"${node.name.value}" was asked for too large a page.`)
    }
    return sizes[0] ?? null
  }

  #valueOf(node: FieldNode, argument: GraphQLArgument): unknown {
    const given = node.arguments?.find(({ name }) => name.value === argument.name)?.value
    if (!given) return argument.defaultValue
    if (given.kind === Kind.VARIABLE) return this.#variables.get(given.name.value) ?? argument.defaultValue
    return valueFromAST(given, argument.type)
  }
}

function badPage(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', hint: 'Ask for a smaller page and follow its cursor.' },
  })
}
