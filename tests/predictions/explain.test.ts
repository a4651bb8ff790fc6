import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBatching } from '../../ml/batching.ts'
import { findDisagreement } from '../../ml/disagreement.ts'
import { reasonsOf } from '../../ml/explain/reasons.ts'
import { isPrediction, type Prediction } from '../../ml/prediction.ts'
import { qualityOf } from '../../ml/quality.ts'
import { type RandomVersion, randomVersion } from './random-version.ts'
import { now, openToyStand, type ToyStand, toy } from './toy-stand.ts'

describe.each(['linear', 'boosted', 'blend'] as const)('reasons of a %s model', (learner) => {
  let random: RandomVersion
  let predictions: Prediction[]
  beforeAll(async () => {
    random = await randomVersion({ seed: 11, learner, numbers: 8, levels: [5, 9], rounds: 60, leaves: 31 })
    predictions = await random.predict(0, 400)
  })
  afterAll(() => random.close())

  it('add up with the base to the log-odds, to 1e-6 of what the probability can tell', async () => {
    const reasons = await reasonsOf(predictions)
    for (const [index, { probability }] of predictions.entries()) {
      const total = reasons[index]!.reduce((sum, { contribution }) => sum + contribution, random.served.shares.base)
      // The probability is a float32: compare there, where both are exact.
      expect(1 / (1 + Math.exp(-total))).toBeCloseTo(probability, 6)
    }
  })

  it('are the same bits in the thread and on the event loop, alone and together', async () => {
    const together = await reasonsOf(predictions) // 400 rows: in the thread
    for (const index of [0, 7, 399]) expect((await reasonsOf([predictions[index]!]))[0]).toEqual(together[index])
  })

  it('put the strongest first and name every feature once', async () => {
    const [reasons] = await reasonsOf(predictions.slice(0, 1))
    expect(reasons!.map(({ feature }) => feature).sort()).toEqual(random.model.features.map(({ name }) => name).sort())
    for (let at = 1; at < reasons!.length; at++)
      expect(Math.abs(reasons![at]!.contribution)).toBeLessThanOrEqual(Math.abs(reasons![at - 1]!.contribution))
  })
})

describe('the ground that a prediction stands on', () => {
  let stand: ToyStand
  beforeAll(async () => {
    stand = await openToyStand(2)
    await stand.database.query(
      "INSERT INTO toy VALUES (900001, NULL, 'red'), (900002, 1, 'purple'), (900003, 1e6, 'green'), (900004, 'Infinity', NULL), (900005, 0.5, 'red')",
    )
  })
  afterAll(() => stand.close())

  it('is told by feature: missing, unknown, out of range, and how sure', async () => {
    const loader = stand.loader()
    const outcomes = await Promise.all([900001, 900002, 900003, 900004, 900005].map((id) => loader.load(toy(id))))
    const qualities = outcomes.map((outcome) => qualityOf(outcome as Prediction))
    expect(qualities.map(({ missing, unknown, outOfRange }) => ({ missing, unknown, outOfRange }))).toEqual([
      { missing: ['x'], unknown: [], outOfRange: [] },
      { missing: [], unknown: ['colour'], outOfRange: [] },
      { missing: [], unknown: [], outOfRange: ['x'] },
      { missing: ['colour'], unknown: ['x'], outOfRange: [] },
      { missing: [], unknown: [], outOfRange: [] },
    ])
    for (const [index, { interval }] of qualities.entries()) {
      const { probability } = outcomes[index] as Prediction
      expect(interval.low).toBeLessThanOrEqual(probability)
      expect(interval.high).toBeGreaterThanOrEqual(probability)
    }
  })

  it('scores values that are in no table as it scores the same values in one', async () => {
    const loader = stand.loader()
    const [stored, given, empty] = await Promise.all([
      loader.load(toy(900005)),
      loader.score([0.5, 'red'], now),
      loader.score([null, null], now),
    ])
    expect((given as Prediction).probability).toBe((stored as Prediction).probability)
    expect(isPrediction(empty)).toBe(true)
    expect(await loader.reasons(given as Prediction)).toEqual(await loader.reasons(stored as Prediction))
  })

  it('finds the entities on which two versions differ most, as looking at all of them does', async () => {
    const { model, client, serving } = stand
    const versions = await Promise.all(['1', '2'].map((number) => serving.versionAt(model, number, new Date())))
    const options = { model, client, batching: createBatching(client), versions: [versions[0]!, versions[1]!] as const }
    const found = await findDisagreement({ ...options, asOf: now, first: 5, among: 100_000 })
    const loader = stand.loader()
    const { rows } = await stand.database.query<{ id: number }>('SELECT id FROM toy ORDER BY id')
    const differences = await Promise.all(
      rows.map(async ({ id }) => {
        const [one, other] = await Promise.all(['1', '2'].map((number) => loader.loadVersion(toy(id), number)))
        return Math.abs((one as Prediction).probability - (other as Prediction).probability)
      }),
    )
    expect(found).toMatchObject({ compared: rows.length, isComplete: true })
    expect(found.disputes.map(({ difference }) => difference)).toEqual(
      differences.toSorted((a, b) => b - a).slice(0, 5),
    )
    expect(found.meanDifference).toBeCloseTo(differences.reduce((sum, one) => sum + one, 0) / rows.length, 12)
    const some = await findDisagreement({ ...options, asOf: now, first: 5, among: 100 })
    expect(some).toMatchObject({ compared: 100, isComplete: false })
  })
})
