import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { calibrate, fitIsotonic, fitPlatt, logOdds, sigmoid } from '../../trainer/calibration.ts'
import { ece, logLoss } from '../../trainer/metrics.ts'
import { createRandom } from '../../trainer/random.ts'

function drawn(n: number, slope: number, intercept: number, seed = 1) {
  const random = createRandom(seed)
  const margins = Float64Array.from({ length: n }, () => 2 * random.normal())
  const y = Float64Array.from(margins, (margin) => (random.next() < sigmoid(slope * margin + intercept) ? 1 : 0))
  return { margins, y }
}

describe('Platt calibration', () => {
  it('finds the slope and intercept that made the labels', () => {
    const { margins, y } = drawn(50_000, 0.6, -1.2)
    const fitted = fitPlatt(margins, y)
    expect(fitted.slope).toBeCloseTo(0.6, 1)
    expect(fitted.intercept).toBeCloseTo(-1.2, 1)
    const said = margins.map((margin) => calibrate(fitted, margin))
    expect(ece(y, said)).toBeLessThan(0.01)
    expect(logLoss(y, said)).toBeLessThan(logLoss(y, margins.map(sigmoid))!)
  })

  it('counts a weight like so many rows', () => {
    const { margins, y } = drawn(300, 1, 0)
    const weights = Float64Array.from(margins, (_, row) => (row % 3 === 0 ? 3 : 1))
    const repeated = [...margins.keys()].flatMap((row) => Array<number>(weights[row]!).fill(row))
    const weighted = fitPlatt(margins, y, weights)
    const plain = fitPlatt(
      repeated.map((row) => margins[row]!),
      repeated.map((row) => y[row]!),
    )
    expect(weighted.slope).toBeCloseTo(plain.slope, 6)
    expect(weighted.intercept).toBeCloseTo(plain.intercept, 6)
  })

  it.each([
    ['separable margins', [-3, -2, 2, 3], [0, 0, 1, 1]],
    ['huge separable margins', [-1e4, -9e3, 8e3, 1e4], [0, 0, 1, 1]],
    ['equal margins', [1, 1, 1, 1], [0, 1, 0, 0]],
    ['one class', [-1, 0, 1], [0, 0, 0]],
    ['one row', [0.3], [1]],
    ['no rows', [], []],
  ])('stays finite with %s', (_, margins, y) => {
    const fitted = fitPlatt(margins, y)
    for (const margin of [-1e6, -1, 0, 1, 1e6]) {
      const p = calibrate(fitted, margin)
      expect(p).toBeGreaterThanOrEqual(0)
      expect(p).toBeLessThanOrEqual(1)
    }
  })

  it('says the base rate for margins that rank the wrong way round', () => {
    const fitted = fitPlatt([3, 2, 1, -1, -2, -3, 0, 0], [0, 0, 0, 1, 1, 1, 0, 1])
    expect(fitted.slope).toBe(0)
    expect(calibrate(fitted, 5)).toBeCloseTo(0.5, 12)
  })
})

describe('isotonic calibration', () => {
  const recorded = JSON.parse(readFileSync(new URL('vectors/metrics.json', import.meta.url), 'utf8')).isotonic as {
    margins: number[]
    y: number[]
    at: number[]
    probabilities: number[]
  }

  it('equals scikit-learn away from the ends, ties included', () => {
    const fitted = fitIsotonic(recorded.margins, recorded.y)
    const inner = recorded.at.filter(
      (_, at) => recorded.probabilities[at]! > 0.15 && recorded.probabilities[at]! < 0.85,
    )
    expect(inner.length).toBeGreaterThan(10)
    for (const at of inner) {
      expect(calibrate(fitted, at)).toBeCloseTo(recorded.probabilities[recorded.at.indexOf(at)]!, 9)
    }
  })

  it('rises, and never says 0 or 1', () => {
    const { margins, y } = drawn(2000, 3, 0)
    const fitted = fitIsotonic(margins, y)
    let last = 0
    for (let margin = -20; margin <= 20; margin += 0.05) {
      const p = calibrate(fitted, margin)
      expect(p).toBeGreaterThanOrEqual(last)
      expect(p).toBeGreaterThan(0)
      expect(p).toBeLessThan(1)
      last = p
    }
  })

  it('survives no rows and one class', () => {
    expect(calibrate(fitIsotonic([], []), 1)).toBe(0.5)
    expect(calibrate(fitIsotonic([1, 2, 3], [1, 1, 1]), 9)).toBeCloseTo(0.8, 12)
  })
})

it('log-odds and sigmoid undo each other', () => {
  for (const p of [1e-9, 0.2, 0.5, 0.999]) expect(sigmoid(logOdds(p))).toBeCloseTo(p, 12)
  expect(sigmoid(-800)).toBe(0)
  expect(sigmoid(800)).toBe(1)
})
