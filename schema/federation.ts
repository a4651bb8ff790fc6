// Federation on @apollo/subgraph without @pothos/plugin-federation, which does not load beside it (docs/decisions).
// Keys are printed through Pothos' directives plugin; this adds `_service` and `_entities`.
import { printSubgraphSchema } from '@apollo/subgraph'
import {
  defaultFieldResolver,
  GraphQLError,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  GraphQLUnionType,
} from 'graphql'
import type { RequestContext, Subgraph } from '../platform/request.ts'
import { isThenable } from '../platform/thenable.ts'
import type { Scope } from '../platform/viewer.ts'
import { auditMutations } from './audit.ts'
import { guardScopes, requireScopes } from './scopes.ts'
import { refuseBrokenText } from './text.ts'

const SPECIFICATION = 'https://specs.apollo.dev/federation/v2.9'
const IMPORTS = ['@key', '@shareable', '@external', '@inaccessible', '@tag', '@provides', '@requires']

// biome-ignore lint/suspicious/noExplicitAny: a reference has the shape of its key, which differs by type
export type ResolveReference = (reference: any, context: any, info: GraphQLResolveInfo) => unknown

/**
 * `extensions` of a type that other subgraphs may ask for by key. Pair it with the `key` directive. `scopes`: what a viewer needs to be
 * given one; without, the type holds nothing but its key and fields with scopes of their own.
 */
export function entityExtensions(resolveReference: ResolveReference, scopes?: readonly Scope[]) {
  const guarded: ResolveReference = (reference, context: RequestContext, info) => {
    requireScopes(context.viewer, scopes ?? [])
    return resolveReference(reference, context, info)
  }
  return { apollo: { subgraph: { resolveReference: scopes ? guarded : resolveReference, scopes } } }
}

function isEntity(type: unknown): type is GraphQLObjectType {
  return type instanceof GraphQLObjectType && resolveReferenceOf(type) !== undefined
}

function resolveReferenceOf(type: GraphQLObjectType): ResolveReference {
  return (type.extensions.apollo as { subgraph?: { resolveReference?: ResolveReference } } | undefined)?.subgraph
    ?.resolveReference as ResolveReference
}

/**
 * Makes a subgraph of an ordinary schema: prints its SDL, adds the two fields that a gateway asks, and has every field with
 * arguments refuse text that no database can hold, every field with scopes refuse who lacks them, and every mutation kept in
 * the audit.
 */
export function toSubgraph(
  name: string,
  schema: GraphQLSchema,
  contextOf: (request: RequestContext) => object,
): Subgraph {
  const sdl = `extend schema @link(url: "${SPECIFICATION}", import: ${JSON.stringify(IMPORTS)})\n\n${printSubgraphSchema(schema)}\n`
  const entities = Object.values(schema.getTypeMap()).filter(isEntity)
  guardArguments(schema)
  guardScopes(schema)
  auditMutations(schema) // last, so that what the others refuse is kept as well
  const Service = new GraphQLObjectType({
    name: '_Service',
    fields: { sdl: { type: new GraphQLNonNull(GraphQLString), resolve: () => sdl } },
  })
  const Any = new GraphQLScalarType({ name: '_Any' })
  const query = schema.getQueryType()!
  const queryConfig = query.toConfig()
  const added = [
    Service,
    Any,
    ...(entities.length > 0 ? [new GraphQLUnionType({ name: '_Entity', types: entities })] : []),
  ]
  const federatedQuery = new GraphQLObjectType({
    ...queryConfig,
    fields: {
      ...queryConfig.fields,
      _service: { type: new GraphQLNonNull(Service), resolve: () => ({}) },
      ...(entities.length > 0 ? { _entities: entitiesField(added[2] as GraphQLUnionType, Any) } : {}),
    },
  })
  const config = schema.toConfig()
  const federated = new GraphQLSchema({
    ...config,
    query: federatedQuery,
    types: [...config.types.filter((type) => type.name !== query.name), ...added],
  })
  return { name, schema: federated, sdl, contextOf }
}

function guardArguments(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(type instanceof GraphQLObjectType)) continue
    for (const field of Object.values(type.getFields())) {
      if (field.args.length === 0) continue
      const { resolve = defaultFieldResolver, subscribe } = field
      // A subscription's events have the arguments that its start was checked for.
      if (!subscribe) {
        field.resolve = (source, args, context, info) => {
          refuseBrokenText(args)
          return resolve(source, args, context, info)
        }
        continue
      }
      field.subscribe = (source, args, context, info) => {
        refuseBrokenText(args)
        return subscribe(source, args, context, info)
      }
    }
  }
}

function entitiesField(entity: GraphQLUnionType, any: GraphQLScalarType) {
  return {
    type: new GraphQLNonNull(new GraphQLList(entity)),
    args: { representations: { type: new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(any))) } },
    resolve(_root: unknown, args: { representations?: unknown }, context: unknown, info: GraphQLResolveInfo) {
      refuseBrokenText(args)
      const findType = rememberEntities(info.schema)
      return (args.representations as Representation[]).map((representation) => {
        const { name, resolveReference } = findType(representation.__typename)
        const found = resolveReference(representation, context, info)
        return isThenable(found) ? found.then((entity) => named(entity, name)) : named(found, name)
      })
    },
  }
}

interface Representation {
  readonly __typename: string
}

/** Looks each type up once for the thousands of representations that a gateway may ask about at a time. */
function rememberEntities(schema: GraphQLSchema) {
  const known = new Map<string, { readonly name: string; readonly resolveReference: ResolveReference }>()
  return (name: string) => {
    let entity = known.get(name)
    if (!entity) {
      const type = schema.getType(name)
      if (!isEntity(type))
        throw new GraphQLError(`There is no entity "${name}" here.`, { extensions: { code: 'BAD_USER_INPUT' } })
      entity = { name, resolveReference: resolveReferenceOf(type) }
      known.set(name, entity)
    }
    return entity
  }
}

/** An entity with the name by which the union tells what it is; one that is not there stays null. Its identity is its resolvers' to keep. */
function named(entity: unknown, name: string): unknown {
  if (entity === null || typeof entity !== 'object') return entity
  if (!('__typename' in entity)) return Object.defineProperty(entity, '__typename', { value: name })
  return entity.__typename === name ? entity : { ...entity, __typename: name }
}
