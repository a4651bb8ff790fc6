import { getIntrospectionQuery, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { defaultLimits, exceededLimit } from '../../gateway/limits.ts'
import { openStand, type Stand } from './stand.ts'

const repeat = (count: number, part: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => part(index)).join(' ')

describe('limits', () => {
  let stand: Stand
  let production: Stand
  beforeAll(async () => {
    stand = await openStand()
    production = await openStand({ production: true })
  })
  afterAll(() => Promise.all([stand.close(), production.close()]))

  const nested = (depth: number) => `${'{ a '.repeat(depth)}${'}'.repeat(depth)}`
  const bomb = `{ learners { nodes { ...F0 } } } ${repeat(20, (index) => `fragment F${index} on Learner { ...F${index + 1} ...F${index + 1} }`)} fragment F20 on Learner { id }`

  it.each([
    ['120 levels', nested(120)],
    ['10,000 levels', nested(10_000)],
    ['16 aliases', `{ ${repeat(16, (index) => `a${index}: models`)} }`],
    ['1,000 aliases of __typename', `{ ${repeat(1_000, (index) => `a${index}: __typename`)} }`],
    ['11 root fields', `{ ${'models '.repeat(11)} }`],
    ['10,000 times the same field', `{ learners { nodes { ${'id '.repeat(10_000)} } } }`],
    ['21 directives', `{ models ${'@include(if: true) '.repeat(21)} }`],
    ['1,000 unknown directives', `{ models ${'@nope '.repeat(1_000)} }`],
    ['a fragment bomb', bomb],
    [
      '16 aliases behind a fragment',
      `{ learners { nodes { ...A } } } fragment A on Learner { ${repeat(16, (index) => `a${index}: id`)} }`,
    ],
    ['100,000 nested brackets', `{ echo(values: ${'['.repeat(100_000)}`],
    ['5,000 unused fragments', `{ models } ${repeat(5_000, (index) => `fragment F${index} on Learner { id }`)}`],
  ])('refuses %s briefly', async (_name, query) => {
    const { status, text, json } = await stand.post(query)
    expect([status, json.errors[0].extensions.code]).toEqual([400, 'OPERATION_LIMIT'])
    expect(text.length).toBeLessThan(2_048)
    expect(text).not.toMatch(/\d{2,}/)
  })

  it('refuses circular fragments without walking them for ever', async () => {
    const { json } = await stand.post(
      '{ learner(id: "1") { ...A } } fragment A on Learner { ...B } fragment B on Learner { ...A }',
    )
    expect(json.errors[0].message).toContain('Cannot spread fragment "A" within itself')
  })

  it('allows what is exactly at a limit', async () => {
    expect(
      (await stand.post(`{ learners { nodes { ${repeat(15, (index) => `a${index}: score`)} } } }`)).json.errors,
    ).toBeUndefined()
    expect((await stand.post(`{ ${repeat(10, (index) => `a${index}: models`)} }`)).json.errors).toBeUndefined()
    expect(exceededLimit(parse(nested(12)), defaultLimits)).toBeNull()
    expect(exceededLimit(parse(nested(13)), defaultLimits)?.message).toBe('The operation nests too deeply.')
  })

  it('refuses lists that multiply to too many objects before running them, and lets bulk viewers have more', async () => {
    const wide = 'query($n: Int) { learners(first: $n) { nodes { courses(first: 100) { id } } } }'
    const { status, json } = await stand.post(wide, { n: 100 })
    expect([status, json.errors[0].message]).toEqual([400, 'The operation may return too many objects.'])
    const bulk = await stand.post(wide, { n: 100 }, { authorization: 'Bearer bulk' })
    expect(bulk.json.data.learners.nodes).toHaveLength(100)
    expect((await stand.post(wide, { n: 50 })).json.errors).toBeUndefined()
  })

  it('refuses pages that are too large or negative', async () => {
    const page = async (first: number, token = 'ada') =>
      (await stand.post(`{ learners(first: ${first}) { totalCount } }`, {}, { authorization: `Bearer ${token}` })).json
        .errors?.[0].extensions.code
    expect(await page(100)).toBeUndefined()
    expect(await page(101)).toBe('BAD_USER_INPUT')
    expect(await page(-1)).toBe('BAD_USER_INPUT')
    expect(await page(1_000, 'bulk')).toBeUndefined()
    expect(await page(1_001, 'bulk')).toBe('BAD_USER_INPUT')
  })

  it('refuses variables that nest too deeply', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const response = await fetch(stand.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: `{"query":"query($v: [Int!]) { echo(values: $v) }","variables":{"v":${deep}}}`,
    })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'OPERATION_LIMIT' } }] })
  })

  it('returns five errors at most and folds equal ones', async () => {
    const { json } = await stand.post(`{ ${repeat(8, (index) => `f${index}`)} }`)
    expect(json.errors).toHaveLength(5)
    const folded = await stand.post('{ learners(first: 100) { nodes { fragile } } }')
    expect(
      folded.json.errors.map(({ extensions }: { extensions: { count?: number } }) => extensions.count ?? 1),
    ).toEqual([50, 1])
  })

  it('lets GraphiQL introspect, and nobody in production', async () => {
    const introspection = getIntrospectionQuery({
      descriptions: true,
      schemaDescription: true,
      inputValueDeprecation: true,
      directiveIsRepeatable: true,
    })
    const { json } = await stand.post(introspection)
    expect(json.errors).toBeUndefined()
    expect(json.data.__schema.subscriptionType.name).toBe('Subscription')
    const refused = await production.post(introspection)
    expect(refused.json.data).toBeUndefined()
    expect(refused.json.errors).toHaveLength(1)
  })

  it('says in production no more than that a query is not valid', async () => {
    for (const query of [
      '{ modles }',
      '{ learners { nodes { nmae } } }',
      '{ learner(id: 1) }',
      '{ _service { sdl } }',
      '{ __type(name: "Learner") { name } }',
    ]) {
      const { json } = await production.post(query)
      expect(json.errors.map(({ message }: { message: string }) => message)).toEqual([
        'The operation is not valid in this graph.',
      ])
    }
    expect((await production.post('{ models }')).json).toEqual({ data: { models: ['churn'] } })
  })
})
