import { composeServices } from '@theguild/federation-composition'
import { isEnumType, isInputObjectType, isInterfaceType, isObjectType, parse } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { fillSchool } from './rows.ts'
import { openSchool, type School } from './school.ts'

let database: Database
let school: School

beforeAll(async () => {
  database = await openTestDatabase()
  await fillSchool(database)
  school = openSchool(database)
})
afterAll(() => database.close())

describe('the schema of the learning subgraph', () => {
  it('composes alone', () => {
    const { errors, supergraphSdl } = composeServices([
      { name: 'learning', url: 'http://learning.example', typeDefs: parse(school.subgraph.sdl) },
    ])
    expect(errors ?? []).toEqual([])
    expect(supergraphSdl).toContain('type Progress')
  })

  it('declares the keys that other subgraphs extend, and no subscription root', () => {
    const { sdl } = school.subgraph
    for (const name of ['Learner', 'Course', 'Presentation', 'Objective', 'Enrollment'])
      expect(sdl).toContain(`type ${name} @key(fields: "id")`)
    expect(sdl).toContain('type Progress @key(fields: "learnerId objectiveId")')
    expect(sdl).toContain('type PageInfo @shareable')
    expect(school.subgraph.schema.getSubscriptionType()).toBeUndefined()
  })

  it('describes every type, field, argument and value', () => {
    const silent: string[] = []
    const note = (name: string, description: string | null | undefined) => description || silent.push(name)
    for (const type of Object.values(school.subgraph.schema.getTypeMap())) {
      const isBuiltIn =
        type.name.startsWith('_') || type.astNode === null || /^(String|Int|Float|Boolean|ID)$/.test(type.name)
      if (isBuiltIn) continue
      note(type.name, type.description)
      if (isEnumType(type)) for (const value of type.getValues()) note(`${type.name}.${value.name}`, value.description)
      if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) continue
      for (const field of Object.values(type.getFields())) {
        if (field.name.startsWith('_')) continue
        note(`${type.name}.${field.name}`, field.description)
        for (const argument of 'args' in field ? field.args : [])
          note(`${type.name}.${field.name}(${argument.name})`, argument.description)
      }
    }
    expect(silent).toEqual([])
  })
})

describe('the graph of rows', () => {
  it('follows every relation from a learner', async () => {
    const { learner } = await school.read(`{ learner(id: "l10") { id name country region gender joinedAt
      enrollments(orderBy: ID_ASC) { totalCount nodes { id registeredAt withdrawnAt learner { id }
        presentation { code startsAt course { code title presentations { nodes { id } } } exams { nodes { title heldAt presentation { id } } } }
        progress(first: 1) { nodes { enrollment { id } } } attempts(first: 1) { nodes { enrollment { id } } } } }
      attempts(first: 1) { nodes { id score durationMinutes isBanked submittedAt learner { id } objective { id } } }
      reviews(first: 1) { nodes { rating isLapse learner { id } objective { id } } }
      activities(first: 1) { nodes { day kind clicks presentation { id } } }
      studySessions(first: 1) { nodes { startedAt minutes contentType performance } }
      subscriptions { nodes { plan priceUsd isRunning startsAt endsAt payments { totalCount } } }
      payments(first: 1) { totalCount nodes { amountUsd paidAt subscription { id } } }
      cancellations { nodes { at reason } } } }`)
    expect(learner).toMatchObject({ id: 'l10', name: 'name d', country: 'nepal', region: null })
    expect(learner.enrollments.totalCount).toBe(2)
    const [first, second] = learner.enrollments.nodes
    expect(first).toMatchObject({ id: 'e10-0', withdrawnAt: null, learner: { id: 'l10' } })
    expect(second).toMatchObject({ id: 'e10-1', withdrawnAt: '2026-03-07T12:00:00.000Z' })
    expect(first.presentation.course).toEqual({
      code: 'C2',
      title: 'Course 2',
      presentations: { nodes: [{ id: 'p2' }] },
    })
    expect(first.presentation.exams.nodes).toHaveLength(2)
    expect(first.progress.nodes).toEqual([{ enrollment: { id: 'e10-0' } }])
    expect(first.attempts.nodes).toEqual([{ enrollment: { id: 'e10-0' } }])
    expect(learner.subscriptions.nodes[0]).toMatchObject({
      plan: 'PRO',
      priceUsd: 19.9,
      isRunning: true,
      payments: { totalCount: 4 },
    })
    expect(learner.payments).toMatchObject({ totalCount: 4, nodes: [{ amountUsd: 19.9, subscription: { id: 'u10' } }] })
    expect(learner.cancellations.nodes).toEqual([])
    expect(learner.activities.nodes[0].day).toBe('2026-03-10T00:00:00.000Z')
  })

  it('knows what an objective requires and unlocks', async () => {
    const { objective } =
      await school.read(`{ objective(id: "p1o4") { title type complexity contentType weight position dueAt expectedMinutes
      presentation { id } prerequisites(orderBy: POSITION_ASC) { nodes { id } } unlocks(orderBy: POSITION_ASC) { totalCount nodes { id } }
      progress { totalCount } attempts { totalCount } } }`)
    expect(objective).toMatchObject({
      title: 'Objective 4',
      type: 'QUIZ',
      complexity: 'BASIC',
      position: 4,
      presentation: { id: 'p1' },
    })
    expect(objective.prerequisites.nodes).toEqual([{ id: 'p1o2' }, { id: 'p1o3' }])
    expect(objective.unlocks).toEqual({ totalCount: 2, nodes: [{ id: 'p1o5' }, { id: 'p1o6' }] })
    expect(objective.progress.totalCount).toBe(30)
    expect(objective.attempts.totalCount).toBe(90)
  })

  it('answers null for what does not exist', async () => {
    expect(
      await school.read(`{ learner(id: "?") { id } course(id: "?") { id } presentation(id: "?") { id } objective(id: "?") { id }
        enrollment(id: "?") { id } progress(learnerId: "l1", objectiveId: "?") { state } }`),
    ).toEqual({ learner: null, course: null, presentation: null, objective: null, enrollment: null, progress: null })
  })

  it('derives figures per day and per week from what was done', async () => {
    const { learner } = await school.read(`{ learner(id: "l7") {
      attempts(first: 100) { nodes { score submittedAt objective { id } } }
      performanceMetrics(first: 100) { totalCount nodes { day attempts meanScore bestScore reviews lapses objective { id } } }
      behavioralPatterns { nodes { week activeDays clicks sessions minutes meanPerformance } } } }`)
    const { nodes: metrics } = learner.performanceMetrics
    expect(learner.performanceMetrics.totalCount).toBe(metrics.length)
    for (const metric of metrics) {
      const scores = learner.attempts.nodes
        .filter((attempt: Attempt) => attempt.objective.id === metric.objective.id)
        .filter((attempt: Attempt) => attempt.submittedAt.slice(0, 10) === metric.day.slice(0, 10))
        .map((attempt: Attempt) => attempt.score)
      const known = scores.filter((score: number | null) => score !== null)
      expect(metric.attempts).toBe(scores.length)
      expect(metric.bestScore).toBe(known.length > 0 ? Math.max(...known) : null)
      expect(metric.day).toMatch(/T00:00:00.000Z$/)
    }
    const weeks = learner.behavioralPatterns.nodes
    expect(weeks.map(({ week }: { week: string }) => new Date(week).getUTCDay())).toEqual(weeks.map(() => 1))
    expect(weeks.reduce((sum: number, { clicks }: { clicks: number }) => sum + clicks, 0)).toBe(
      2 * 2 * (1 + 4 + 7 + 10),
    )
    expect(weeks.reduce((sum: number, { sessions }: { sessions: number }) => sum + sessions, 0)).toBe(5)
  })
})

interface Attempt {
  readonly score: number | null
  readonly submittedAt: string
  readonly objective: { readonly id: string }
}
