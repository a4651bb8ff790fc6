import { transformSupergraphToPublicSchema } from '@theguild/federation-composition'
import {
  buildASTSchema,
  defaultFieldResolver,
  defaultTypeResolver,
  type GraphQLAbstractType,
  type GraphQLEnumType,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLScalarType,
  type GraphQLSchema,
  type GraphQLTypeResolver,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isIntrospectionType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
  parse,
} from 'graphql'
import type { Subgraph } from '../platform/request.ts'
import { isThenable } from '../platform/thenable.ts'
import { ClientError } from './client-error.ts'
import { type EntityJoin, type EntityJoins, findJoins } from './entity-joins.ts'
import type { Operation } from './operation.ts'
import { type Prepare, prepareItems } from './preparing.ts'

/** A value with the subgraph that made it, whose resolvers know how to read it. */
class Held {
  readonly home: Subgraph
  readonly value: unknown
  /** The same entity as other subgraphs know it, each asked once whatever is selected. */
  elsewhere: Map<EntityJoin, unknown> | null = null

  constructor(home: Subgraph, value: unknown) {
    this.home = home
    this.value = value
  }

  through(join: EntityJoin, operation: Operation, info: GraphQLResolveInfo): unknown {
    this.elsewhere ??= new Map()
    let entity = this.elsewhere.get(join)
    if (entity === undefined) {
      entity = join.resolve(this.value, operation, info) ?? null
      this.elsewhere.set(join, entity)
    }
    return entity
  }
}

type Resolver = GraphQLFieldResolver<unknown, object>

/**
 * The subgraphs of one process as the one schema that they compose to, executed by graphql-js alone with an Operation as context: each
 * field by the resolver of its subgraph, and where it belongs to another one than the value at hand, on the entity that the
 * value's key stands for there. Nothing is planned and no answer is merged. Null where a join needs more than a key that both
 * sides hold: that is for a planner.
 */
export function joinSubgraphs(supergraph: string, subgraphs: readonly Subgraph[]): GraphQLSchema | null {
  const joins = findJoins(subgraphs)
  if (!joins || disagree(subgraphs)) return null
  const schema = buildASTSchema(transformSupergraphToPublicSchema(parse(supergraph)))
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue
    const homes = subgraphs.filter((subgraph) => subgraph.schema.getType(type.name))
    const own = homes[0]?.schema.getType(type.name)
    if (isObjectType(type)) adoptFields(type, homes, joins)
    else if (isAbstractType(type)) type.resolveType = typeResolverOf(type, homes)
    else if (isEnumType(type) || (isScalarType(type) && !isSpecifiedScalarType(type))) adoptValues(type, own)
    else if (isInputObjectType(type) && isInputObjectType(own)) {
      for (const field of Object.values(type.getFields()))
        field.defaultValue = own.getFields()[field.name]?.defaultValue
    }
  }
  return schema
}

/** Whether one name is two scalars or enums, by what they are inside the process: then no value can go through the schema of both. */
function disagree(subgraphs: readonly Subgraph[]): boolean {
  const seen = new Map<string, GraphQLScalarType | GraphQLEnumType>()
  for (const type of subgraphs.flatMap(({ schema }) => Object.values(schema.getTypeMap()))) {
    if (!isLeafType(type) || isIntrospectionType(type)) continue
    const other = seen.get(type.name)
    if (!other) seen.set(type.name, type)
    else if (isScalarType(type) && isScalarType(other)) {
      if (type.serialize !== other.serialize || type.parseValue !== other.parseValue) return true
    } else if (isEnumType(type) && isEnumType(other)) {
      const values = type.getValues()
      if (values.length !== other.getValues().length) return true
      if (values.some(({ name, value }) => other.getValue(name)?.value !== value)) return true
    } else return true
  }
  return false
}

/** Leaves are read and written by a subgraph's own scalar or enum, which knows its values inside the process. */
function adoptValues(type: object, own: unknown): void {
  for (const method of ['serialize', 'parseValue', 'parseLiteral'] as const) {
    const given = (own as Record<string, unknown> | undefined)?.[method]
    if (typeof given === 'function') Object.assign(type, { [method]: given.bind(own) })
  }
}

/** What plugins of a schema builder have noted on types and fields, they find again: they read it from `info`. */
function adoptFields(type: GraphQLObjectType, homes: readonly Subgraph[], joins: EntityJoins): void {
  type.extensions = Object.assign({}, ...homes.map((home) => home.schema.getType(type.name)?.extensions))
  for (const field of Object.values(type.getFields())) {
    const owners = homes.flatMap((subgraph) => {
      const own = (subgraph.schema.getType(type.name) as GraphQLObjectType).getFields()[field.name]
      return own ? [{ subgraph, own }] : []
    })
    const [first] = owners
    if (!first) continue
    field.extensions = extensionsOf(type, owners, joins)
    for (const argument of field.args)
      argument.defaultValue = first.own.args.find(({ name }) => name === argument.name)?.defaultValue
    field.resolve = resolverOf(type, field, owners, joins) as Resolver
    const { subscribe } = first.own
    if (!subscribe) continue
    field.subscribe = (source, args, operation: Operation, info) =>
      subscribe(source, args, operation.contextOf(first.subgraph), info)
  }
}

/** Those of the first owner; what it prepares for its own entities is prepared for the values that stand for them. */
function extensionsOf(type: GraphQLObjectType, owners: readonly Owner[], joins: EntityJoins) {
  const [{ subgraph, own }] = owners as [Owner]
  const { prepare } = own.extensions as { prepare?: Prepare }
  if (!prepare) return own.extensions
  const reached = new Map(owners.map((owner) => [owner.subgraph, owner.own]))
  const prepareHeld: Prepare = (items, args, context, info) => {
    const operation = context as Operation
    const entities = items
      .filter((item) => item instanceof Held)
      .map((item) =>
        item.home === subgraph ? item.value : item.through(joins.find(type, item.home, reached), operation, info),
      )
      .filter((entity) => entity !== null && entity !== undefined)
    return entities.some(isThenable) ? undefined : prepare(entities, args, operation.contextOf(subgraph), info)
  }
  return { ...own.extensions, prepare: prepareHeld }
}

interface Owner {
  readonly subgraph: Subgraph
  readonly own: GraphQLField<unknown, unknown>
}

function resolverOf(
  type: GraphQLObjectType,
  field: GraphQLField<unknown, unknown>,
  owners: readonly Owner[],
  joins: EntityJoins,
): GraphQLFieldResolver<unknown, Operation> {
  const hold = isCompositeType(getNamedType(field.type)) ? holderOf(field.type) : null
  const readers = new Map(owners.map(({ subgraph, own }) => [subgraph, own.resolve ?? defaultFieldResolver]))
  const [first] = owners as [Owner]

  const read = (home: Subgraph, value: unknown, args: object, operation: Operation, info: GraphQLResolveInfo) => {
    const found = readers.get(home)!(value, args, operation.contextOf(home), info)
    return hold ? withItems(hold(home, found), operation, info) : found
  }
  return (source, args, operation, info) => {
    if (!(source instanceof Held)) return read(first.subgraph, source, args, operation, info) // nothing, or an event
    if (readers.has(source.home)) return read(source.home, source.value, args, operation, info)
    const join = joins.find(type, source.home, readers)
    const entity = source.through(join, operation, info)
    const readThere = (found: unknown) => {
      if (found !== null && found !== undefined) return read(join.owner, found, args, operation, info)
      if (isNonNullType(field.type)) throw gone(type)
      return null
    }
    return isThenable(entity) ? entity.then(readThere) : readThere(entity)
  }
}

/** A list waits for what can be prepared for its items. */
function withItems(held: unknown, operation: Operation, info: GraphQLResolveInfo): unknown {
  if (isThenable(held)) return held.then((found) => withItems(found, operation, info))
  if (!Array.isArray(held) || held.length < 2) return held
  return prepareItems(held, operation, info)?.then(() => held) ?? held
}

/** One subgraph still names what another one has no longer. */
function gone({ name }: GraphQLObjectType): ClientError {
  return new ClientError(`This ${name} is not there any more.`, {
    code: 'NOT_FOUND',
    hint: 'It was deleted, or is not yours to see.',
  })
}

type Holder = (home: Subgraph, found: unknown) => unknown

/** Keeps with each value of a composite type, alone or in lists, where it comes from. */
function holderOf(type: GraphQLOutputType): Holder {
  if (isNonNullType(type)) return holderOf(type.ofType)
  const holdItem = isListType(type) ? holderOf(type.ofType) : null
  const hold: Holder = (home, found) => {
    if (found === null || found === undefined || found instanceof Error) return found // an error is taken for thrown
    if (isThenable(found)) return found.then((value) => hold(home, value))
    if (!holdItem) return new Held(home, found)
    return typeof found === 'object' && Symbol.iterator in found
      ? Array.from(found as Iterable<unknown>, (item) => holdItem(home, item))
      : found
  }
  return hold
}

function typeResolverOf(type: GraphQLAbstractType, homes: readonly Subgraph[]): GraphQLTypeResolver<Held, Operation> {
  const owns = new Map(homes.map((home) => [home, home.schema.getType(type.name) as GraphQLAbstractType]))
  return ({ home, value }, operation, info) => {
    const own = owns.get(home)!
    const resolve = own.resolveType ?? defaultTypeResolver
    return resolve(value, operation.contextOf(home), { ...info, schema: home.schema }, own)
  }
}
