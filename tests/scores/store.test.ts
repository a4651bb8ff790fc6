import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  boundsOf,
  countLevels,
  countScores,
  rankingStatement,
  readRanking,
  type ScoreBounds,
} from '../../ml/scores/ranking.ts'
import { createScoreStore, type ScoreBatch, type ScoreStore } from '../../ml/scores/store.ts'
import type { Database } from '../../platform/database.ts'
import { createRandom } from '../../trainer/random.ts'
import { openTestDatabase } from '../harness.ts'

const day = (number: number) => new Date(Date.UTC(2026, 0, number))
const version = { id: randomUUID(), number: 1 }
const bands = { LOW: 0, MEDIUM: 0.15, HIGH: 0.4 }

describe('stored scores', () => {
  let database: Database
  let store: ScoreStore
  beforeAll(async () => {
    database = await openTestDatabase()
    store = createScoreStore(database)
  })
  afterAll(() => database.close())

  const batch = (probability: number[], at: Date, change: Partial<ScoreBatch> = {}): ScoreBatch => ({
    model: 'churn',
    version,
    asOf: at,
    scoredAt: at,
    keys: probability.map((_, index) => ({ id: index })),
    probability,
    low: probability.map((value) => value / 2),
    high: probability.map((value) => (1 + value) / 2),
    ...change,
  })

  it('gives back the newest score of each key, in order, and null where there is none', async () => {
    await store.write(batch([0.1, 0.2, 0.3], day(1)))
    await store.write(batch([0.4, 0.5], day(2), { version: { id: version.id, number: 2 } }))
    const [none, second, third] = await store.latest('churn', [{ id: 'x' }, { id: '1' }, { id: 2 }])
    expect(none).toBeNull()
    expect(second).toEqual({
      key: { id: '1' },
      versionId: version.id,
      versionNumber: 2,
      probability: 0.5,
      low: 0.25,
      high: 0.75,
      asOf: day(2),
      scoredAt: day(2),
    })
    expect(third).toMatchObject({ key: { id: 2 }, probability: 0.3, versionNumber: 1 })
    expect(await store.latest('other', [{ id: 1 }])).toEqual([null])
    expect(await store.latest('churn', [])).toEqual([])
  })

  it('gives back the score that was the newest at a moment, and the history between two', async () => {
    const keys = [{ id: 1 }, { id: 2 }, { id: 9 }]
    const then = await store.latest('churn', keys, new Date(day(2).getTime() - 1))
    expect(then.map((score) => score?.probability)).toEqual([0.2, 0.3, undefined])
    const history = await store.history('churn', keys, day(1), day(2))
    expect(history.map((scores) => scores.map(({ probability }) => probability))).toEqual([[0.2, 0.5], [0.3], []])
    expect((await store.history('churn', keys, day(2), day(3)))[0]).toMatchObject([{ probability: 0.5, asOf: day(2) }])
  })

  it('keeps the newer score when an older one is written late, and both in the history', async () => {
    await store.write(batch([0.9], day(1), { keys: [{ id: 1 }], scoredAt: new Date(day(1).getTime() + 5) }))
    expect(await store.latest('churn', [{ id: 1 }])).toMatchObject([{ probability: 0.5 }])
    expect((await store.history('churn', [{ id: 1 }], day(1), day(1)))[0]).toHaveLength(2)
  })

  it('knows a composite key whatever the order of its fields', async () => {
    await store.write(batch([0.7], day(1), { model: 'struggle', keys: [{ learnerId: '1', objectiveId: '2' }] }))
    expect(await store.latest('struggle', [{ objectiveId: 2, learnerId: 1 }])).toMatchObject([{ probability: 0.7 }])
    const [ranked] = await readRanking(database, {
      model: 'struggle',
      tenant: 'default',
      fields: ['objectiveId', 'learnerId'],
      bounds: [],
      highestFirst: true,
      limit: 10,
    })
    expect(ranked?.key).toEqual({ learnerId: '1', objectiveId: '2' })
  })

  it('refuses to change the history', async () => {
    await expect(database.query('UPDATE inkling."ScoreHistory" SET probability = 0')).rejects.toThrow('immutable')
  })

  it('takes scores away by key and by age, and forgets old history', async () => {
    await store.write(batch([0.1, 0.2, 0.3], day(10), { model: 'gone' }))
    expect(await store.remove('gone', [{ id: 0 }, { id: 77 }])).toBe(1)
    expect(await store.removeBefore('gone', day(11))).toBe(2)
    expect(await countScores(database, { model: 'gone', tenant: 'default', bounds: [] })).toBe(0)
    expect(await store.forget(day(2))).toBeGreaterThan(0)
    expect((await store.history('churn', [{ id: 1 }], day(1), day(3)))[0]).toMatchObject([{ asOf: day(2) }])
  })

  describe('of many entities', () => {
    const random = createRandom(5)
    // Few distinct values, so that ties matter; borders of buckets and of bands are among them.
    const values = Array.from({ length: 3000 }, (_, index) =>
      index % 3 === 0 ? Math.fround(random.next()) : Math.round(random.next() * 200) / 200,
    )
    const expected = values
      .map((probability, index) => ({ probability, key: JSON.stringify([String(index)]) }))
      .sort((a, b) => b.probability - a.probability || (a.key < b.key ? 1 : -1))
    const holds = (value: number, { gte, gt, lte, lt }: ScoreBounds) =>
      (gte == null || value >= gte) &&
      (gt == null || value > gt) &&
      (lte == null || value <= lte) &&
      (lt == null || value < lt)

    beforeAll(async () => {
      await store.write(
        batch(
          values.map(() => 0.5),
          day(1),
          { model: 'many' },
        ),
      )
      await store.write(batch(values, day(2), { model: 'many' }))
    })

    it.each([
      ['highest', true],
      ['lowest', false],
    ])('orders them as a full sort does, %s first, page by page', async (_name, highestFirst) => {
      const seen: unknown[] = []
      for (let after: (typeof expected)[number] | undefined; ; ) {
        const page = await readRanking(database, {
          model: 'many',
          tenant: 'default',
          fields: ['id'],
          bounds: [],
          highestFirst,
          after,
          limit: 271,
        })
        seen.push(...page.map(({ place }) => place))
        if (page.length < 271) break
        after = page.at(-1)!.place
      }
      expect(seen).toEqual(highestFirst ? expected : expected.toReversed())
    })

    it('reads a page as a range of the index, without sorting, wherever the page lies', async () => {
      await database.query('ANALYZE inkling."Score"')
      const after = { probability: 0.5, key: '["7"]' }
      const pages = [{}, { after }, { after, bounds: [{ gte: 0.2, lt: 0.9 }], highestFirst: false }]
      for (const page of pages) {
        const { sql, values } = rankingStatement({
          model: 'many',
          tenant: 'default',
          bounds: [],
          highestFirst: true,
          limit: 20,
          ...page,
        })
        const { rows } = await database.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, values)
        const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
        expect(plan).toContain('Score_model_tenant_probability_key_idx')
        expect(plan).not.toContain('Sort')
      }
    })

    it('filters and counts as looking at every score does, whatever the bounds', async () => {
      const bounds: ScoreBounds[] = [
        {},
        { gte: 0.57 },
        { gt: 0.57 },
        { lte: 0.29, gte: 0.1 },
        { lt: 0.29, gt: 0.005 },
        { gte: 0.12345 },
        { gt: 0.12345, lt: 0.6789012 },
        { gte: 2 },
        { lt: -1 },
        { gte: 0, lte: 1 },
        { gt: 0.4000000001, lt: 0.4009 },
        { gte: values[0]!, lte: values[0]! },
        ...(['LOW', 'MEDIUM', 'HIGH'] as const).map((level) => boundsOf(level, bands)),
      ]
      for (const bound of bounds) {
        const fitting = expected.filter(({ probability }) => holds(probability, bound))
        const page = await readRanking(database, {
          model: 'many',
          tenant: 'default',
          fields: ['id'],
          bounds: [bound],
          highestFirst: true,
          limit: 5000,
        })
        expect(page.map(({ place }) => place)).toEqual(fitting)
        expect(await countScores(database, { model: 'many', tenant: 'default', bounds: [bound] })).toBe(fitting.length)
      }
      expect(await countLevels(database, { model: 'many', tenant: 'default', bounds: [{ gte: 0.3 }] }, bands)).toEqual([
        { riskLevel: 'LOW', count: 0 },
        { riskLevel: 'MEDIUM', count: expected.filter((row) => holds(row.probability, { gte: 0.3, lt: 0.4 })).length },
        { riskLevel: 'HIGH', count: expected.filter((row) => holds(row.probability, { gte: 0.4 })).length },
      ])
    })

    it('keeps its counters right under concurrent writers, deletes and a rolled-back transaction', async () => {
      const writes = Array.from({ length: 8 }, (_, turn) => {
        const some = values.slice(turn * 200, turn * 200 + 900)
        const keys = some.map((_, index) => ({ id: turn * 200 + index + (turn % 2) * 2000 }))
        return store.write(
          batch(
            some.map((value) => 1 - value),
            day(3 + (turn % 4)),
            { model: 'many', keys },
          ),
        )
      })
      await Promise.all(writes)
      await store.remove('many', [{ id: 3 }, { id: 4 }, { id: 5 }])
      const failed = database.transaction(async () => {
        await store.write(batch(values, day(9), { model: 'many' }))
        throw new Error('changed my mind')
      })
      await expect(failed).rejects.toThrow('changed my mind')
      const { rows } = await database.query<{ bucket: number; count: string }>(
        `SELECT bucket, sum(change)::int AS count FROM (
           SELECT bucket, "count" AS change FROM inkling."ScoreCount" WHERE model = 'many'
           UNION ALL SELECT inkling.score_bucket(probability), -1 FROM inkling."Score" WHERE model = 'many'
         ) x GROUP BY bucket HAVING sum(change) <> 0`,
      )
      expect(rows).toEqual([])
      const { rows: counted } = await database.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM inkling."Score" WHERE model = 'many'`,
      )
      expect(await countScores(database, { model: 'many', tenant: 'default', bounds: [] })).toBe(counted[0]!.n)
    })
  })
})
