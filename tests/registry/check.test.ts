import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkChange, type ModelEffect } from '../../ml/check/check.ts'
import { models } from '../../models/index.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'

describe('a change of the schema, before it is deployed', () => {
  let copy: Database
  beforeAll(async () => {
    copy = await openTestDatabase()
  })
  afterAll(() => copy.close())

  const check = (sql: string) => checkChange(copy, models, sql, { searchPath: 'learning', now: new Date('2015-01-01') })
  const of = (effects: readonly ModelEffect[], model: string) => effects.find((effect) => effect.model === model)

  it('touches no model when it only adds', async () => {
    expect(
      await check('ALTER TABLE "Learner" ADD COLUMN "nickname" TEXT; CREATE TABLE "Note" (id INT PRIMARY KEY)'),
    ).toEqual([])
    expect(await check('')).toEqual([])
  })

  it('names the models and the features that read a dropped or renamed column', async () => {
    const effects = await check('ALTER TABLE "Payment" RENAME COLUMN "amount" TO "amountUsd"')
    const churn = of(effects, 'churn')!
    expect(churn.isBreaking).toBe(true)
    expect(churn.columns).toHaveLength(1)
    expect(churn.columns[0]).toMatchObject({
      column: 'learning.Payment.amount',
      says: 'is dropped (or renamed to amountUsd)',
      parts: expect.arrayContaining(['features']),
    })
    expect(churn.columns[0]!.features.length).toBeGreaterThan(0)
    expect(churn.failures.map(({ part }) => part)).toContain('features')
    expect(churn.failures[0]!.says).toMatch(/amount/)
    expect(of(effects, 'struggle')).toBeUndefined() // it reads no payments
  })

  it('finds what own SQL reads, through views too', async () => {
    const effects = await check('DROP VIEW IF EXISTS "PerformanceMetric", "BehavioralPattern", "Progress" CASCADE')
    const withViews = await check('ALTER TABLE "Attempt" ALTER COLUMN "submittedAt" DROP NOT NULL')
    const struggle = of(withViews, 'struggle')!
    expect(struggle).toMatchObject({ isBreaking: false, failures: [] })
    expect(struggle.columns[0]).toMatchObject({ column: 'learning.Attempt.submittedAt', isBreaking: false })
    for (const effect of effects) expect(effect.isBreaking).toBe(true)
  })

  it('tells a change of kind from one of size', async () => {
    const kind = await check('ALTER TABLE "Payment" ALTER COLUMN "amount" TYPE TEXT USING "amount"::text')
    expect(of(kind, 'churn')).toMatchObject({ isBreaking: true })
    const size = await check('ALTER TABLE "Payment" ALTER COLUMN "amount" TYPE NUMERIC(20, 4)')
    expect(of(size, 'churn')?.failures ?? []).toEqual([])
  })

  it('refuses a change that does not apply, and leaves the copy as it was', async () => {
    await expect(check('ALTER TABLE "Nobody" DROP COLUMN "x"')).rejects.toMatchObject({ code: 'MIGRATION_FAILED' })
    expect(await check('ALTER TABLE "Learner" ADD COLUMN "nickname" TEXT')).toEqual([])
  })
})
