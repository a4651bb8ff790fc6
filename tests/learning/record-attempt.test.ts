import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { NOW, openSchool, type School } from './school.ts'

let database: Database
let school: School

beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database)
  school = openSchool(database)
})
afterAll(() => database.close())

const MUTATION = `mutation ($input: RecordAttemptInput!) { recordAttempt(input: $input) { __typename
  ... on RecordAttemptPayload { attempt { id score submittedAt durationMinutes isBanked objective { id } enrollment { id } learner { id } }
    progress { learnerId objectiveId state lastScore bestScore attempts } learner { id attempts { totalCount } } }
  ... on Error { message code hint } } }`

async function count(): Promise<number> {
  const { rows } = await database.query<{ n: number }>('SELECT count(*)::int AS n FROM learning."Attempt"')
  return rows[0]!.n
}

async function record(input: Record<string, unknown>) {
  return (await school.read(MUTATION, { input })).recordAttempt
}

describe('recordAttempt', () => {
  it('writes an attempt at the now of the request and moves the progress', async () => {
    const before = await count()
    const answer = await record({ learnerId: 'l1', objectiveId: 'p1o6', score: 42.5, durationMinutes: 12 })
    expect(answer).toMatchObject({
      __typename: 'RecordAttemptPayload',
      attempt: {
        score: 42.5,
        submittedAt: NOW.toISOString(),
        durationMinutes: 12,
        isBanked: false,
        objective: { id: 'p1o6' },
        enrollment: { id: 'e1-0' },
        learner: { id: 'l1' },
      },
      progress: {
        learnerId: 'l1',
        objectiveId: 'p1o6',
        state: 'SCORED',
        lastScore: 42.5,
        bestScore: 42.5,
        attempts: 1,
      },
      learner: { id: 'l1' },
    })
    expect(await count()).toBe(before + 1)
    const again = await record({ learnerId: 'l1', objectiveId: 'p1o6', score: 10, submittedAt: '2026-03-01T00:00:00Z' })
    expect(again.progress).toMatchObject({ lastScore: 42.5, bestScore: 42.5, attempts: 2 })
    expect(again.learner.attempts.totalCount).toBe(answer.learner.attempts.totalCount + 1)
  })

  it('sees the first of two writes of one request in the answer of the second', async () => {
    const input = (score: number) => `recordAttempt(input: { learnerId: "l2", objectiveId: "p2o7", score: ${score} }) {
      ... on RecordAttemptPayload { progress { attempts bestScore } } }`
    const { a, b } = await school.read(`mutation { a: ${input(50)} b: ${input(60)} }`)
    expect(a.progress).toEqual({ attempts: 1, bestScore: 50 })
    expect(b.progress).toEqual({ attempts: 2, bestScore: 60 })
  })

  it('takes 0 and 100', async () => {
    for (const score of [0, 100])
      expect(await record({ learnerId: 'l3', objectiveId: 'p3o7', score })).toMatchObject({ attempt: { score } })
  })

  describe('answers with an error and writes nothing', () => {
    let before: number
    beforeEach(async () => {
      before = await count()
    })
    it.each([
      ['a score above 100', { score: 100.5 }, 'InvalidInputError', 'BAD_USER_INPUT'],
      ['a score below 0', { score: -0.5 }, 'InvalidInputError', 'BAD_USER_INPUT'],
      ['a negative duration', { durationMinutes: -1 }, 'InvalidInputError', 'BAD_USER_INPUT'],
      [
        'a submission in the future',
        { submittedAt: '2026-03-10T12:00:00.001Z' },
        'InvalidInputError',
        'BAD_USER_INPUT',
      ],
      ['an unknown learner', { learnerId: 'nobody' }, 'NotFoundError', 'NOT_FOUND'],
      ['an unknown objective', { objectiveId: 'nothing' }, 'NotFoundError', 'NOT_FOUND'],
      ['a learner who is not enrolled', { objectiveId: 'p3o1' }, 'InvalidInputError', 'BAD_USER_INPUT'],
      ['a learner who left', { learnerId: 'l10', objectiveId: 'p3o7' }, 'InvalidInputError', 'BAD_USER_INPUT'],
    ])('to %s', async (_what, change, type, code) => {
      const answer = await record({ learnerId: 'l1', objectiveId: 'p1o7', score: 50, ...change })
      expect(answer).toMatchObject({ __typename: type, code })
      expect(answer.message).not.toBe('')
      expect(answer.hint).not.toBe('')
      expect(await count()).toBe(before)
    })

    it('to text that no database holds and to numbers that are none', async () => {
      const broken = await school.ask(MUTATION, { input: { learnerId: 'l\0', objectiveId: 'p1o7', score: 1 } })
      expect(broken.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
      for (const score of [Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
        const { errors } = await school.ask(MUTATION, { input: { learnerId: 'l1', objectiveId: 'p1o7', score } })
        expect(errors).toHaveLength(1)
      }
      expect(await count()).toBe(before)
    })
  })

  it('accepts what a learner submitted before they left', async () => {
    const answer = await record({
      learnerId: 'l10',
      objectiveId: 'p3o7',
      score: 50,
      submittedAt: '2026-03-07T11:59:59Z',
    })
    expect(answer.__typename).toBe('RecordAttemptPayload')
  })
})
