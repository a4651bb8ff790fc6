import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LabelRow, Model, SqlClient } from '../../ml/define.ts'
import { churn } from '../../models/churn.ts'
import { struggle } from '../../models/struggle.ts'
import { withdrawal } from '../../models/withdrawal.ts'
import { learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { openTestDatabase } from '../harness.ts'

const DAY = 86_400_000
const NOW = new Date('2026-06-01T00:00:00Z')

describe.each([
  { model: churn, window: 30, positives: 0.01 },
  { model: withdrawal, window: 30, positives: 0.02 },
  { model: struggle, window: 30, positives: 0.1 },
])('$model.name on the simulated school', ({ model, window, positives }) => {
  let database: Database
  let client: SqlClient
  const labels: LabelRow[] = []
  beforeAll(async () => {
    database = await openTestDatabase()
    await seedSchool(database, { seed: 5, learners: 150, now: NOW })
    client = learningClient(database)
    for await (const page of model.labels(client, { now: NOW, pageSize: 400 })) {
      expect(page.length).toBeLessThanOrEqual(400)
      labels.push(...page)
    }
  })
  afterAll(() => database.close())

  it('has labelled rows of both kinds, each once', () => {
    const share = labels.filter(({ label }) => label === 1).length / labels.length
    expect(labels.length).toBeGreaterThan(400)
    expect(share).toBeGreaterThan(positives)
    expect(share).toBeLessThan(0.5)
    const keys = labels.map(({ key, asOf }) => `${JSON.stringify(key)} ${asOf.getTime()}`)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('trains on nobody whom it would not answer about', async () => {
    const rows = await model.read(client, labels)
    expect(rows.filter(({ eligible }) => !eligible)).toEqual([])
  })

  it('leaves out windows that are not over', async () => {
    const last = Math.max(...labels.map(({ asOf }) => asOf.getTime()))
    expect(last).toBeLessThanOrEqual(NOW.getTime() - window * DAY)
    const earlier: LabelRow[] = []
    const now = new Date(NOW.getTime() - 60 * DAY)
    for await (const page of model.labels(client, { now, pageSize: 5000 })) earlier.push(...page)
    // What was settled then is what is settled now about the same moments: no label rests on the future.
    const settled = labels.filter(({ asOf }) => asOf.getTime() + window * DAY <= now.getTime())
    expect(new Set(earlier.map((row) => JSON.stringify(row)))).toEqual(
      new Set(settled.map((row) => JSON.stringify(row))),
    )
  })

  it('reads a thousand pairs with one statement, and one pair exactly as it reads a thousand', async () => {
    const pairs = Array.from({ length: 1000 }, (_, at) => labels[at % labels.length]!)
    let statements = 0
    const counting: SqlClient = {
      $queryRawUnsafe: (sql, ...values) => {
        statements++
        return client.$queryRawUnsafe(sql, ...values)
      },
    }
    const rows = await model.read(counting, pairs)
    expect(statements).toBe(1)
    for (const at of [0, 99, 400]) expect(await model.read(client, [pairs[at]!])).toEqual([rows[at]])
  })

  it('finds values for every feature that this school has', async () => {
    const rows = await model.read(client, labels)
    const empty = model.features.filter((_, at) => rows.every(({ values }) => values[at] === null))
    expect(empty.map(({ name }) => name)).toEqual([])
  })

  it('finds candidates that it is about, in pages', async () => {
    const asOf = new Date(NOW.getTime() - 45 * DAY)
    const all = await model.candidates!(client, { asOf, limit: 10_000 })
    expect(all.length).toBeGreaterThan(10)
    const first = await model.candidates!(client, { asOf, limit: 7 })
    const second = await model.candidates!(client, { asOf, limit: 7, after: first.at(-1)! })
    expect([...first, ...second]).toEqual(all.slice(0, 14))
    const rows = await model.read(
      client,
      all.map((key) => ({ key, asOf })),
    )
    expect(rows.every(({ eligible }) => eligible)).toBe(true)
  })

  it.each(keysOfNobody(model))('is not about %j, and says so without an error', async (key) => {
    const [row] = await model.read(client, [{ key, asOf: NOW }])
    expect(row!.eligible).toBe(false)
  })
})

function keysOfNobody(model: Model) {
  const values = [
    'nobody',
    '',
    '\0',
    '\ud800',
    "' OR true --",
    '"; DROP TABLE learning."Learner"; --',
    42,
    'x'.repeat(100_000),
  ]
  return values.map((value) => Object.fromEntries(model.key.map((field) => [field, value])))
}
