// biome-ignore lint/suspicious/noExplicitAny: builders differ in their types from subgraph to subgraph
type AnyBuilder = any

export interface TextFilter {
  readonly equals?: string | null
  readonly in?: readonly string[] | null
  readonly contains?: string | null
  readonly startsWith?: string | null
}

export interface IdFilter {
  readonly equals?: string | null
  readonly in?: readonly string[] | null
}

export interface RangeFilter<Value> {
  readonly gte?: Value | null
  readonly gt?: Value | null
  readonly lte?: Value | null
  readonly lt?: Value | null
}

/**
 * Registers the inputs that `where` arguments are made of. Composition intersects input types of one name: a subgraph that
 * filters by text, key, number or moment uses these rather than its own.
 */
export function registerFilters(builder: AnyBuilder) {
  const range = (name: string, type: string, what: string) =>
    builder.inputType(name, {
      description: `A range of ${what}. Every condition given must hold; an empty value never matches.`,
      fields: (t: AnyBuilder) => ({
        gte: t.field({ type, description: 'At least.' }),
        gt: t.field({ type, description: 'More than.' }),
        lte: t.field({ type, description: 'At most.' }),
        lt: t.field({ type, description: 'Less than.' }),
      }),
    })
  return {
    text: builder.inputType('TextFilter', {
      description: 'Conditions on a text. Every condition given must hold.',
      fields: (t: AnyBuilder) => ({
        equals: t.string({ description: 'Exactly this.' }),
        in: t.stringList({ description: 'Exactly one of these, 1,000 at most.' }),
        contains: t.string({ description: 'Holds this, whatever the case.' }),
        startsWith: t.string({ description: 'Begins with this, whatever the case.' }),
      }),
    }),
    id: builder.inputType('IdFilter', {
      description: 'Conditions on a key. Every condition given must hold.',
      fields: (t: AnyBuilder) => ({
        equals: t.id({ description: 'This key.' }),
        in: t.idList({ description: 'One of these keys, 1,000 at most.' }),
      }),
    }),
    number: range('FloatFilter', 'Float', 'numbers'),
    moment: range('DateTimeFilter', 'DateTime', 'moments'),
  }
}

export type Filters = ReturnType<typeof registerFilters>
