import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { isPrediction } from '../../ml/prediction.ts'
import { unwatchChanges, watchChanges } from '../../ml/scores/changes.ts'
import { newestScoring } from '../../ml/scores/freshness.ts'
import { countScores } from '../../ml/scores/ranking.ts'
import { scoreKeys } from '../../ml/scores/scoring.ts'
import type { ScoringInput } from '../../ml/scores/scoring-job.ts'
import { runningScoring, startScoring } from '../../ml/scores/scoring-job.ts'
import { createScoreUpkeep } from '../../ml/scores/upkeep.ts'
import { silent } from '../harness.ts'
import { viewer } from '../jobs/kinds.ts'
import { now, type Stand, startStand, toys } from './stand.ts'

const PAGE = 250
const ROWS = 2100

describe('a scoring', () => {
  let stand: Stand
  beforeAll(async () => {
    stand = await startStand(ROWS, PAGE)
  })
  afterAll(() => stand.close())

  const start = (request: Partial<ScoringInput> = {}) =>
    startScoring({ jobs: stand.jobs, models: [toys] }, { model: 'toy', ...request }, { viewer })
  const run = async (request: Partial<ScoringInput> = {}) => stand.jobs.ended((await start(request)).id)
  const candidates = Array.from({ length: ROWS }, (_, index) => index + 1).filter((id) => id % 7 > 0)
  const stored = async () => {
    const { rows } = await stand.database.query<{ id: number; probability: number; low: number; number: number }>(
      `SELECT (key::json ->> 0)::int AS id, probability, low, "versionNumber" AS number
       FROM inkling."Score" WHERE model = 'toy' ORDER BY 1`,
    )
    return rows
  }

  it('stores what the prediction field answers, for everyone whom the question is about', async () => {
    const job = await run()
    expect(job).toMatchObject({
      state: 'SUCCEEDED',
      result: { scored: candidates.length, notApplicable: 0, version: 1 },
    })
    expect(job.progress).toMatchObject({ done: candidates.length, unit: 'entities' })
    const rows = await stored()
    expect(rows.map(({ id }) => id)).toEqual(candidates)
    const loader = createPredictionLoader({
      model: toys,
      serving: stand.serving,
      client: stand.client,
      instant: new Date(),
    })
    const outcomes = await Promise.all(rows.slice(0, 600).map(({ id }) => loader.load({ key: { id }, asOf: now })))
    for (const [index, outcome] of outcomes.entries()) {
      if (!isPrediction(outcome)) throw new Error(outcome.message)
      expect(rows[index]!.probability).toBeCloseTo(outcome.probability, 6)
      expect(rows[index]!.low).toBeCloseTo(outcome.low, 6)
    }
    expect(await newestScoring(stand.database, 'toy')).toMatchObject({
      jobId: job.id,
      versionNumber: 1,
      asOf: now,
      isWhole: true,
      scored: candidates.length,
    })
  })

  it('goes on after a crash where it stopped: stored pages are not read again', async () => {
    const before = await stored()
    await stand.database.query('TRUNCATE inkling."Score"')
    let reads = 0
    let failed = false
    stand.hook.before = (sql) => {
      if (!sql.includes('unnest')) return
      reads++
      if (reads < 5 || failed) return
      failed = true
      throw new Error('the database went away')
    }
    const job = await run()
    stand.hook.before = () => {}
    const pages = Math.ceil(candidates.length / PAGE)
    expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 2, result: { scored: candidates.length } })
    expect(reads).toBeGreaterThan(pages)
    expect(reads).toBeLessThanOrEqual(pages + 3) // what was in flight when the fifth failed
    expect(await stored()).toEqual(before)
    const { rows } = await stand.database.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM inkling."ScoreHistory" WHERE model = 'toy' AND key = '["1"]'`,
    )
    expect(rows[0]!.n).toBe(2)
  })

  it('takes scores away from those who are gone or whom the question is no longer about', async () => {
    await stand.database.query('DELETE FROM toy WHERE id = 1')
    await stand.database.query('UPDATE toy SET x = NULL WHERE id = 2')
    await run()
    const [first] = await stored()
    expect(first!.id).toBe(3)
    expect(await stand.store.latest('toy', [{ id: 1 }, { id: 2 }], now)).toMatchObject([
      { probability: expect.any(Number) },
      {},
    ])
    await run({ keys: [{ id: 1 }, { id: 2 }, { id: 2 }] })
    expect(await stand.store.latest('toy', [{ id: 1 }, { id: 2 }])).toMatchObject([null, { key: { id: 2 } }])
  })

  it('scores only those whose score is older than a moment, missing or by another version', async () => {
    const moment = new Date()
    expect((await run({ scoredBefore: new Date(0).toISOString() })).result).toMatchObject({ scored: 0 })
    await run({ keys: [{ id: 8 }, { id: 9 }] })
    const { result } = await run({ scoredBefore: moment.toISOString() })
    expect(result).toMatchObject({ scored: candidates.length - 4 }) // without 1 and 2, 8 and 9
    expect((await newestScoring(stand.database, 'toy'))?.startedAt.getTime()).toBeLessThan(moment.getTime())
    await stand.train(2)
    expect((await run({ scoredBefore: new Date(0).toISOString() })).result).toMatchObject({
      version: 2,
      scored: candidates.length - 2,
    })
  })

  it('scores only those whose rows changed, inserts, updates and deletes alike, and then knows of none', async () => {
    const watches = [{ schema: 'public', table: 'toy', model: 'toy', key: { id: 'id' } }]
    await watchChanges(stand.database, watches)
    await watchChanges(stand.database, watches)
    await stand.database.query('UPDATE toy SET x = x + 5 WHERE id BETWEEN 10 AND 12')
    await stand.database.query('DELETE FROM toy WHERE id = 15')
    await stand.database.query(`INSERT INTO toy VALUES (5001, 3, 'red', 1, now())`)
    const rolledBack = stand.database.transaction(async (client) => {
      await client.query('UPDATE toy SET x = 9 WHERE id = 20')
      throw new Error('no')
    })
    await expect(rolledBack).rejects.toThrow('no')
    const before = new Map((await stored()).map((row) => [row.id, row.probability]))
    expect((await run({ scope: 'CHANGED' })).result).toMatchObject({ scored: 4, notApplicable: 1 })
    const after = await stored()
    const changed = after.filter(({ id, probability }) => before.get(id) !== probability).map(({ id }) => id)
    expect(changed).toContain(5001)
    expect(changed.every((id) => [10, 11, 12, 5001].includes(id))).toBe(true)
    expect(after.some(({ id }) => id === 15)).toBe(false)
    expect((await run({ scope: 'CHANGED' })).result).toMatchObject({ scored: 0, notApplicable: 0 })
    await unwatchChanges(stand.database, watches)
    await stand.database.query('UPDATE toy SET x = 1 WHERE id = 10')
    expect((await run({ scope: 'CHANGED' })).result).toMatchObject({ scored: 0 })
  })

  it('is started once for each new version, once a day and for what changed, however many processes look', async () => {
    const options = { ...stand, models: [toys], viewer, log: silent, everyMs: 60_000 }
    const upkeeps = [createScoreUpkeep(options), createScoreUpkeep(options)]
    const look = async () => (await Promise.all(upkeeps.map((upkeep) => upkeep.look()))).flat()
    const [one, other] = await look()
    expect(one).toBe(other)
    expect(await stand.jobs.ended(one!)).toMatchObject({ state: 'SUCCEEDED', result: { version: 2 } })
    expect(await look()).toEqual([])

    const watches = [{ schema: 'public', table: 'toy', model: 'toy', key: { id: 'id' } }]
    await watchChanges(stand.database, watches)
    await stand.database.query('UPDATE toy SET x = 2 WHERE id = 30')
    const changed = new Set(await look())
    expect(changed.size).toBe(1)
    expect(await stand.jobs.ended([...changed][0]!)).toMatchObject({ state: 'SUCCEEDED', result: { scored: 1 } })
    expect(await look()).toEqual([])
    await unwatchChanges(stand.database, watches)

    const daily = createScoreUpkeep({ ...options, wholeEveryMs: 0 })
    const [again] = await daily.look()
    expect(await stand.jobs.ended(again!)).toMatchObject({ state: 'SUCCEEDED', result: { version: 2 } })
    await Promise.all([...upkeeps, daily].map((upkeep) => upkeep.stop()))
  })

  it('stores nothing about whom the model abstains', async () => {
    const served = stand.serving.championAt(toys, new Date())
    const keys = [{ id: 3 }, { id: 40 }, { id: 41 }] // the colour of every tenth toy is missing
    const model = { ...toys, abstain: { missingShare: 0.4 } }
    const { batch, notApplicable } = await scoreKeys({
      model,
      served,
      client: stand.client,
      keys,
      tenants: keys.map(() => 'default'),
      asOf: now,
      scoredAt: now,
    })
    expect(batch.keys).toEqual([{ id: 3 }, { id: 41 }])
    expect(batch.probability).toHaveLength(2)
    expect(notApplicable).toEqual([{ id: 40 }])
  })

  it('is cancelled between pages and leaves what is stored', async () => {
    let reads = 0
    const reached = Promise.withResolvers<void>()
    stand.hook.before = async (sql) => {
      if (!sql.includes('unnest') || ++reads < 3) return
      reached.resolve()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const { id } = await start()
    await reached.promise
    expect((await runningScoring(stand, 'toy', viewer.tenant))?.id).toBe(id)
    await stand.jobs.cancel(id)
    const job = await stand.jobs.ended(id)
    stand.hook.before = () => {}
    expect(job.state).toBe('CANCELLED')
    expect(await runningScoring(stand, 'toy', viewer.tenant)).toBeNull()
    expect(await countScores(stand.database, { model: 'toy', tenant: 'default', bounds: [] })).toBe(
      (await stored()).length,
    )
  })

  it('names what it refuses', async () => {
    await expect(start({ model: 'nobody' })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' })
    await expect(start({ keys: [{ name: 'x' }] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    const { candidates: _none, ...mute } = toys
    const engines = { jobs: stand.jobs, models: [mute] }
    await expect(startScoring(engines, { model: 'toy' }, { viewer })).rejects.toThrow('does not say whom to score')
  })
})
