import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inkling } from '../../ml/extension/extension.ts'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { isPrediction } from '../../ml/prediction.ts'
import { createScoreStore } from '../../ml/scores/store.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { churn } from '../../models/churn.ts'
import { struggle } from '../../models/struggle.ts'
import { type LearningClient, learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { createRegistry } from '../../registry/registry.ts'
import { openTestDatabase, silent } from '../harness.ts'

const now = new Date('2026-06-01T12:00:00Z')
const { gates: _small, ...leaving } = churn // a small school's model need not be good
const untrained = { ...leaving, name: 'untrained' } as const

describe('the Prisma extension', () => {
  let database: Database
  let prisma: LearningClient
  let serving: Serving
  const statements: string[] = []
  beforeAll(async () => {
    database = await openTestDatabase()
    await seedSchool(database, { seed: 3, learners: 400, now })
    prisma = learningClient(database)
    const registry = createRegistry(database)
    const trained = await trainVersion(leaving, { client: prisma, now, seed: 1, candidates: 'quick' })
    await registerVersion(registry, trained, { promote: 'always', createdBy: 'tests' })
    serving = await createServing({ registry, models: [leaving, untrained, struggle], log: silent })
    const query = database.pool.query.bind(database.pool)
    database.pool.query = ((...given: unknown[]) => {
      const [first] = given as [string | { text: string }]
      statements.push(typeof first === 'string' ? first : first.text)
      return (query as (...same: unknown[]) => unknown)(...given)
    }) as typeof database.pool.query
  })
  afterAll(async () => {
    await serving.close()
    await prisma.$disconnect()
    await database.close()
  })
  const extended = () => prisma.$extends(inkling({ models: [leaving], serving, now: () => now }))

  it('gives a row what the prediction field answers', async () => {
    const members = await extended().learner.withMLMany({ orderBy: { id: 'asc' } })
    const member = members.find((row) => row._ml.churn.failure === null)!
    const one = await extended().learner.withML({ where: { id: member.id } })
    const loader = createPredictionLoader({ model: leaving, serving, client: prisma, instant: new Date() })
    const outcome = await loader.load({ key: { id: member.id }, asOf: now })
    if (!isPrediction(outcome)) throw new Error(outcome.message)
    const { probability, low, high, confidence, riskLevel } = outcome
    expect(one!._ml.churn).toMatchObject({ failure: null, confidence, riskLevel, source: 'MODEL', asOf: now })
    expect(one!._ml.churn.probability).toBeCloseTo(probability, 6)
    expect(one!._ml.churn.low).toBeCloseTo(low, 6)
    expect(one!._ml.churn.high).toBeCloseTo(high, 6)
    const reasons = await one!._ml.churn.reasons()
    expect(reasons.map(({ feature }) => feature).sort()).toEqual(leaving.features.map(({ name }) => name).sort())
  })

  it('says of some rows that the question is not about them', async () => {
    const rows = await extended().learner.withMLMany()
    const failed = rows.filter((row) => row._ml.churn.failure)
    expect(failed.length).toBeGreaterThan(0)
    expect(failed.length).toBeLessThan(rows.length)
    expect(failed[0]!._ml.churn).toMatchObject({
      failure: { code: 'NOT_APPLICABLE' },
      probability: null,
      riskLevel: null,
    })
    expect(await failed[0]!._ml.churn.reasons()).toEqual([])
    await expect(extended().learner.withMLMany({}, { onFailure: 'throw' })).rejects.toMatchObject({
      code: 'NOT_APPLICABLE',
    })
    const strict = prisma.$extends(inkling({ models: [leaving], serving, now: () => now, onFailure: 'throw' }))
    await expect(strict.learner.withMLMany()).rejects.toMatchObject({ code: 'NOT_APPLICABLE' })
    expect(await strict.learner.withMLMany({}, { onFailure: 'value' })).toHaveLength(rows.length)
  })

  it('keeps rows exactly as Prisma gives them, whatever is selected, included or omitted', async () => {
    const db = extended()
    const asked = [
      {},
      { select: { name: true } },
      { select: { id: true, enrollments: { select: { id: true }, orderBy: { id: 'asc' } } } },
      { include: { enrollments: { orderBy: { id: 'asc' } } } },
      { omit: { id: true, name: true } },
    ] as const
    for (const args of asked) {
      const page = { ...args, where: { country: { not: '' } }, orderBy: { id: 'asc' }, take: 7 } as const
      const plain = await prisma.learner.findMany(page)
      const rows: { _ml?: object }[] = await db.learner.withMLMany(page)
      expect(rows.map((row) => Object.keys(row._ml!))).toEqual(plain.map(() => ['churn']))
      expect(rows.map(({ _ml, ...row }) => row)).toEqual(plain)
    }
  })

  it('reads once and scores once for a thousand rows', async () => {
    statements.length = 0
    const rows = await extended().learner.withMLMany({ take: 1000 })
    expect(rows).toHaveLength(400)
    expect(statements.filter((text) => /learning"?\./.test(text))).toHaveLength(2)
  })

  it('gives null for no row and rejects as Prisma does for a bad query', async () => {
    expect(await extended().learner.withML({ where: { id: 'nobody' } })).toBeNull()
    expect(await extended().learner.withMLMany({ where: { id: 'nobody' } })).toEqual([])
    await expect(extended().learner.withMLMany({ take: 1, skip: -1 })).rejects.toThrow()
  })

  it('keeps the row when a model is missing, beside the answers of the others', async () => {
    const db = prisma.$extends(inkling({ models: [leaving, untrained, struggle], serving, now: () => now }))
    const rows = await db.learner.withMLMany({ take: 400 })
    expect(rows.some((row) => row._ml.churn.failure === null)).toBe(true)
    expect(rows.every((row) => row._ml.untrained.failure?.code === 'MODEL_NOT_TRAINED')).toBe(true)
    const [progress] = await db.progress.withMLMany({ take: 1, select: { attempts: true } })
    expect(Object.keys(progress!).sort()).toEqual(['_ml', 'attempts'])
    // No version either, and here the model file has a rule.
    const all = await db.progress.withMLMany({ take: 200 })
    expect([...new Set(all.map(({ _ml }) => _ml.struggle.source ?? _ml.struggle.failure!.code))].sort()).toEqual([
      'MODEL_NOT_TRAINED',
      'RULE',
    ])
  })

  it('keeps the row when the features cannot be read', async () => {
    const broken = { ...leaving, read: () => Promise.reject(new Error('connection lost')) }
    const db = prisma.$extends(inkling({ models: [broken], serving, now: () => now }))
    const [row] = await db.learner.withMLMany({ take: 1 })
    expect(row!.name).toBeTypeOf('string')
    expect(row!._ml.churn.failure?.code).toBe('FEATURE_READ_FAILED')
  })

  it('gives the stored score where the model file falls back on it', async () => {
    const broken = {
      ...leaving,
      fallback: ['STORED'],
      read: () => Promise.reject(new Error('connection lost')),
    } as const
    const scores = createScoreStore(database)
    const version = { id: randomUUID(), number: 1 }
    const one = { probability: [0.25], low: [0.2], high: [0.3] }
    const [first] = await prisma.learner.findMany({ take: 1 })
    const keys = [{ id: first!.id }]
    await scores.write({ ...one, keys, model: 'churn', version, asOf: now, scoredAt: now })
    const db = prisma.$extends(inkling({ models: [broken], serving, scores, now: () => now }))
    const row = await db.learner.withML({ where: { id: first!.id } })
    expect(row!._ml.churn).toMatchObject({ failure: null, probability: 0.25, source: 'STORED' })
  })

  it('sees, inside a transaction, what only that transaction sees', async () => {
    const members = await extended().learner.withMLMany()
    const { id } = members.find((row) => row._ml.churn.failure === null)!
    const undone = extended().$transaction(async (tx) => {
      await tx.subscription.updateMany({ where: { learnerId: id }, data: { endsAt: new Date('2026-05-31') } })
      const row = await tx.learner.withML({ where: { id } })
      expect(row!._ml.churn.failure?.code).toBe('NOT_APPLICABLE')
      throw new Error('undo')
    })
    await expect(undone).rejects.toThrow('undo')
    expect((await extended().learner.withML({ where: { id } }))!._ml.churn.failure).toBeNull()
  })

  it('looks from the moment asked for', async () => {
    const asOf = new Date('2026-03-01')
    const rows = await extended().learner.withMLMany({}, { asOf })
    expect(rows.every((row) => row._ml.churn.asOf.getTime() === asOf.getTime())).toBe(true)
    const today = await extended().learner.withMLMany()
    expect(rows.map((row) => row._ml.churn.probability)).not.toEqual(today.map((row) => row._ml.churn.probability))
  })

  it('goes with other extensions, before and after it', async () => {
    const greeting = {
      result: {
        learner: { greeting: { needs: { name: true }, compute: ({ name }: { name: string }) => `Hello ${name}` } },
      },
    } as const
    const before = await prisma
      .$extends(greeting)
      .$extends(inkling({ models: [leaving], serving }))
      .learner.withMLMany({ take: 1, select: { greeting: true } })
    expect(before[0]!.greeting).toMatch(/^Hello /)
    expect(before[0]!._ml.churn).toBeDefined()
    expect(Object.keys(before[0]!)).not.toContain('id')
    const after = await extended().$extends(greeting).learner.withMLMany({ take: 1 })
    expect(after[0]!._ml.churn).toBeDefined()
  })
})
