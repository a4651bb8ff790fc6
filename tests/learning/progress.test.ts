import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { NOW, openSchool, type School } from './school.ts'

interface Progress {
  readonly state: 'UPCOMING' | 'OVERDUE' | 'SCORED' | 'WITHDRAWN'
  readonly learnerId: string
  readonly objectiveId: string
  readonly dueAt: string | null
  readonly attempts: number
  readonly lastScore: number | null
  readonly bestScore: number | null
  readonly firstScoredAt: string | null
  readonly lastSubmittedAt: string | null
}

let database: Database
let school: School

beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database)
  school = openSchool(database)
})
afterAll(() => database.close())

const FIELDS = 'state learnerId objectiveId dueAt attempts lastScore bestScore firstScoredAt lastSubmittedAt'
const moment = (text: string | null) => (text === null ? Number.POSITIVE_INFINITY : Date.parse(text))

async function agendaOf(id: string, now = NOW): Promise<Progress[]> {
  const { data, errors } = await school.ask(
    `query ($id: ID!) { learner(id: $id) { progress(first: 100) { nodes { ${FIELDS} } } } }`,
    { id },
    { now },
  )
  expect(errors).toBeUndefined()
  return (data as never as { learner: { progress: { nodes: Progress[] } } }).learner.progress.nodes
}

describe("a learner's progress", () => {
  it('lists upcoming objectives first, then overdue, scored and left ones', async () => {
    for (const id of ['l1', 'l6', 'l10', 'l37']) {
      const agenda = await agendaOf(id)
      expect(agenda).toHaveLength(16)
      const rank = { UPCOMING: 0, OVERDUE: 1, SCORED: 2, WITHDRAWN: 3 }
      const place = (row: Progress) => {
        if (row.state === 'UPCOMING') return moment(row.dueAt)
        return row.state === 'SCORED' ? -moment(row.lastSubmittedAt) : -(row.dueAt === null ? 0 : moment(row.dueAt))
      }
      const oracle = [...agenda].sort(
        (a, b) =>
          rank[a.state] - rank[b.state] ||
          (place(a) === place(b) ? 0 : place(a) - place(b)) ||
          (a.objectiveId < b.objectiveId ? -1 : 1),
      )
      expect(agenda).toEqual(oracle)
      for (const row of agenda) {
        if (row.state === 'UPCOMING') expect(moment(row.dueAt)).toBeGreaterThanOrEqual(NOW.getTime())
        if (row.state === 'OVERDUE') expect(moment(row.dueAt)).toBeLessThan(NOW.getTime())
        expect(row.state === 'SCORED').toBe(row.lastScore !== null)
      }
    }
    const states = (await agendaOf('l10')).map(({ state }) => state)
    expect(new Set(states)).toEqual(new Set(['UPCOMING', 'OVERDUE', 'SCORED', 'WITHDRAWN']))
  })

  it('says what the view Progress says', async () => {
    const { rows } = await database.query<
      Progress & { dueAt: Date | null; firstScoredAt: Date | null; lastSubmittedAt: Date | null }
    >(
      `SELECT "learnerId", "objectiveId", "dueAt", "attempts", "lastScore", "bestScore", "firstScoredAt", "lastSubmittedAt"
       FROM learning."Progress" WHERE "learnerId" IN ('l1', 'l10')`,
    )
    const seen = [...(await agendaOf('l1')), ...(await agendaOf('l10'))]
    const key = (row: { learnerId: string; objectiveId: string }) => `${row.learnerId} ${row.objectiveId}`
    const byKey = (a: { learnerId: string; objectiveId: string }, b: typeof a) => (key(a) < key(b) ? -1 : 1)
    expect(seen.map(({ state: _, ...row }) => row).sort(byKey)).toEqual(
      JSON.parse(JSON.stringify([...rows].sort(byKey))),
    )
  })

  it('filters by state and counts', async () => {
    const agenda = await agendaOf('l10')
    for (const state of ['UPCOMING', 'OVERDUE', 'SCORED', 'WITHDRAWN'] as const) {
      const { learner } = await school.read(
        `query ($state: ProgressState!) { learner(id: "l10") { progress(first: 100, where: { state: $state }) { totalCount nodes { ${FIELDS} } } } }`,
        { state },
      )
      const some = agenda.filter((row) => row.state === state)
      expect(learner.progress).toEqual({ totalCount: some.length, nodes: some })
    }
  })

  it('walks the agenda page by page', async () => {
    const seen: Progress[] = []
    for (let after: string | null = null, more = true; more; ) {
      const { learner } = await school.read(
        `query ($after: String) { learner(id: "l10") { progress(first: 3, after: $after) { nodes { ${FIELDS} } pageInfo { hasNextPage endCursor } } } }`,
        { after },
      )
      seen.push(...learner.progress.nodes)
      after = learner.progress.pageInfo.endCursor
      more = learner.progress.pageInfo.hasNextPage
    }
    expect(seen).toEqual(await agendaOf('l10'))
  })

  it('knows nothing later than the now of the request', async () => {
    const past = new Date(NOW.getTime() - 12 * 86_400_000)
    const { rows } = await database.query<{ objectiveId: string; attempts: number; bestScore: number | null }>(
      `SELECT o."id" AS "objectiveId", count(a."id")::int AS "attempts", max(a."score") AS "bestScore"
       FROM learning."Enrollment" e JOIN learning."Objective" o USING ("presentationId")
       LEFT JOIN learning."Attempt" a ON a."objectiveId" = o."id" AND a."learnerId" = e."learnerId" AND a."submittedAt" <= $1
       WHERE e."learnerId" = 'l1' GROUP BY 1 ORDER BY 1`,
      [past],
    )
    const then = (await agendaOf('l1', past)).sort((a, b) => (a.objectiveId < b.objectiveId ? -1 : 1))
    expect(then.map(({ objectiveId, attempts, bestScore }) => ({ objectiveId, attempts, bestScore }))).toEqual(rows)
    expect(then).not.toEqual((await agendaOf('l1')).sort((a, b) => (a.objectiveId < b.objectiveId ? -1 : 1)))
    expect((await agendaOf('l10', past)).some(({ state }) => state === 'WITHDRAWN')).toBe(false)
  })

  it('is the same by key, below its enrolment and below its objective', async () => {
    const [first] = (await agendaOf('l10')) as [Progress]
    const { progress, objective, enrollments } = await school.read(
      `query ($l: ID!, $o: ID!) { progress(learnerId: $l, objectiveId: $o) { ${FIELDS} }
        objective(id: $o) { progress(first: 100) { nodes { ${FIELDS} } } }
        enrollments(where: { learnerId: { equals: $l } }) { nodes { progress(first: 100) { nodes { ${FIELDS} } } } } }`,
      { l: first.learnerId, o: first.objectiveId },
    )
    expect(progress).toEqual(first)
    expect(objective.progress.nodes).toContainEqual(first)
    const below = enrollments.nodes.flatMap(
      (enrollment: { progress: { nodes: Progress[] } }) => enrollment.progress.nodes,
    )
    expect(below).toHaveLength(16)
    expect(below).toContainEqual(first)
  })
})
