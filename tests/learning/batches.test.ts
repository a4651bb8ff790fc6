import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { openSchool, type School } from './school.ts'

let database: Database
let school: School

beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database, { learners: 1200, objectives: 10 })
  school = openSchool(database)
})
afterAll(() => database.close())

async function cost(source: string, variables?: Record<string, unknown>) {
  const { errors, statements, milliseconds, data } = await school.ask(source, variables)
  expect(errors).toBeUndefined()
  return { statements, milliseconds, data: data as never }
}

const NESTED = `query ($n: Int!) { learners(first: $n) { totalCount nodes { id
  progress(first: 3) { totalCount nodes { state objective { title presentation { course { title } } } enrollment { id } } }
  enrollments(first: 2) { nodes { presentation { title: code } learner { name } } }
  attempts(first: 3) { nodes { score objective { title } } } reviews(first: 1) { nodes { rating } }
  activities(first: 1) { nodes { clicks } } studySessions(first: 1) { nodes { minutes } }
  subscriptions(first: 1) { nodes { plan payments(first: 1) { nodes { amountUsd } } } } cancellations(first: 1) { nodes { at } }
  performanceMetrics(first: 1) { nodes { meanScore } } behavioralPatterns(first: 1) { nodes { clicks } } } } }`

describe('a thousand rows', () => {
  it('with their progress cost three statements, and no whole view each', async () => {
    const source =
      '{ learners(first: 1000) { nodes { id name progress(first: 3) { nodes { state objective { title } } } } } }'
    const { statements, data } = await cost(source)
    expect(statements).toBe(3)
    const { nodes } = (data as { learners: { nodes: { progress: { nodes: unknown[] } }[] } }).learners
    expect(nodes).toHaveLength(1000)
    expect(nodes.every(({ progress }) => progress.nodes.length === 3)).toBe(true)
    // Wide enough for a busy machine: the bound is there for a plan that computes the whole view for each learner.
    const times = [await cost(source), await cost(source), await cost(source)].map(({ milliseconds }) => milliseconds)
    expect(Math.min(...times)).toBeLessThan(5000)
  })

  it('cost as many statements as ten rows, whatever hangs below them', async () => {
    const few = await cost(NESTED, { n: 10 })
    const many = await cost(NESTED, { n: 1000 })
    expect(many.statements).toBe(few.statements)
    expect(many.statements).toBeLessThanOrEqual(22)
  })

  it('cost no more under aliases that ask for the same', async () => {
    const alias = (name: string) => `${name}: progress(first: 2) { nodes { objective { title } } }`
    const { statements } = await cost(
      `{ learners(first: 1000) { nodes { ${Array.from({ length: 15 }, (_, n) => alias(`a${n}`)).join(' ')} } } }`,
    )
    expect(statements).toBe(3)
  })

  it.each([
    ['Learner', 'SELECT "id" FROM learning."Learner"', 'name enrollments(first: 1) { totalCount }', 2],
    ['Enrollment', 'SELECT "id" FROM learning."Enrollment"', 'learner { name } presentation { code }', 3],
    ['Objective', 'SELECT "id" FROM learning."Objective"', 'title presentation { code }', 2],
    ['Course', 'SELECT "id" FROM learning."Course"', 'code', 1],
    ['Presentation', 'SELECT "id" FROM learning."Presentation"', 'code', 1],
    [
      'Progress',
      'SELECT "learnerId", "objectiveId" FROM learning."Progress"',
      'state objective { title } learner { name }',
      3,
    ],
  ])(
    'are %s entities by key in a constant number of statements, in their order',
    async (type, keys, fields, statements) => {
      const { rows } = await database.query(`${keys} ORDER BY random() LIMIT 1000`)
      const representations: Record<string, unknown>[] = rows.map((row) => ({ __typename: type, ...row }))
      representations.splice(1, 0, { __typename: type, id: '?', learnerId: 'l1', objectiveId: '?' })
      const keyFields = type === 'Progress' ? 'learnerId objectiveId' : 'id'
      const found = await cost(
        `query ($r: [_Any!]!) { _entities(representations: $r) { ... on ${type} { ${keyFields} ${fields} } } }`,
        { r: representations },
      )
      expect(found.statements).toBe(statements)
      const entities = (found.data as { _entities: (Record<string, unknown> | null)[] })._entities
      expect(entities[1]).toBeNull()
      entities.splice(1, 1)
      expect(entities.map((entity) => keyFields.split(' ').map((field) => entity?.[field]))).toEqual(
        rows.map((row) => keyFields.split(' ').map((field) => row[field])),
      )
    },
  )
})
