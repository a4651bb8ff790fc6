import { buildSubgraphSchema } from '@apollo/subgraph'
import { GraphQLScalarType, parse } from 'graphql'
import type { RequestContext, Subgraph } from '../../platform/request.ts'

const link =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key", "@shareable", "@requires", "@external"])\n'

const shopSdl = `${link}
  scalar Cents
  enum Kind { BOOK GAME }
  type Query {
    items(kind: Kind, from: Int! = 1): [Item!]!
    stock(shop: ID!, item: ID!): Stock
    grid: [[Item]]!
    found: [Found!]!
    labels: [Label!]!
    priced(atLeast: Cents!): [Item!]!
    bad: [Item]!
  }
  union Found = Item | Note
  interface Named { name: String! }
  type Note implements Named { name: String! page: Page! }
  type Item implements Named @key(fields: "code") @key(fields: "serial") { code: ID! serial: Int! name: String! kind: Kind! price: Cents! page: Page! @shareable }
  type Stock @key(fields: "shop item") { shop: ID! item: ID! count: Int! }
  type Label @key(fields: "text") { text: ID! length: Int! }
  type Page @shareable { number: Int! size: Int! }
  type Mutation { restock(code: ID!): Restocked! }
  type Restocked { item: Item! }
  type Subscription { restocked: Item! }
`
const viewsSdl = `${link}
  type Query { latest: [Item]! latestTwo: [Item!]! topPage: Page! }
  type Item @key(fields: "serial") { serial: Int! views: Int strict: Int! fails: Int absent: String peers: [Item!]! page: Page! @shareable }
  type Stock @key(fields: "shop item") { shop: ID! item: ID! wanted: String! }
  type Label @key(fields: "text") { text: ID! loud: String! }
  type Page @shareable { number: Int! size: Int! }
`

interface Item {
  readonly code: string
  readonly serial: number
  readonly kind: string
}

/** What federation joins, in all the ways that a key joins it: several keys, composite ones, late ones, entities that are not there. */
export function joinedGraph(): { subgraphs: Subgraph[]; asked: object[] } {
  const asked: object[] = []
  const items: Item[] = [1, 2, 3, 4].map((serial) => ({
    code: `c${serial}`,
    serial,
    kind: serial % 2 ? 'a book' : 'a game',
  }))
  const page = (number: number) => ({ number, size: async () => number * 10 })
  const shop = {
    Kind: { BOOK: 'a book', GAME: 'a game' },
    Cents: new GraphQLScalarType<{ cents: number }, string>({
      name: 'Cents',
      serialize: (value) => `${(value as { cents: number }).cents} ct`,
      parseValue: (value) => ({ cents: Number.parseInt(String(value), 10) }),
      parseLiteral: (node) => ({ cents: 'value' in node ? Number.parseInt(String(node.value), 10) : 0 }),
    }),
    Query: {
      items: (_: unknown, { kind, from }: { kind?: string; from: number }) =>
        items.filter((item) => item.serial >= from && (!kind || item.kind === kind)),
      stock: async (_: unknown, key: { shop: string; item: string }) => ({ ...key, count: 3 }),
      grid: () => [Promise.resolve([items[0], null]), new Set([items[3]])],
      labels: () => ['new', 'cheap'], // values that are no objects
      found: () => [items[0], { name: 'a note', page: page(7) }],
      priced: (_: unknown, { atLeast }: { atLeast: { cents: number } }) =>
        items.filter(({ serial }) => serial * 100 >= atLeast.cents),
      bad: () => [items[0], new Error('a secret'), Promise.reject(new Error('another secret'))],
    },
    Mutation: {
      restock: (_: unknown, { code }: { code: string }) => ({
        item: items.find((item) => item.code === code),
        query: {},
      }),
    },
    Subscription: {
      restocked: {
        async *subscribe() {
          for (const restocked of items.slice(0, 2)) yield { restocked }
        },
      },
    },
    Found: { __resolveType: (found: object) => ('serial' in found ? 'Item' : 'Note') },
    Label: { text: (text: string) => text, length: (text: string) => text.length },
    Item: {
      __resolveReference: (reference: Partial<Item>) =>
        items.find(({ code, serial }) => code === reference.code || serial === reference.serial),
      serial: async ({ serial }: Item) => serial, // a key that comes later
      name: ({ code }: Item) => `item ${code}`,
      price: ({ serial }: Item) => ({ cents: serial * 100 }),
      page: ({ serial }: Item) => page(serial),
    },
  }
  const views = {
    Query: {
      latest: () => [{ serial: 3 }, { serial: 9 }],
      latestTwo: () => [{ serial: 3 }, { serial: 4 }],
      topPage: () => page(1),
    },
    Item: {
      async __resolveReference(reference: { serial: number }) {
        asked.push(reference)
        if (reference.serial === 2) return null
        return { serial: reference.serial }
      },
      views: ({ serial }: Item) => serial * 1_000,
      strict: ({ serial }: Item) => serial,
      fails: () => Promise.reject(new Error('unspeakable')),
      absent: () => undefined,
      peers: ({ serial }: Item) => [{ serial: (serial % 4) + 1 }],
      page: ({ serial }: Item) => page(serial),
    },
    Label: { loud: ({ text }: { text: string }) => text.toUpperCase() },
    Stock: { wanted: ({ shop, item }: { shop: string; item: string }) => `${item} in ${shop}` },
  }
  return { subgraphs: [subgraph('shop', shopSdl, shop), subgraph('views', viewsSdl, views)], asked }
}

export function subgraph(name: string, sdl: string, resolvers: object): Subgraph {
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers as never }])
  return { name, sdl, schema, contextOf: (request: RequestContext) => ({ request, of: name }) }
}
