import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { joinedGraph, subgraph } from './joined-graph.ts'
import { requestOf, silent } from './stand.ts'

const options = { requestOf, log: silent, production: false, transport: 'local' } as const
const client = { transport: 'http', headers: {}, requestId: 'the-same' } as const

async function ask(gateway: Gateway, query: string, variables: Record<string, unknown> = {}): Promise<unknown> {
  const answer = await gateway.run(await gateway.open(client), { query, variables })
  if (!(Symbol.asyncIterator in answer)) return JSON.parse(JSON.stringify(answer))
  const events: unknown[] = []
  for await (const event of answer) events.push(JSON.parse(JSON.stringify(event)))
  return events
}

const queries: [name: string, query: string, variables?: Record<string, unknown>][] = [
  ['a join by the second of two keys, which comes later', '{ items { name views } }'],
  ['a join back to where the rest is known', '{ latestTwo { name views kind } }'],
  ['there and back again', '{ items(kind: BOOK) { peers { name peers { code views } } } }'],
  ['an entity that is not there', '{ items(kind: GAME) { code views page { number } } }'],
  ['failures of one subgraph', '{ items { code fails absent } }'],
  ['a composite key', '{ stock(shop: "s", item: "c1") { count wanted } }'],
  ['a type that both hold', '{ topPage { number size } items { page { size } } }'],
  ['lists of lists with holes, and an iterable', '{ grid { code views } }'],
  ['a union', '{ found { __typename ... on Item { code views } ... on Note { page { size } } } }'],
  ['an interface', '{ found { ... on Named { __typename name } } }'],
  [
    'values inside the process: an enum and a scalar',
    '{ items(kind: GAME) { kind price } priced(atLeast: 300) { price } }',
  ],
  [
    'the same by variables',
    'query($k: Kind, $c: Cents!) { items(kind: $k) { kind } priced(atLeast: $c) { code } }',
    { k: 'GAME', c: '400' },
  ],
  ['a default', '{ items { kind } }'],
  ['a mutation', 'mutation { restock(code: "c3") { item { name views } } }'],
  [
    'mutations in their order',
    'mutation { a: restock(code: "c1") { item { views } } b: restock(code: "c4") { item { views } } }',
  ],
  ['values that are no objects', '{ labels { text length loud } }'],
  ['a subscription', 'subscription { restocked { name views } }'],
  ['a key that is asked for by another name', '{ items { no: serial title: name seen: views } }'],
]

describe('subgraphs executed as one schema', () => {
  let joined: Gateway
  let planned: Gateway
  const graph = joinedGraph()
  beforeAll(async () => {
    joined = await createGateway({ ...options, subgraphs: graph.subgraphs })
    planned = await createGateway({ ...options, subgraphs: joinedGraph().subgraphs, planner: 'rust' })
  })
  afterAll(() => Promise.all([joined.close(), planned.close()]))

  it.each(queries)('answer %s as a plan does', async (_name, query, variables) => {
    expect([joined.planner, planned.planner]).toEqual(['none', 'rust'])
    const answer = await ask(joined, query, variables)
    expect(answer).toEqual(await ask(planned, query, variables))
    expect(JSON.stringify(answer)).toContain('"data"')
  })

  it('mask what is thrown and what is returned as an error', async () => {
    const answer = await ask(joined, '{ bad { code } }')
    expect(answer).toMatchObject({
      data: { bad: [{ code: 'c1' }, null, null] },
      errors: [{ message: 'Something went wrong (request the-same)', path: ['bad', 1], extensions: { count: 2 } }],
    })
    expect(JSON.stringify(answer)).not.toContain('secret')
  })

  it('say so where one names what another has no longer, and lose no more than that', async () => {
    const errors = [
      { message: 'This Item is not there any more.', path: ['latest', 1, 'name'], extensions: { code: 'NOT_FOUND' } },
    ]
    expect(await ask(joined, '{ latest { name views } }')).toMatchObject({
      data: { latest: [{ name: 'item c3', views: 3_000 }, null] },
      errors,
    })
  })

  it('ask for an entity once, whatever is selected of it', async () => {
    graph.asked.length = 0
    expect(await ask(joined, '{ items(kind: BOOK) { a: views b: views strict absent } }')).toMatchObject({
      data: { items: [{ a: 1_000, strict: 1 }, { b: 3_000 }] },
    })
    expect(graph.asked).toEqual([
      { __typename: 'Item', serial: 1 },
      { __typename: 'Item', serial: 3 },
    ])
  })
})

const link = (names: string) =>
  `extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: [${names}])\n`

it('plans in one process too where a field needs more than a key', async () => {
  const goods = subgraph(
    'goods',
    `${link('"@key"')} type Query { goods: [Good!]! } type Good @key(fields: "id") { id: ID! grams: Int! }`,
    { Query: { goods: () => [{ id: '1', grams: 200 }] } },
  )
  const post = subgraph(
    'post',
    `${link('"@key", "@requires", "@external"')}
    type Good @key(fields: "id") { id: ID! grams: Int! @external postage: Int! @requires(fields: "grams") }`,
    { Good: { postage: ({ grams }: { grams: number }) => grams * 2 } },
  )
  const gateway = await createGateway({ ...options, subgraphs: [goods, post] })
  expect(gateway.planner).toBe('rust')
  expect(await ask(gateway, '{ goods { id postage } }')).toEqual({ data: { goods: [{ id: '1', postage: 400 }] } })
  await gateway.close()
})

it('plans where one name is two enums inside the process', async () => {
  const sdl = (field: string) => `${link('"@shareable"')} type Query { ${field}: Mood! } enum Mood { GOOD BAD }`
  const one = subgraph('one', sdl('mine'), { Mood: { GOOD: 1, BAD: 2 }, Query: { mine: () => 2 } })
  const two = subgraph('two', sdl('yours'), { Mood: { GOOD: 'a', BAD: 'b' }, Query: { yours: () => 'a' } })
  const gateway = await createGateway({ ...options, subgraphs: [one, two] })
  expect(gateway.planner).toBe('rust')
  expect(await ask(gateway, '{ mine yours }')).toEqual({ data: { mine: 'BAD', yours: 'GOOD' } })
  await gateway.close()
})

it('plans where a key is a structure', async () => {
  const sdl = `type Query { parts: [Part!]! } type Part @key(fields: "maker { id } number") { maker: Maker! number: Int! }
    type Maker @shareable { id: ID! }`
  const parts = subgraph('parts', `${link('"@key", "@shareable"')} ${sdl}`, {
    Query: { parts: () => [{ maker: { id: 'm' }, number: 4 }] },
  })
  const weights = subgraph(
    'weights',
    `${link('"@key", "@shareable"')} type Part @key(fields: "maker { id } number") { maker: Maker! number: Int! grams: Int! }
    type Maker @shareable { id: ID! }`,
    { Part: { grams: ({ number }: { number: number }) => number * 10 } },
  )
  const gateway = await createGateway({ ...options, subgraphs: [parts, weights] })
  expect(gateway.planner).toBe('rust')
  expect(await ask(gateway, '{ parts { grams } }')).toEqual({ data: { parts: [{ grams: 40 }] } })
  await gateway.close()
})
