import { describe, expect, it } from 'vitest'
import { judgeDrift } from '../../ml/alerts/findings.ts'
import { comparisonOf, driftOf } from '../../ml/monitoring/drift.ts'
import { chiSquareTail, discoveries, kolmogorovTail } from '../../ml/monitoring/significance.ts'
import { createRandom, type Random, statisticsOf, stepOf } from '../../trainer/index.ts'
import { toyModel } from '../ml/toy-model.ts'

const FEATURES = 200
const span = { from: null, to: null }

/** Numbers and, every fourth, categories, with a tenth of each missing. shift: of which features and how far. */
function drawRows(random: Random, n: number, shift: (feature: number) => number): Float32Array {
  const x = new Float32Array(n * FEATURES)
  for (let row = 0; row < n; row++)
    for (let feature = 0; feature < FEATURES; feature++) {
      const draw = random.next() + random.next() + random.next() - 1.5 + shift(feature)
      x[row * FEATURES + feature] =
        random.next() < 0.1 ? Number.NaN : feature % 4 === 0 ? Math.min(5, Math.max(0, Math.floor(3 + 2 * draw))) : draw
    }
  return x
}

const columns = Array.from({ length: FEATURES }, (_, feature) =>
  feature % 4 === 0
    ? { name: `f${feature}`, kind: 'category' as const, levels: ['a', 'b', 'c', 'd', 'e', 'f'] }
    : { name: `f${feature}`, kind: 'number' as const },
)

/** Trains nothing: the statistics of one draw, the counts of another. */
function compare(seed: number, n: number, shift: (feature: number) => number) {
  const random = createRandom(seed)
  const training = drawRows(random, 2000, () => 0)
  const statistics = statisticsOf({ columns, n: 2000, x: training })
  const served = drawRows(random, n, shift)
  return statistics.map((statistic, feature) => {
    const steps = statistic.edges.length + 1
    const counts = new Array<number>(steps + 2).fill(0)
    for (let row = 0; row < n; row++) {
      const value = served[row * FEATURES + feature]!
      counts[Number.isNaN(value) ? steps : stepOf(statistic.edges, value)]! += 1
    }
    return comparisonOf(statistic, columns[feature]!.kind, 2000, counts)
  })
}

describe('drift of many features', () => {
  it('raises nothing for 200 unchanged features, in 20 runs', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const drifts = driftOf(compare(seed, 500, () => 0))
      expect(judgeDrift(toyModel(), drifts, 0.2, span)).toMatchObject({ state: 'CLEARED', breaches: [] })
    }
  })

  it('names the one feature of 200 that changed, a number or a category', () => {
    for (const changed of [17, 40]) {
      const drifts = driftOf(compare(changed, 500, (feature) => (feature === changed ? 0.4 : 0)))
      expect(drifts.filter(({ isDrifted }) => isDrifted).map(({ feature }) => feature)).toEqual([`f${changed}`])
      const finding = judgeDrift(toyModel(), drifts, 0.2, span)
      expect(finding).toMatchObject({ state: 'RAISED', breaches: [{ name: `f${changed}` }] })
      expect(finding.message).toContain(`f${changed}`)
    }
  })

  it('row 48: makes one finding of 200 features that change at once, with the worst by name', () => {
    const finding = judgeDrift(toyModel(), driftOf(compare(3, 500, (feature) => 0.3 + feature / 200)), 0.2, span)
    expect(finding.state).toBe('RAISED')
    expect(finding.breaches.length).toBeGreaterThan(190)
    expect(finding.message).toMatch(/and \d+ more\.$/)
    expect(finding.message.length).toBeLessThan(300)
  })

  it('sees values go missing, and values that training never saw', () => {
    const [first] = compare(5, 600, () => 0)
    const missing = [...first!.served]
    missing[missing.length - 2]! += 300
    const unknown = [...first!.served]
    unknown[unknown.length - 1]! += 200
    const [lost, strange] = driftOf([
      { ...first!, served: missing },
      { ...first!, served: unknown },
    ])
    expect(lost).toMatchObject({ isDrifted: true })
    expect(lost!.missingRate).toBeGreaterThan(0.35)
    expect(strange).toMatchObject({ isDrifted: true, unknownRate: 0.25 })
  })

  it('says nothing about too few rows', () => {
    const [drift] = driftOf(compare(6, 150, () => 3).slice(0, 1))
    expect(drift).toMatchObject({ psi: null, ks: null, chance: null, isDrifted: false })
    expect(judgeDrift(toyModel(), [drift!], 0.2, span).state).toBe('UNKNOWN')
  })

  it('leaves out what the model file ignores', () => {
    const model = toyModel({ alerts: { drift: { ignore: ['f17'] } } })
    const drifts = driftOf(compare(17, 500, (feature) => (feature === 17 ? 0.4 : 0)))
    expect(judgeDrift(model, drifts, 0.2, span).breaches).toEqual([])
  })
})

describe('significance', () => {
  it('agrees with tables', () => {
    expect(chiSquareTail(3.841, 1)).toBeCloseTo(0.05, 4)
    expect(chiSquareTail(18.307, 10)).toBeCloseTo(0.05, 4)
    expect(chiSquareTail(124.342, 100)).toBeCloseTo(0.05, 3)
    expect(chiSquareTail(0, 5)).toBe(1)
    expect(kolmogorovTail(1.358 / Math.sqrt(5000), 10_000, 10_000)).toBeCloseTo(0.05, 2)
  })

  it('finds by Benjamini and Hochberg what counts among many', () => {
    expect(discoveries([0.01, 0.04, 0.03, 0.005], 0.05)).toEqual([true, true, true, true])
    expect(discoveries([0.01, 0.2, 0.3, 0.9], 0.05)).toEqual([true, false, false, false])
    expect(discoveries([0.02, 0.2, 0.3, 0.9], 0.05)).toEqual([false, false, false, false])
    expect(discoveries([], 0.05)).toEqual([])
  })
})
