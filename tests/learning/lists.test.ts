import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { NOW, openSchool, type School } from './school.ts'

interface Learner {
  readonly id: string
  readonly name: string
  readonly country: string | null
  readonly joinedAt: Date
}

let database: Database
let school: School
let all: Learner[]

beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database)
  school = openSchool(database)
  all = (await database.query<Learner>('SELECT * FROM learning."Learner"')).rows
})
afterAll(() => database.close())

const LEARNERS = `query ($where: LearnerWhere, $orderBy: LearnerOrder, $first: Int, $after: String, $last: Int, $before: String) {
  learners(where: $where, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
    totalCount nodes { id } edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

async function find(where: object): Promise<string[]> {
  const { learners } = await school.read(LEARNERS, { where, first: 100 })
  expect(learners.totalCount).toBe(learners.nodes.length)
  return idsOf(learners.nodes).sort()
}

function idsOf(rows: readonly { readonly id: string }[]): string[] {
  return rows.map(({ id }) => id)
}

function expected(holds: (learner: Learner) => boolean): string[] {
  return idsOf(all.filter(holds)).sort()
}

async function refusal(variables: Record<string, unknown>, source = LEARNERS) {
  const { errors, statements } = await school.ask(source, variables)
  return { code: errors?.[0]?.extensions.code, message: errors?.[0]?.message, statements }
}

describe('where', () => {
  it('finds names by their parts, whatever the case', async () => {
    expect(await find({ name: { contains: 'E C' } })).toEqual(expected(({ name }) => name.includes('e c')))
    expect(await find({ name: { startsWith: 'NAME B' } })).toEqual(expected(({ name }) => name.startsWith('name b')))
    expect(await find({ name: { equals: 'name d' } })).toEqual(expected(({ name }) => name === 'name d'))
    expect(await find({ name: { contains: 'a', startsWith: 'name c' } })).toEqual(
      expected(({ name }) => name.startsWith('name c')),
    )
  })

  it('takes % and _ and \\ for what they are', async () => {
    for (const contains of ['%', '_', '\\', 'n%e']) expect(await find({ name: { contains } })).toEqual([])
  })

  it('finds by country, moment, key and absence of conditions', async () => {
    expect(await find({ country: { equals: 'ghana' } })).toEqual(expected(({ country }) => country === 'ghana'))
    expect(await find({ country: { in: ['ghana', 'nepal'] } })).toEqual(
      expected(({ country }) => country === 'ghana' || country === 'nepal'),
    )
    const day = new Date(NOW.getTime() - 4 * 86_400_000)
    expect(await find({ joinedAt: { gte: day.toISOString() } })).toEqual(expected(({ joinedAt }) => joinedAt >= day))
    expect(await find({ joinedAt: { gt: day.toISOString() } })).toEqual(expected(({ joinedAt }) => joinedAt > day))
    expect(await find({ joinedAt: { lte: day.toISOString() } })).toEqual(expected(({ joinedAt }) => joinedAt <= day))
    expect(await find({ id: { in: ['l3', 'l5', 'nobody'] } })).toEqual(['l3', 'l5'])
    expect(await find({ id: { in: [] } })).toEqual([])
    expect(await find({ name: null, country: {} })).toHaveLength(all.length)
  })

  it('finds who pays now and who is enrolled where', async () => {
    const number = ({ id }: Learner) => Number(id.slice(1))
    const pays = (learner: Learner) => number(learner) % 2 === 0 && number(learner) % 4 !== 0
    expect(await find({ hasRunningSubscription: true })).toEqual(expected(pays))
    expect(await find({ hasRunningSubscription: false })).toEqual(expected((learner) => !pays(learner)))
    const inP1 = (learner: Learner) => number(learner) % 4 === 1 || number(learner) % 4 === 0
    expect(await find({ enrolledIn: 'p1' })).toEqual(expected(inP1))
    expect(await find({ enrolledInCourse: 'c1', hasRunningSubscription: true })).toEqual(
      expected((learner) => inP1(learner) && pays(learner)),
    )
  })

  it('filters lists below a row, and counts what is left', async () => {
    const { learner } = await school.read(`{ learner(id: "l9") {
      all: attempts(first: 100) { totalCount nodes { id score } }
      high: attempts(first: 100, where: { score: { gte: 50 } }) { totalCount nodes { score } }
      none: attempts(where: { isScored: false }) { totalCount nodes { score } }
      one: attempts(where: { objectiveId: { equals: "p1o1" } }) { totalCount }
      forum: activities(where: { kind: FORUM }) { totalCount nodes { kind } } } }`)
    const scores = learner.all.nodes.map(({ score }: { score: number | null }) => score)
    expect(learner.all.totalCount).toBe(scores.length)
    expect(learner.high.totalCount).toBe(scores.filter((score: number | null) => score !== null && score >= 50).length)
    expect(learner.high.nodes.every(({ score }: { score: number }) => score >= 50)).toBe(true)
    expect(learner.none.totalCount).toBe(scores.filter((score: number | null) => score === null).length)
    expect(learner.none.totalCount).toBeGreaterThan(0)
    expect(learner.one.totalCount).toBe(3)
    expect(learner.forum).toEqual({ totalCount: 8, nodes: Array(8).fill({ kind: 'FORUM' }) })
  })
})

/** Empty values last whatever the direction, ties by key in the same direction. */
function sorted(by: (learner: Learner) => string | number | null, direction: 1 | -1): string[] {
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
  return idsOf(
    [...all].sort((one, other) => {
      const [a, b] = [by(one), by(other)]
      if ((a === null) !== (b === null)) return a === null ? 1 : -1
      const order = a !== null && b !== null ? compare(a, b) : 0
      return direction * (order || compare(one.id, other.id))
    }),
  )
}

const orders: Record<string, (learner: Learner) => string | number | null> = {
  NAME: ({ name }) => name,
  JOINED_AT: ({ joinedAt }) => joinedAt.getTime(),
  COUNTRY: ({ country }) => country,
  ID: ({ id }) => id,
}

describe('pages', () => {
  it.each(Object.keys(orders).flatMap((order) => [`${order}_ASC`, `${order}_DESC`]))(
    'walks the whole list by %s, forwards and backwards',
    async (orderBy) => {
      const by = orders[orderBy.replace(/_(ASC|DESC)$/, '')]!
      const whole = sorted(by, orderBy.endsWith('_ASC') ? 1 : -1)
      const forwards: string[] = []
      for (let after: string | null = null, more = true; more; ) {
        const { learners } = await school.read(LEARNERS, { orderBy, first: 7, after })
        expect(learners.pageInfo.hasPreviousPage).toBe(after !== null)
        forwards.push(...idsOf(learners.nodes))
        after = learners.pageInfo.endCursor
        more = learners.pageInfo.hasNextPage
      }
      expect(forwards).toEqual(whole)
      const backwards: string[] = []
      for (let before: string | null = null, more = true; more; ) {
        const { learners } = await school.read(LEARNERS, { orderBy, last: 7, before })
        expect(learners.pageInfo.hasNextPage).toBe(before !== null)
        backwards.unshift(...idsOf(learners.nodes))
        before = learners.pageInfo.startCursor
        more = learners.pageInfo.hasPreviousPage
      }
      expect(backwards).toEqual(whole)
    },
  )

  it('walks lists below a row by a score that is empty here and there', async () => {
    const source = `query ($after: String, $orderBy: AttemptOrder) { learner(id: "l9") { attempts(first: 4, after: $after, orderBy: $orderBy) {
      nodes { id score } pageInfo { hasNextPage endCursor } } } }`
    for (const orderBy of ['SCORE_ASC', 'SCORE_DESC']) {
      const seen: { id: string; score: number | null }[] = []
      for (let after: string | null = null, more = true; more; ) {
        const { learner } = await school.read(source, { after, orderBy })
        seen.push(...learner.attempts.nodes)
        after = learner.attempts.pageInfo.endCursor
        more = learner.attempts.pageInfo.hasNextPage
      }
      expect(new Set(idsOf(seen)).size).toBe(18)
      expect(seen).toHaveLength(18)
      const scores = seen.map(({ score }) => score)
      const known = scores.filter((score) => score !== null)
      expect(scores.slice(known.length).every((score) => score === null)).toBe(true)
      expect(known).toEqual([...known].sort((a, b) => (orderBy === 'SCORE_ASC' ? a - b : b - a)))
    }
  })

  it('walks lists whose key has several columns', async () => {
    const source = `query ($after: String) { learner(id: "l9") { activities(first: 3, after: $after, orderBy: CLICKS_DESC) {
      nodes { day kind clicks presentation { id } } pageInfo { hasNextPage endCursor } } } }`
    const seen: { clicks: number }[] = []
    for (let after: string | null = null, more = true; more; ) {
      const { learner } = await school.read(source, { after })
      seen.push(...learner.activities.nodes)
      after = learner.activities.pageInfo.endCursor
      more = learner.activities.pageInfo.hasNextPage
    }
    expect(new Set(seen.map((row) => JSON.stringify(row))).size).toBe(16)
    expect(seen.map(({ clicks }) => clicks)).toEqual([10, 7, 4, 1].flatMap((clicks) => Array(4).fill(clicks)))
  })

  it('goes on from a row that was deleted meanwhile', async () => {
    await database.query(
      `INSERT INTO learning."Learner" ("id", "name", "joinedAt") VALUES ('gone', 'name a 00', now())`,
    )
    const { learners } = await school.read(LEARNERS, { first: 100, where: { id: { in: ['gone', 'l21'] } } })
    const [gone] = learners.edges
    expect(gone.node.id).toBe('gone')
    await database.query(`DELETE FROM learning."Learner" WHERE "id" = 'gone'`)
    const next = await school.read(LEARNERS, { after: gone.cursor, first: 100, where: { id: { in: ['gone', 'l21'] } } })
    expect(idsOf(next.learners.nodes)).toEqual(['l21'])
  })

  it('has 20 rows by default, none for first: 0, and only rows between two cursors', async () => {
    const { learners } = await school.read(LEARNERS)
    expect(learners.nodes).toHaveLength(20)
    const none = (await school.read(LEARNERS, { first: 0 })).learners
    expect(none).toMatchObject({ nodes: [], totalCount: 60, pageInfo: { hasNextPage: true, endCursor: null } })
    const [after, before] = [learners.edges[3].cursor, learners.edges[8].cursor]
    const between = (await school.read(LEARNERS, { after, before, first: 20 })).learners
    expect(idsOf(between.nodes)).toEqual(idsOf(learners.nodes.slice(4, 8)))
  })
})

describe('what is refused before it reaches the database', () => {
  const cursor = (...values: unknown[]) => Buffer.from(JSON.stringify(values)).toString('base64url')
  it.each<[string, Record<string, unknown>]>([
    ['a negative page', { first: -1 }],
    ['a negative page from the end', { last: -1 }],
    ['a page over the cap', { first: 1001 }],
    ['a page from both ends', { first: 1, last: 1 }],
    ['a cursor that is none', { after: 'nonsense' }],
    ['a cursor that is no list', { after: Buffer.from('{}').toString('base64url') }],
    ['a cursor with a NUL', { after: cursor('Learner.NAME_ASC', 'a\0', 'l1') }],
    ['a cursor with a number for a name', { after: cursor('Learner.NAME_ASC', 1, 'l1') }],
    ['a cursor that is too short', { after: cursor('Learner.NAME_ASC', 'a') }],
    ['a cursor of another order', { after: cursor('Learner.NAME_ASC', 'a', 'l1'), orderBy: 'ID_ASC' }],
    [
      'a cursor in the year 275760',
      { before: cursor('Learner.JOINED_AT_ASC', '+275760-01-01T00:00:00.000Z', 'l1'), orderBy: 'JOINED_AT_ASC' },
    ],
    ['a NUL', { where: { name: { contains: 'a\0b' } } }],
    ['half a surrogate pair', { where: { name: { startsWith: '\ud800' } } }],
    ['half a surrogate pair in a list', { where: { id: { in: ['l1', '\udc00'] } } }],
    ['more than a thousand keys', { where: { id: { in: Array(1001).fill('l1') } } }],
    ['a NUL in a key', { where: { enrolledIn: '\0' } }],
  ])('is %s', async (_what, variables) => {
    expect(await refusal(variables)).toMatchObject({ code: 'BAD_USER_INPUT', statements: 0 })
  })

  it('is broken text in literals and representations', async () => {
    expect(await refusal({}, '{ learner(id: "l\\u0000") { id } }')).toMatchObject({
      code: 'BAD_USER_INPUT',
      statements: 0,
    })
    const entities = 'query ($r: [_Any!]!) { _entities(representations: $r) { ... on Learner { id } } }'
    expect(await refusal({ r: [{ __typename: 'Learner', id: '\ud800' }] }, entities)).toMatchObject({
      code: 'BAD_USER_INPUT',
      statements: 0,
    })
  })

  it('is a page over 100 for a viewer who does not have the scope for more, also below a row', async () => {
    const viewer = { id: 'v', tenant: 'default', scopes: ['learning:read'] }
    const { errors } = await school.ask('{ learners(first: 101) { nodes { id } } }', {}, { viewer })
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    const nested = await school.ask(
      '{ learners(first: 1) { nodes { attempts(first: 101) { totalCount } } } }',
      {},
      { viewer },
    )
    expect(nested.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect((await school.ask('{ learners(first: 100) { totalCount } }', {}, { viewer })).errors).toBeUndefined()
  })

  it('is an order or an operator that does not exist', async () => {
    const { errors } = await school.ask(LEARNERS, { orderBy: 'name; DROP TABLE' })
    expect(errors).toHaveLength(1)
    expect((await school.ask(LEARNERS, { where: { id: { not: '' } } })).errors).toHaveLength(1)
  })
})
