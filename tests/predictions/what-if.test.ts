import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Actionable } from '../../ml/define.ts'
import type { Prediction } from '../../ml/prediction.ts'
import { findWhatIfs } from '../../ml/what-if.ts'
import { type RandomVersion, randomVersion } from './random-version.ts'

const moves: readonly (Actionable | undefined)[] = [
  { min: -200, max: 200, step: 25 }, // the synthetic rows are wide in columns 0 and 3
  undefined,
  { max: 1.5, step: 0.4, direction: 'up' },
  { min: -100, step: 20, direction: 'down' },
  undefined,
]
const shapes = [
  { seed: 1, learner: 'linear' },
  { seed: 2, learner: 'boosted' },
  { seed: 3, learner: 'blend' },
  { seed: 4, learner: 'boosted' },
] as const

/** Every value that a declaration allows, walked from the value as it is; written from the documentation alone. */
function allowed(
  from: number,
  { min, max, step, direction }: Actionable,
  seen: { min: number; max: number },
): number[] {
  const low = min ?? seen.min
  const high = max ?? seen.max
  const values: number[] = []
  for (let count = -500; count <= 500; count++) {
    const value = from + count * step!
    if (count === 0 || value < low || value > high) continue
    if ((count > 0 && direction === 'down') || (count < 0 && direction === 'up')) continue
    values.push(value)
  }
  return values
}

describe.each(shapes)('what would help, against looking at everything: $learner $seed', ({ seed, learner }) => {
  let random: RandomVersion
  let predictions: Prediction[]
  beforeAll(async () => {
    random = await randomVersion({ seed, learner, actionable: (column) => moves[column] })
    predictions = await random.predict(40, 25)
  })
  afterAll(() => random.close())

  const scoreOf = async (row: Float32Array) => (await random.served.predictor.score(row, 1))[0]!
  const rangeOf = (column: number) => {
    const { min, max } = random.served.version.contents.statistics[column]!
    return { min: min!, max: max! }
  }

  /** Cost of the cheapest change with exactly `size` features that reaches the goal; null when none does. */
  async function cheapest(
    prediction: Prediction,
    size: number,
    reaches: (p: number) => boolean,
  ): Promise<number | null> {
    const options = random.model.features.flatMap(({ actionable }, column) => {
      const from = prediction.values[column]
      if (!actionable || typeof from !== 'number') return []
      const range = rangeOf(column)
      const cost = (to: number) => Math.abs(to - from) / (range.max - range.min)
      return [allowed(from, actionable, range).map((to) => ({ column, to, cost: cost(to) }))]
    })
    let best: number | null = null
    const rows: { row: Float32Array; cost: number }[] = []
    const combine = (start: number, chosen: { column: number; to: number; cost: number }[]) => {
      if (chosen.length === size) {
        const row = Float32Array.from(prediction.row)
        for (const { column, to } of chosen) row[column] = to
        rows.push({ row, cost: chosen.reduce((sum, { cost }) => sum + cost, 0) })
        return
      }
      for (let at = start; at < options.length; at++)
        for (const move of options[at]!) combine(at + 1, [...chosen, move])
    }
    combine(0, [])
    const width = prediction.row.length
    const all = new Float32Array(rows.length * width)
    for (const [index, { row }] of rows.entries()) all.set(row, index * width)
    const scores = await random.served.predictor.score(all, rows.length)
    for (const [index, { cost }] of rows.entries())
      if (reaches(scores[index]!) && (best === null || cost < best)) best = cost
    return best
  }

  it.each([
    { goal: 'LOWER', to: 0.45, hits: true },
    { goal: 'LOWER', to: 0.1, hits: false },
    { goal: 'RAISE', to: 0.6, hits: true },
    { goal: 'RAISE', to: 0.97, hits: false },
  ] as const)(
    'finds the smallest change, and nothing where nothing helps: $goal to $to',
    async ({ goal, to, hits }) => {
      const reaches = (p: number) => (goal === 'LOWER' ? p <= to : p >= to)
      let solved = 0
      for (const prediction of predictions) {
        const found = await findWhatIfs(prediction, { goal, to, maxChanges: 2, first: 1 })
        if (reaches(prediction.probability)) {
          expect(found).toEqual([{ changes: [], newProbability: prediction.probability }])
          continue
        }
        const one = await cheapest(prediction, 1, reaches)
        const two = one === null ? await cheapest(prediction, 2, reaches) : null
        if (one === null && two === null) {
          expect(found).toEqual([])
          continue
        }
        solved++
        const [{ changes, newProbability }] = found as [(typeof found)[number]]
        expect(changes).toHaveLength(one === null ? 2 : 1)
        const cost = changes.reduce((sum, { feature, from, to: value }) => {
          const range = rangeOf(random.model.features.findIndex(({ name }) => name === feature))
          return sum + Math.abs(value - from) / (range.max - range.min)
        }, 0)
        expect(cost).toBeCloseTo((one ?? two)!, 9)
        expect(reaches(newProbability)).toBe(true)
        const row = Float32Array.from(prediction.row)
        for (const { feature, to: value } of changes)
          row[random.model.features.findIndex(({ name }) => name === feature)] = value
        expect(newProbability).toBe(await scoreOf(row))
      }
      if (hits) expect(solved).toBeGreaterThan(0)
    },
  )

  it('moves actionable features only, from what they are, and gives further ways with other features', async () => {
    let several = 0
    for (const prediction of predictions) {
      const found = await findWhatIfs(prediction, { goal: 'LOWER', to: 0.45, maxChanges: 3, first: 5 })
      const sets = found.map(({ changes }) => changes.map(({ feature }) => feature).join())
      expect(new Set(sets).size).toBe(sets.length)
      if (sets.length > 1) several++
      for (const { changes } of found)
        for (const { feature, from, to } of changes) {
          const column = random.model.features.findIndex(({ name }) => name === feature)
          expect(random.model.features[column]!.actionable).toBeDefined()
          expect(from).toBe(prediction.values[column])
          expect(to).not.toBe(from)
        }
    }
    expect(several).toBeGreaterThan(0)
  })
})
