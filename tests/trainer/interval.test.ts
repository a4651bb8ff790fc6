import { describe, expect, it } from 'vitest'
import { sigmoid } from '../../trainer/calibration.ts'
import { fitVennAbers, intervalCoverage, intervalOf, residualWidth, wilson } from '../../trainer/interval.ts'
import { createRandom } from '../../trainer/random.ts'

/** Scores whose true probability is another rising function of them. */
function drawn(n: number, seed: number) {
  const random = createRandom(seed)
  const scores = Float64Array.from({ length: n }, () => random.normal())
  const truth = scores.map((score) => sigmoid(2 * score - 1))
  const y = truth.map((p) => (random.next() < p ? 1 : 0))
  return { scores, y, truth }
}

/** The definition: pool-adjacent-violators over all rows and the new one with an assumed label, read off at the new one. */
function byDefinition(scores: ArrayLike<number>, y: ArrayLike<number>, score: number, label: number): number {
  const rows = Array.from({ length: scores.length }, (_, row) => ({ score: scores[row]!, y: y[row]! }))
  rows.push({ score, y: label })
  let best = Number.NEGATIVE_INFINITY
  const distinct = [...new Set(rows.map((row) => row.score))].sort((a, b) => a - b)
  for (const from of distinct.filter((value) => value <= score)) {
    let least = Number.POSITIVE_INFINITY
    for (const to of distinct.filter((value) => value >= score)) {
      const inside = rows.filter((row) => row.score >= from && row.score <= to)
      least = Math.min(least, inside.reduce((sum, row) => sum + row.y, 0) / inside.length)
    }
    best = Math.max(best, least)
  }
  return best
}

describe('Venn-Abers', () => {
  it('equals its definition at every calibration score, ties included', () => {
    const { scores, y } = drawn(60, 3)
    const rounded = scores.map((score) => Math.round(score * 5) / 5)
    const table = fitVennAbers(rounded, y)
    for (const score of new Set(rounded)) {
      const [low, high] = intervalOf(table, score, byDefinition(rounded, y, score, 0))
      expect(low).toBeCloseTo(byDefinition(rounded, y, score, 0), 12)
      expect(high).toBeCloseTo(byDefinition(rounded, y, score, 1), 12)
    }
  })

  it('is valid: the bound that belongs to the true label is a calibrated probability', () => {
    const cells = Array.from({ length: 10 }, () => ({ said: 0, seen: 0, rows: 0 }))
    for (let trial = 0; trial < 600; trial++) {
      const calibration = drawn(40, 2 * trial)
      const table = fitVennAbers(calibration.scores, calibration.y)
      const test = drawn(40, 2 * trial + 1)
      test.scores.forEach((score, row) => {
        const low = intervalOf(table, score, 1)[0]
        const high = intervalOf(table, score, 0)[1]
        const chosen = test.y[row] === 1 ? high : low
        const cell = cells[Math.min(9, Math.floor(chosen * 10))]!
        cell.said += chosen
        cell.seen += test.y[row]!
        cell.rows++
      })
    }
    // scores between two calibration scores are rounded to one of them, which costs little
    for (const { said, seen, rows } of cells) if (rows > 500) expect(Math.abs(said - seen) / rows).toBeLessThan(0.06)
    const whole = cells.reduce((sum, cell) => sum + Math.abs(cell.said - cell.seen), 0) / (600 * 40)
    expect(whole).toBeLessThan(0.03)
  })

  it('holds the shown probability, orders its ends and stays within 0..1', () => {
    const { scores, y } = drawn(3000, 8)
    const table = fitVennAbers(scores, y)
    expect(table.low.length).toBeLessThanOrEqual(512)
    for (let score = -6; score <= 6; score += 0.07) {
      for (const shown of [0, 0.3, sigmoid(2 * score - 1), 1]) {
        const [low, high] = intervalOf(table, score, shown)
        expect(low).toBeLessThanOrEqual(shown)
        expect(high).toBeGreaterThanOrEqual(shown)
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1)
      }
    }
  })

  it('is wide after few rows and narrow after many', () => {
    const widthAfter = (n: number): number => {
      const { scores, y } = drawn(n, 11)
      const table = fitVennAbers(scores, y)
      return table.high.reduce((sum, high, at) => sum + high - table.low[at]!, 0) / table.high.length
    }
    expect(widthAfter(20)).toBeGreaterThan(0.12)
    expect(widthAfter(200)).toBeLessThan(widthAfter(20))
    expect(widthAfter(5000)).toBeLessThan(0.05)
    expect(intervalOf(fitVennAbers([], []), 1, 0.4)).toEqual([0, 1])
    expect(intervalOf(fitVennAbers([1], [1]), 1, 0.7)).toEqual([0.5, 1])
  })

  it('reports coverage that notices a wrong interval', () => {
    const calibration = drawn(2000, 20)
    const table = fitVennAbers(calibration.scores, calibration.y)
    const test = drawn(3000, 21)
    const bounds = test.scores.map((score, row) => intervalOf(table, score, test.truth[row]!)[0])
    const tops = test.scores.map((score, row) => intervalOf(table, score, test.truth[row]!)[1])
    const report = intervalCoverage(test.y, bounds, tops)!
    expect(report.rows).toBe(3000)
    expect(report.covered).toBeGreaterThan(0.85)
    expect(report.low - 0.02).toBeLessThan(report.seen)
    expect(report.seen).toBeLessThan(report.high + 0.02)
    const wrong = intervalCoverage(
      test.y,
      bounds.map((low) => low / 3),
      tops.map((high) => high / 3),
    )!
    expect(wrong.covered).toBeLessThan(0.5)
    expect(intervalCoverage([1, 0], [0, 0], [1, 1])).toBeNull()
  })
})

describe('residual intervals', () => {
  it('cover at least as often as they say', () => {
    const random = createRandom(9)
    let covered = 0
    for (let trial = 0; trial < 300; trial++) {
      const width = residualWidth(
        Array.from({ length: 60 }, () => random.normal() * (1 + random.next())),
        0.9,
      )!
      if (Math.abs(random.normal() * (1 + random.next())) <= width) covered++
    }
    expect(covered / 300).toBeGreaterThan(0.85)
  })

  it('are null where so few rows cannot carry the level', () => {
    expect(residualWidth([1, 2, 3], 0.9)).toBeNull()
    expect(residualWidth([], 0.9)).toBeNull()
    expect(residualWidth([1, -2, 3, -4, 5, -6, 7, -8, 9], 0.9)).toBe(9)
  })
})

it('the Wilson interval of 5 in 10', () => {
  const [low, high] = wilson(5, 10)
  expect(low).toBeCloseTo(0.2366, 4)
  expect(high).toBeCloseTo(0.7634, 4)
})
