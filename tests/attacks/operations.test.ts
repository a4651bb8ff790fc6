import { getIntrospectionQuery, parse } from 'graphql'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { defaultLimits, exceededLimit } from '../../gateway/limits.ts'
import { type Answer, ask, openStand, type Stand } from '../gateway/stand.ts'
import { expectHealthy, expectRefusal, repeat } from './refusal.ts'

const nested = (depth: number) => `${'{ a '.repeat(depth)}${'}'.repeat(depth)}`
const bomb = `{ learners { nodes { ...F0 } } } ${repeat(20, (index) => `fragment F${index} on Learner { ...F${index + 1} ...F${index + 1} }`)} fragment F20 on Learner { id }`
const wide = 'query($n: Int) { learners(first: $n) { nodes { courses(first: 100) { id } } } }'

/** Rows of the attack table that are one operation each: what it is, and the code of its refusal. */
const operations: [row: string, query: string, code: string, variables?: object][] = [
  ['row 1: 120 levels', nested(120), 'OPERATION_LIMIT'],
  ['row 1: 10,000 levels', nested(10_000), 'OPERATION_LIMIT'],
  ['row 2: lists that multiply to 10,000 objects and more', wide, 'OPERATION_LIMIT', { n: 100 }],
  ['row 3: a page of 100,000', '{ learners(first: 100000) { totalCount } }', 'BAD_USER_INPUT'],
  ['row 3: a page of 101', '{ learners(first: 101) { totalCount } }', 'BAD_USER_INPUT'],
  ['row 3: a negative page', '{ learners(first: -1) { totalCount } }', 'BAD_USER_INPUT'],
  ['row 3: first and last together', '{ learners(first: 1, last: 1) { totalCount } }', 'BAD_USER_INPUT'],
  ['row 3: a negative page in a variable', wide, 'BAD_USER_INPUT', { n: -5 }],
  ['row 4: 1,000 aliases', `{ ${repeat(1_000, (index) => `a${index}: models`)} }`, 'OPERATION_LIMIT'],
  ['row 4: 1,000 aliases of __typename', `{ ${repeat(1_000, (index) => `a${index}: __typename`)} }`, 'OPERATION_LIMIT'],
  ['row 5: 16 aliases', `{ learners { nodes { ${repeat(16, (index) => `a${index}: score`)} } } }`, 'OPERATION_LIMIT'],
  [
    'row 5: 16 aliases behind a fragment',
    `{ learners { nodes { ...A } } } fragment A on Learner { ${repeat(16, (index) => `a${index}: id`)} }`,
    'OPERATION_LIMIT',
  ],
  ['row 6: 10,000 times the same field', `{ learners { nodes { ${'id '.repeat(10_000)} } } }`, 'OPERATION_LIMIT'],
  ['row 6: 11 root fields', `{ ${'models '.repeat(11)} }`, 'OPERATION_LIMIT'],
  ['row 7: 21 directives', `{ models ${'@include(if: true) '.repeat(21)} }`, 'OPERATION_LIMIT'],
  ['row 7: 1,000 unknown directives', `{ models ${'@nope '.repeat(1_000)} }`, 'OPERATION_LIMIT'],
  ['row 7: 15 unknown directives', `{ models ${'@nope '.repeat(15)} }`, 'GRAPHQL_VALIDATION_FAILED'],
  [
    'row 8: circular fragments',
    '{ learner(id: "1") { ...A } } fragment A on Learner { ...B } fragment B on Learner { ...A }',
    'GRAPHQL_VALIDATION_FAILED',
  ],
  ['row 8: a fragment bomb of 2^20', bomb, 'OPERATION_LIMIT'],
  [
    'row 8: 5,000 unused fragments',
    `{ models } ${repeat(5_000, (index) => `fragment F${index} on Learner { id }`)}`,
    'OPERATION_LIMIT',
  ],
  ['row 10: 100,000 nested brackets in a literal', `{ echo(values: ${'['.repeat(100_000)}`, 'OPERATION_LIMIT'],
  ['row 20: a number beyond Int', '{ echo(values: [2147483648]) }', 'GRAPHQL_VALIDATION_FAILED'],
]

describe.each(['local', 'http'] as const)('operations over the %s transport', (transport) => {
  let stand: Stand
  beforeAll(async () => {
    stand = await openStand({ transport })
  })
  afterAll(() => stand.close())
  afterEach(() => expectHealthy(stand))
  const strict = (query: string, variables?: object) =>
    stand.post(query, variables, { accept: 'application/graphql-response+json' })

  it.each(operations)('refuses %s', async (_row, query, code, variables) => {
    const before = structuredClone(stand.graph.seen)
    // What a refusal repeats of the text is the client's own: only the inside may not show.
    expectRefusal(withoutEcho(await strict(query, variables)), code)
    expect(stand.graph.seen).toEqual(before) // no subgraph was asked
  })

  it('row 5: 15 aliases of a predicted field cost one call of its subgraph and one batch', async () => {
    const before = stand.graph.seen.batches.length
    const calls = stand.graph.seen.entityCalls
    const query = `{ learners(first: 100) { nodes { ${repeat(15, (index) => `a${index}: score`)} } } }`
    expect((await stand.post(query)).json.errors).toBeUndefined()
    expect(stand.graph.seen.entityCalls - calls).toBeLessThanOrEqual(2)
    expect(stand.graph.seen.batches.length - before).toBe(1)
  })

  it.each([
    ['row 16: NUL in a variable', { t: 'a\u0000b' }],
    ['row 16: half a character in a variable', { t: '\ud800' }],
  ])('refuses %s', async (_row, variables) => {
    expectRefusal(await strict('query($t: String) { echo(text: $t) }', variables), 'BAD_USER_INPUT')
  })

  it.each([
    ['row 10: 100,000 nested brackets', 100_000],
    ['row 18: a value of 10,000 levels', 10_000],
  ])('refuses %s in variables', async (_row, depth) => {
    const value = `${'['.repeat(depth)}${']'.repeat(depth)}`
    const body = `{"query":"query($v: [Int!]) { echo(values: $v) }","variables":{"v":${value}}}`
    const headers = { 'content-type': 'application/json', accept: 'application/graphql-response+json' }
    expectRefusal(await ask(stand.url, { method: 'POST', headers, body }), 'OPERATION_LIMIT')
  })

  it('row 16: refuses NUL in a literal, before any database could', async () => {
    expectRefusal(await strict('{ echo(text: "a\\u0000b") }'), 'BAD_USER_INPUT')
  })

  it('row 17: takes __proto__, constructor and prototype for words like any other', async () => {
    const body = `{"query":"query($v: [Int!]) { echo(values: $v) }","variables":{"v":[1],"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}`
    const response = await fetch(stand.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(await response.json()).toEqual({ data: { echo: '{"values":[1]}' } })
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      const { json } = await stand.post(`query($${name}: ID!) { learner(id: $${name}) { name } }`, { [name]: '4' })
      expect([name, json.errors?.[0].extensions.code ?? json.data]).toEqual([
        name,
        name === '__proto__' ? expect.anything() : { learner: { name: 'Learner 4' } },
      ])
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('row 20: refuses an infinite number', async () => {
    const { json } = await strict('{ learner(id: "1") { score(scale: 1e400) } }')
    expect(json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
  })

  it('row 20: keeps -0 and the largest Int as they are', async () => {
    expect((await stand.post('{ echo(values: [-0, 2147483647]) }')).json.data.echo).toMatch(
      /^{"values":\[-?0,2147483647\]}$/,
    )
  })

  it('returns five errors at most and folds equal ones', async () => {
    const { json } = await stand.post(`{ ${repeat(8, (index) => `f${index}`)} }`)
    expect(json.errors).toHaveLength(5)
    const folded = await stand.post('{ learners(first: 100) { nodes { fragile } } }')
    expect(
      folded.json.errors.map(({ extensions }: { extensions: { count?: number } }) => extensions.count ?? 1),
    ).toEqual([50, 1])
  })

  it('row 2: lets bulk viewers have more objects and larger pages', async () => {
    const as = (token: string) => ({ authorization: `Bearer ${token}` })
    expect((await stand.post(wide, { n: 100 }, as('bulk'))).json.data.learners.nodes).toHaveLength(100)
    expect((await stand.post(wide, { n: 50 })).json.errors).toBeUndefined()
    const page = '{ learners(first: 1000) { totalCount } }'
    expect((await stand.post(page, {}, as('bulk'))).json.errors).toBeUndefined()
    expect((await stand.post(page.replace('1000', '1001'), {}, as('bulk'))).status).toBe(200)
  })
})

it('allows what is exactly at a limit', () => {
  expect(exceededLimit(parse(nested(12)), defaultLimits)).toBeNull()
  expect(exceededLimit(parse(nested(13)), defaultLimits)?.message).toBe('The operation nests too deeply.')
})

describe.each(['local', 'http'] as const)('row 13: production over the %s transport', (transport) => {
  let stand: Stand
  beforeAll(async () => {
    stand = await openStand({ production: true, transport })
  })
  afterAll(() => stand.close())

  it.each([
    '{ modles }',
    '{ learners { nodes { nmae } } }',
    '{ learner(id: 1) }',
    '{ _service { sdl } }',
    '{ _entities(representations: []) { __typename } }',
    '{ __type(name: "Learner") { name } }',
    getIntrospectionQuery(),
  ])('says no more about %s than that it is not valid', async (query) => {
    const { json } = await stand.post(query)
    expect(json.errors.map(({ message }: { message: string }) => message)).toEqual([
      'The operation is not valid in this graph.',
    ])
    expect(json.data).toBeUndefined()
  })

  it('row 14: has no page for browsers', async () => {
    const response = await fetch(stand.url, { headers: { accept: 'text/html' } })
    expect([response.status, (await response.text()).length < 300]).toEqual([404, true])
  })
})

it('row 13: lets GraphiQL introspect where this is no production', async () => {
  const stand = await openStand()
  const { json } = await stand.post(getIntrospectionQuery({ descriptions: true, inputValueDeprecation: true }))
  expect(json.data.__schema.subscriptionType.name).toBe('Subscription')
  await stand.close()
})

function withoutEcho(answer: Answer): Answer {
  return { ...answer, text: answer.text.replace(/"message":"[^"]*"/g, (message) => message.replace(/\d/g, '#')) }
}
