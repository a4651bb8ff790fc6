import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { subgraph } from './joined-graph.ts'
import { requestOf, silent } from './stand.ts'

const link = 'extend schema @link(url: "https://specs.apollo.dev/federation/v2.6", import: ["@key"])\n'

/** Books with their names, and another subgraph that rates them: all of a list at once where it may, else one by one. */
function library() {
  const seen = { prepared: [] as { ids: string[]; args: object; aliases: string[] }[], alone: [] as string[] }
  const known = new Map<string, number>()
  let fault: 'none' | 'throws' | 'rejects' = 'none'
  const ratingOf = (id: string, scale: number) => scale * Number(id)
  const books = subgraph(
    'books',
    `${link} type Query { books(first: Int! = 3): [Book!]! shelves: [Shelf!]! book: Book! }
      type Shelf { books: [Book] } type Book @key(fields: "id") { id: ID! name: String! shelf: Shelf! }`,
    {
      Query: {
        books: async (_: unknown, { first }: { first: number }) =>
          Array.from({ length: first }, (_, at) => ({ id: String(at + 1), name: `book ${at + 1}` })),
        shelves: () => [{ books: [{ id: '1' }, null, { id: '2' }] }, { books: [{ id: '3' }] }],
        book: () => ({ id: '9', name: 'book 9' }),
      },
      Book: { shelf: async () => ({ books: [] }) },
    },
  )
  const ratings = subgraph(
    'ratings',
    `${link} type Query { bestBooks: [Book!]! } type Book @key(fields: "id") { id: ID! rating(scale: Int! = 1): Int }`,
    {
      Query: { bestBooks: () => [{ id: '7' }, { id: '8' }] },
      Book: {
        rating({ id }: { id: string }, { scale }: { scale: number }) {
          if (scale > 99) throw new GraphQLError('That scale is too large.', { extensions: { code: 'BAD_USER_INPUT' } })
          const value = known.get(`${id} ${scale}`)
          if (value !== undefined) return value
          seen.alone.push(id)
          return Promise.resolve(ratingOf(id, scale))
        },
      },
    },
  )
  const type = ratings.schema.getType('Book') as unknown as {
    getFields(): Record<string, { extensions: Record<string, unknown> }>
  }
  type.getFields().rating!.extensions = {
    prepare(entities: { id: string }[], args: { scale: number }, _context: object, info: GraphQLResolveInfo) {
      const aliases = info.fieldNodes.map(({ alias, name }) => (alias ?? name).value)
      seen.prepared.push({ ids: entities.map(({ id }) => id), args: { ...args }, aliases })
      if (fault === 'throws' || args.scale > 99) throw new Error('cannot')
      if (fault === 'rejects') return Promise.reject(new Error('could not'))
      return Promise.resolve().then(() => {
        for (const { id } of entities) known.set(`${id} ${args.scale}`, ratingOf(id, args.scale))
      })
    },
  }
  return {
    subgraphs: [books, ratings],
    seen,
    reset(next: typeof fault = 'none') {
      fault = next
      known.clear()
      seen.prepared.length = 0
      seen.alone.length = 0
    },
  }
}

describe('a field that can be prepared for many', () => {
  const { subgraphs, seen, reset } = library()
  let gateway: Gateway
  beforeAll(async () => {
    gateway = await createGateway({ requestOf, log: silent, production: false, transport: 'local', subgraphs })
    expect(gateway.planner).toBe('none')
  })
  afterAll(() => gateway.close())
  beforeEach(() => reset())

  async function ask(query: string, variables = {}) {
    const operation = await gateway.open({ transport: 'http', headers: {}, requestId: 'r' })
    return JSON.parse(JSON.stringify(await gateway.run(operation, { query, variables })))
  }

  it('is asked once for all items of a list, by the entities that they stand for', async () => {
    const { data } = await ask('query ($s: Int!) { books { name rating ten: rating(scale: $s) } }', { s: 10 })
    expect(data.books[2]).toEqual({ name: 'book 3', rating: 3, ten: 30 })
    expect(seen.prepared).toEqual([
      { ids: ['1', '2', '3'], args: { scale: 1 }, aliases: ['rating'] },
      { ids: ['1', '2', '3'], args: { scale: 10 }, aliases: ['ten'] },
    ])
    expect(seen.alone).toEqual([])
  })

  it('is so through fragments, in lists within lists, and for entities of its own subgraph', async () => {
    await ask('{ books { ...R ... on Book { rating } __typename } } fragment R on Book { rating id }')
    expect(seen.prepared).toEqual([{ ids: ['1', '2', '3'], args: { scale: 1 }, aliases: ['rating', 'rating'] }])
    reset()
    const { data } = await ask('{ shelves { books { rating } } bestBooks { rating } }')
    expect(data.shelves).toEqual([{ books: [{ rating: 1 }, null, { rating: 2 }] }, { books: [{ rating: 3 }] }])
    expect(data.bestBooks).toEqual([{ rating: 7 }, { rating: 8 }])
    expect(seen.prepared.map(({ ids }) => ids).sort()).toEqual([
      ['1', '2'],
      ['7', '8'],
    ])
    expect(seen.alone).toEqual(['3'])
  })

  it('is left to itself for one entity, and beside what would have to wait for it', async () => {
    expect((await ask('{ book { rating } books(first: 1) { rating } }')).data).toEqual({
      book: { rating: 9 },
      books: [{ rating: 1 }],
    })
    await ask('{ books { rating shelf { books { id } } } }')
    await ask('query ($yes: Boolean!) { books { rating @include(if: $yes) } }', { yes: true })
    expect(seen.prepared).toEqual([])
    expect(seen.alone).toHaveLength(8)
  })

  it.each(['throws', 'rejects'] as const)('is found one by one where preparing it %s', async (fault) => {
    reset(fault)
    const answer = await ask('{ books { rating } }')
    expect(answer).toEqual({ data: { books: [{ rating: 1 }, { rating: 2 }, { rating: 3 }] } })
    expect([seen.prepared.length, seen.alone.length]).toEqual([1, 3])
  })

  it('says itself what is wrong with its arguments', async () => {
    const { data, errors } = await ask('{ books { name rating(scale: 100) } }')
    expect(data.books[0]).toEqual({ name: 'book 1', rating: null })
    expect(errors).toMatchObject([{ message: 'That scale is too large.', path: ['books', 0, 'rating'] }])
  })
})
