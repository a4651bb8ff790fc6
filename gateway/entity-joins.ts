import {
  type DirectiveNode,
  defaultFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  getNamedType,
  isLeafType,
  isObjectType,
  Kind,
  parse,
} from 'graphql'
import type { Subgraph } from '../platform/request.ts'
import { isThenable } from '../platform/thenable.ts'
import type { Operation } from './operation.ts'

/** How a subgraph is given the entity that a value of another one stands for. */
export interface EntityJoin {
  readonly owner: Subgraph
  /** The entity as its owner knows it, asked by the key that the value holds; null for none. */
  resolve(value: unknown, operation: Operation, info: GraphQLResolveInfo): unknown
}

export interface EntityJoins {
  /** From a value of `home` to the first of the owners that can be reached from there. */
  find(type: GraphQLObjectType, home: Subgraph, owners: ReadonlyMap<Subgraph, unknown>): EntityJoin
}

/** Directives by which a field needs more than a key, or is somebody else's than its type says. */
const planned = new Set(['external', 'requires', 'provides', 'override', 'interfaceObject', 'context', 'fromContext'])

type ResolveReference = (reference: object, context: object, info: GraphQLResolveInfo) => unknown

/**
 * How values of one subgraph become entities of another. Null where that takes more than one step, or a key of more than plain
 * fields: then it is no matter of one resolver.
 */
export function findJoins(subgraphs: readonly Subgraph[]): EntityJoins | null {
  const keys = new Map<Subgraph, ReadonlyMap<string, readonly string[][]>>()
  for (const subgraph of subgraphs) {
    const found = keysOf(subgraph)
    if (!found) return null
    keys.set(subgraph, found)
  }
  const joins = new Map<string, Map<Subgraph, Map<Subgraph, EntityJoin>>>()
  for (const name of new Set(subgraphs.flatMap(({ schema }) => Object.keys(schema.getTypeMap())))) {
    const homes = subgraphs.filter((subgraph) => isObjectType(subgraph.schema.getType(name)))
    if (homes.length < 2 || homes.some((home) => isRoot(home, name))) continue
    const byHome = new Map<Subgraph, Map<Subgraph, EntityJoin>>()
    for (const home of homes) {
      const reached = new Map<Subgraph, EntityJoin>()
      for (const owner of homes) {
        const key = keys
          .get(owner)!
          .get(name)
          ?.find((names) => names.every((field) => field in fieldsOf(home, name)))
        if (owner !== home && key) reached.set(owner, joinBy(name, key, home, owner))
      }
      const held = new Set([home, ...reached.keys()].flatMap((one) => Object.keys(fieldsOf(one, name))))
      if (homes.some((one) => Object.keys(fieldsOf(one, name)).some((field) => !held.has(field)))) return null
      byHome.set(home, reached)
    }
    joins.set(name, byHome)
  }
  return {
    find(type, home, owners) {
      for (const [owner, join] of joins.get(type.name)?.get(home) ?? []) if (owners.has(owner)) return join
      throw new Error(`No key leads from ${type.name} of ${home.name} to who knows the field`)
    },
  }
}

function joinBy(name: string, key: readonly string[], home: Subgraph, owner: Subgraph): EntityJoin {
  const fields = key.map((field) => {
    const { resolve = defaultFieldResolver, type } = fieldsOf(home, name)[field]!
    const leaf = getNamedType(type)
    // As the key would arrive over the network.
    const written = (value: unknown) => (isLeafType(leaf) && value !== null ? leaf.serialize(value) : value)
    return { field, resolve, written }
  })
  const apollo = owner.schema.getType(name)!.extensions.apollo as
    | { subgraph?: { resolveReference?: ResolveReference } }
    | undefined
  const resolveReference = apollo?.subgraph?.resolveReference ?? ((reference) => reference)
  return {
    owner,
    resolve(value, operation, info) {
      const reference: Record<string, unknown> = { __typename: name }
      const context = operation.contextOf(home)
      let waits: PromiseLike<unknown>[] | null = null
      for (const { field, resolve, written } of fields) {
        const found = resolve(value, {}, context, { ...info, fieldName: field })
        if (!isThenable(found)) reference[field] = written(found)
        else {
          waits ??= []
          waits.push(
            found.then((later) => {
              reference[field] = written(later)
            }),
          )
        }
      }
      const ask = () => resolveReference(reference, operation.contextOf(owner), info)
      return waits ? Promise.all(waits).then(ask) : ask()
    },
  }
}

/** The keys by which a subgraph can be asked for entities, by type; null where a planner is needed to ask it. */
function keysOf(subgraph: Subgraph): ReadonlyMap<string, readonly string[][]> | null {
  const keys = new Map<string, string[][]>()
  for (const definition of parse(subgraph.sdl, { noLocation: true }).definitions) {
    if (!('directives' in definition)) continue
    const fields = 'fields' in definition ? (definition.fields ?? []) : []
    const used = [...(definition.directives ?? []), ...fields.flatMap(({ directives = [] }) => directives)]
    if (used.some(({ name }) => planned.has(name.value))) return null
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION && definition.kind !== Kind.OBJECT_TYPE_EXTENSION) continue
    for (const directive of (definition.directives ?? []).filter(({ name }) => name.value === 'key')) {
      if (argumentOf(directive, 'resolvable') === false) continue
      const names = String(argumentOf(directive, 'fields')).trim()
      if (names.includes('{')) return null
      keys.set(definition.name.value, [...(keys.get(definition.name.value) ?? []), names.split(/[\s,]+/)])
    }
  }
  return keys
}

function argumentOf({ arguments: given = [] }: DirectiveNode, name: string): unknown {
  const value = given.find((argument) => argument.name.value === name)?.value
  return value && 'value' in value ? value.value : undefined
}

function fieldsOf(home: Subgraph, name: string) {
  return (home.schema.getType(name) as GraphQLObjectType).getFields()
}

function isRoot({ schema }: Subgraph, name: string): boolean {
  return [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].some(
    (root) => root?.name === name,
  )
}
