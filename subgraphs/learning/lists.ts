import { registerFilters } from '../../schema/filters.ts'
import { type LearningBuilder, type LearningContext, typeOf } from './builder.ts'
import { type Ask, checkAsk, type Page } from './rows/page.ts'
import type { Condition, Relation } from './rows/relation.ts'

// biome-ignore lint/suspicious/noExplicitAny: the field builders of roots and of every type differ, lists look the same on all
type AnyBuilder = any

/** A connection that reads only what is selected: rows, their number, or both. */
interface ListPage {
  readonly edges: Promise<Page['edges']>
  readonly pageInfo: Promise<Page['pageInfo']>
  count(): Promise<number>
}

export interface ListOptions<Parent> {
  readonly description: string
  /** Below a row: the relation's column that holds the parent's key, and where the parent has it. */
  readonly below?: { readonly column: string; readonly key: (parent: Parent) => string }
}

/** Makes a field that pages through a relation: `list(t, attempts, { ... })`. */
export type ListField = <Parent = object>(t: AnyBuilder, relation: Relation, options: ListOptions<Parent>) => AnyBuilder

/** How lists become fields: one connection, one `where` input and one `orderBy` enum per type of row. */
export function createLists(builder: LearningBuilder): ListField {
  const filters = registerFilters(builder)
  const made = new Map<string, { connection: AnyBuilder; where: AnyBuilder; order: AnyBuilder }>()
  const builtin: AnyBuilder = builder

  function typesOf(relation: Relation) {
    const { name } = relation
    const known = made.get(name)
    if (known) return known
    const connection = builtin.connectionObject(
      {
        type: typeOf(builder, relation.model),
        name: `${name}Connection`,
        fields: (t: AnyBuilder) => ({
          totalCount: t.int({
            description: 'How many rows the list has under its `where`, on all pages together.',
            resolve: (page: ListPage) => page.count(),
          }),
        }),
      },
      { name: `${name}Edge` },
    )
    const where = builtin.inputType(`${name}Where`, {
      description: 'Conditions on rows of the list. Every condition given must hold.',
      fields: (t: AnyBuilder) =>
        Object.fromEntries(
          Object.entries(relation.conditions).map(([field, { takes, says }]) => [
            field,
            t.field({ type: inputOf(takes), description: says }),
          ]),
        ),
    })
    const order = builtin.enumType(`${name}Order`, {
      description: 'How the list is sorted; rows that tie are sorted by their key.',
      values: Object.fromEntries(
        Object.entries(relation.orders).map(([value, { says }]) => [value, { description: says }]),
      ),
    })
    const types = { connection, where, order }
    made.set(name, types)
    return types
  }

  function inputOf(takes: Condition['takes']): AnyBuilder {
    if (typeof takes === 'object') return takes.enum
    return takes === 'Boolean' || takes === 'ID' ? takes : filters[takes]
  }

  return (t, relation, { description, below }) => {
    const { connection, where, order } = typesOf(relation)
    return t.field({
      ...(below ? {} : { scopes: ['learning:read'] }), // below a row, whoever may see the row may see the list
      type: connection,
      description,
      args: {
        ...t.arg.connectionArgs(),
        where: t.arg({ type: where, description: 'Only rows of which this holds.' }),
        orderBy: t.arg({ type: order, description: `How to sort. Default: ${relation.defaultOrder}.` }),
      },
      resolve: (parent: never, ask: Ask, { reads, viewer }: LearningContext): ListPage => {
        checkAsk(relation, ask, viewer)
        const place = below ? { column: below.column, key: below.key(parent) } : null
        let page: Promise<Page> | undefined
        const read = () => {
          page ??= reads.page(relation, ask, place)
          return page
        }
        return {
          get edges() {
            return read().then(({ edges }) => edges)
          },
          get pageInfo() {
            return read().then(({ pageInfo }) => pageInfo)
          },
          count: () => reads.count(relation, ask.where, place),
        }
      },
    })
  }
}
