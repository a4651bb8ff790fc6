import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBatching } from '../../ml/batching.ts'
import type { FeatureValue } from '../../ml/define.ts'
import type { PredictionLoader } from '../../ml/loaders.ts'
import { isPrediction, type Prediction } from '../../ml/prediction.ts'
import { qualityOf } from '../../ml/quality.ts'
import { loadConfig } from '../../platform/config.ts'
import { openRates } from '../../platform/rates.ts'
import { countedBatching } from '../../subgraphs/ml/rates.ts'
import { silent } from '../harness.ts'
import { now, openToyStand, type ToyStand, toy } from '../predictions/toy-stand.ts'

/** What a feature may be given that is no value of it. Beside: tests/features/faults, tests/predictions/explain, tests/trainer/agreement. */
describe('a feature', () => {
  let stand: ToyStand
  let loader: PredictionLoader
  let missing: Prediction
  beforeAll(async () => {
    stand = await openToyStand(1)
    loader = stand.loader()
    missing = (await loader.score([null, 'red'], now)) as Prediction
  })
  afterAll(() => stand.close())

  const score = async (values: FeatureValue[]): Promise<Prediction> => {
    const outcome = await loader.score(values, now)
    expect(isPrediction(outcome)).toBe(true)
    const { probability, low, high } = outcome as Prediction
    for (const figure of [probability, low, high]) expect(figure >= 0 && figure <= 1).toBe(true) // NaN is neither
    return outcome as Prediction
  }

  it.each([
    ['NaN', Number.NaN],
    ['+Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['more than float32 holds', 1e39],
  ])('row 21: that is %s counts as unknown and is scored as missing, never as zero', async (_name, value) => {
    const prediction = await score([value, 'red'])
    expect(qualityOf(prediction)).toMatchObject({ missing: [], unknown: ['x'] })
    expect(prediction.probability).toBe(missing.probability)
  })

  it('row 21: that is null is missing, and one that is tiny is a number', async () => {
    expect(qualityOf(missing)).toMatchObject({ missing: ['x'], unknown: [] })
    expect(qualityOf(await score([5e-324, 'red']))).toMatchObject({ missing: [], unknown: [] })
  })

  it.each([
    ['a category that training never saw', 'purple'],
    ['a renamed category', 'RED'],
    ['an empty text', ''],
    ['a text of 1 MB', 'x'.repeat(1_000_000)],
    ['a text with NUL', 'a\u0000b'],
    ['the name of a prototype', '__proto__'],
  ])('row 22: that is %s counts as unknown and is scored as missing', async (_name, value) => {
    const prediction = await score([0.5, value])
    expect(qualityOf(prediction)).toMatchObject({ missing: [], unknown: ['colour'] })
    expect(prediction.probability).toBe((await score([0.5, null])).probability)
  })

  it('beyond the rate of a viewer gives RATE_LIMITED as the reason of a missing prediction', async () => {
    const rates = await openRates(loadConfig({ INKLING_RATE_VIEWER_INFERENCES: '3' }), null, silent)
    const viewer = { id: 'ada', tenant: 'north', scopes: [] }
    const load = (ids: number[]) => {
      const counted = countedBatching(createBatching(stand.client), { rates, viewer })
      const asking = stand.loader({ batching: counted })
      return Promise.all(ids.map((id) => asking.load(toy(id))))
    }
    expect((await load([1, 2, 3])).every((outcome) => 'probability' in outcome)).toBe(true)
    expect(await load([4, 5])).toMatchObject([{ code: 'RATE_LIMITED' }, { code: 'RATE_LIMITED' }])
  })
})
