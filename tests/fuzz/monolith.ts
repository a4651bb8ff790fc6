import {
  buildSchema,
  type DocumentNode,
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionResult,
  execute,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isScalarType,
} from 'graphql'
import type { RequestContext, Subgraph } from '../../platform/request.ts'

/** A value with the subgraph whose resolvers know how to read it. */
class Held {
  readonly home: Subgraph
  readonly value: unknown

  constructor(home: Subgraph, value: unknown) {
    this.home = home
    this.value = value
  }
}

type Contexts = (subgraph: Subgraph) => object
type Entity = { resolveReference?: (reference: object, context: object, info: GraphQLResolveInfo) => unknown }

/**
 * The same schemas and resolvers as one schema, executed by graphql-js and nothing else: no plan, no gateway, no transport. Where a field
 * belongs to another subgraph than the value at hand, the value's key is resolved there, as federation says.
 */
export function createMonolith(sdl: string, subgraphs: readonly Subgraph[]) {
  const schema = buildSchema(sdl)
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    const homes = subgraphs.filter((subgraph) => subgraph.schema.getType(type.name))
    if (isScalarType(type) || isEnumType(type)) adopt(type, homes[0]?.schema.getType(type.name))
    if (isAbstractType(type)) {
      type.resolveType = async (held: Held, contexts: Contexts, info) => {
        const own = held.home.schema.getType(type.name)
        if (!isAbstractType(own)) throw new Error(`${held.home.name} has no ${type.name}`)
        const resolve = own.resolveType ?? defaultTypeResolver
        const found = await resolve(held.value, contexts(held.home), { ...info, schema: held.home.schema }, own)
        return typeof found === 'object' && found !== null ? (found as GraphQLObjectType).name : found
      }
    }
    if (isInputObjectType(type))
      for (const field of Object.values(type.getFields())) {
        const own = homes[0]?.schema.getType(type.name)
        if (isInputObjectType(own)) field.defaultValue = own.getFields()[field.name]?.defaultValue
      }
    if (isObjectType(type)) adoptFields(type, homes, schema)
  }
  return {
    schema,
    async run(document: DocumentNode, variableValues: object, request: RequestContext): Promise<ExecutionResult> {
      const made = new Map<Subgraph, object>()
      const contexts: Contexts = (subgraph) => {
        const known = made.get(subgraph)
        if (known) return known
        const context = subgraph.contextOf(request)
        made.set(subgraph, context)
        return context
      }
      return execute({ schema, document, variableValues: variableValues as never, contextValue: contexts })
    },
  }
}

/** Leaves are read and written by the subgraph's own scalar or enum, which knows its values inside the process. */
function adopt(type: object, own: unknown): void {
  for (const method of ['serialize', 'parseValue', 'parseLiteral'] as const) {
    const given = (own as Record<string, unknown> | undefined)?.[method] as
      | ((...given: unknown[]) => unknown)
      | undefined
    if (given) Object.assign(type, { [method]: given.bind(own) })
  }
}

function adoptFields(type: GraphQLObjectType, homes: readonly Subgraph[], schema: GraphQLSchema): void {
  const isRoot = type === schema.getQueryType() || type === schema.getMutationType()
  for (const field of Object.values(type.getFields())) {
    const owners = homes.filter((home) => (home.schema.getType(type.name) as GraphQLObjectType).getFields()[field.name])
    const [first] = owners
    if (!first) continue
    for (const argument of field.args) {
      const own = fieldIn(first, type, field.name).args.find(({ name }) => name === argument.name)
      argument.defaultValue = own?.defaultValue
    }
    field.resolve = async (source: Held | undefined, args, contexts: Contexts, info) => {
      const read = async (home: Subgraph, value: unknown) => {
        const { resolve = defaultFieldResolver } = fieldIn(home, type, field.name)
        const found = await resolve(value, args, contexts(home), info)
        return isCompositeType(getNamedType(field.type)) ? hold(home, found) : found
      }
      if (isRoot || !source) return read(first, source)
      if (owners.includes(source.home)) return read(source.home, source.value)
      for (const owner of owners) {
        const entity = entityIn(owner, type)
        if (!entity) continue
        const reference = await keyOf(owner, type, source, contexts, info)
        const value = await entity.resolveReference!(reference, contexts(owner), info)
        return value === null || value === undefined ? null : read(owner, value)
      }
      throw new Error(`Nobody resolves ${type.name}.${field.name} of what ${source.home.name} holds`)
    }
  }
}

async function hold(home: Subgraph, found: unknown): Promise<unknown> {
  const value = await found
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return Promise.all(value.map((item) => hold(home, item)))
  return new Held(home, value)
}

function fieldIn(home: Subgraph, type: GraphQLObjectType, name: string) {
  return (home.schema.getType(type.name) as GraphQLObjectType).getFields()[name]!
}

function entityIn(home: Subgraph, type: GraphQLObjectType): Entity | undefined {
  const apollo = home.schema.getType(type.name)?.extensions.apollo as { subgraph?: Entity } | undefined
  return apollo?.subgraph?.resolveReference ? apollo.subgraph : undefined
}

async function keyOf(
  owner: Subgraph,
  type: GraphQLObjectType,
  source: Held,
  contexts: Contexts,
  info: GraphQLResolveInfo,
) {
  const { directives } = owner.schema.getType(type.name)!.extensions as { directives: { key: { fields: string } } }
  const reference: Record<string, unknown> = { __typename: type.name }
  for (const name of directives.key.fields.split(' ')) {
    const { resolve = defaultFieldResolver } = fieldIn(source.home, type, name)
    reference[name] = await resolve(source.value, {}, contexts(source.home), { ...info, fieldName: name })
  }
  return reference
}
