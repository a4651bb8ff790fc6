import { describe, expect, it } from 'vitest'
import { fit } from '../../trainer/fitting/fit.ts'
import {
  contributions,
  type Dataset,
  type Explainer,
  interval,
  marginOf,
  parseExplainer,
  serialiseExplainer,
  TrainerError,
} from '../../trainer/index.ts'
import type { Model } from '../../trainer/model.ts'
import { type Forest, goesLeft } from '../../trainer/trees/forest.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import { defaultTreeSettings, type TreeSettings } from '../../trainer/trees/settings.ts'
import { gaussLegendre } from '../../trainer/trees/shap.ts'
import { syntheticDataset } from './synthetic.ts'

function explainerFor(
  dataset: Dataset,
  settings: Partial<TreeSettings>,
  calibration: Model['calibration'],
  linearShare = 0,
): Explainer {
  const rows = Uint32Array.from({ length: dataset.n }, (_, row) => row)
  const isMulticlass = dataset.task === 'multiclass'
  const objective = isMulticlass ? 'softmax' : 'logistic'
  const shared = { ...dataset, weights: null, objective, classes: isMulticlass ? 3 : 1 } as const
  const task = { rows, held: null, wantsModel: true, seed: 1 }
  const { forest } = fit(createArena(), shared, {
    ...task,
    candidate: { learner: 'boosted', settings: { ...defaultTreeSettings, minLeaf: 3, ...settings } },
  })
  const linear =
    linearShare > 0
      ? fit(createArena(), shared, { ...task, candidate: { learner: 'linear', settings: { inverseL2: 1 } } }).linear
      : null
  const { columns } = dataset
  const model = {
    task: dataset.task,
    objective,
    columns,
    outputs: shared.classes,
    forest,
    linear,
    linearShare,
  } as const
  return { model: { ...model, calibration }, spread: null }
}

/** Expected score of a tree when only the columns of a set are known (Lundberg et al. 2020, algorithm 1). */
function knownOnly(forest: Forest, node: number, row: Float32Array, known: number): number {
  const feature = forest.feature[node]!
  if (feature < 0) return forest.value[node]!
  const [left, right] = [forest.left[node]!, forest.right[node]!]
  if ((known >>> feature) & 1)
    return knownOnly(forest, goesLeft(forest, node, row[feature]!) ? left : right, row, known)
  const [before, after] = [forest.cover[left]!, forest.cover[right]!]
  return (
    (before * knownOnly(forest, left, row, known) + after * knownOnly(forest, right, row, known)) / (before + after)
  )
}

/** Shapley values by their definition, over every set of columns. */
function bruteShapley(forest: Forest, row: Float32Array, width: number): number[] {
  const factorial = (value: number): number => (value < 2 ? 1 : value * factorial(value - 1))
  const worth = Array.from({ length: 1 << width }, (_, known) => {
    let sum = 0
    for (let tree = 0; tree < forest.roots.length - 1; tree++) sum += knownOnly(forest, forest.roots[tree]!, row, known)
    return sum
  })
  return Array.from({ length: width }, (_, feature) => {
    let value = 0
    for (let known = 0; known < 1 << width; known++) {
      if ((known >>> feature) & 1) continue
      const size = known.toString(2).replaceAll('0', '').length
      const weight = (factorial(size) * factorial(width - size - 1)) / factorial(width)
      value += weight * (worth[known | (1 << feature)]! - worth[known]!)
    }
    return value
  })
}

describe('contributions', () => {
  it('are the Shapley values of their definition, categories and missing cells included', () => {
    const dataset = syntheticDataset(400, { numbers: 4, levels: [4, 20], seed: 3 })
    const explainer = explainerFor(dataset, { rounds: 6, leaves: 24 }, null)
    const width = dataset.columns.length
    const rows = 25
    const { base, values } = contributions(explainer, dataset.x.subarray(0, rows * width), rows)
    for (let row = 0; row < rows; row++) {
      const cells = dataset.x.subarray(row * width, (row + 1) * width)
      bruteShapley(explainer.model.forest!, cells, width).forEach((expected, f) => {
        expect(values[row * width + f]).toBeCloseTo(expected, 12)
      })
    }
    expect(Number.isFinite(base)).toBe(true)
  })

  it.each([
    ['trees', 0],
    ['a blend', 0.4],
  ])('of %s add up to the calibrated log-odds', (_, linearShare) => {
    const dataset = syntheticDataset(800, { seed: 4 })
    const calibration = { kind: 'platt', slope: 1.7, intercept: 0.3 } as const
    const explainer = explainerFor(dataset, { rounds: 40 }, calibration, linearShare)
    const width = dataset.columns.length
    const { base, values } = contributions(explainer, dataset.x, dataset.n)
    const margins = marginOf(explainer, dataset.x)
    for (let row = 0; row < dataset.n; row++) {
      let sum = base
      for (let f = 0; f < width; f++) sum += values[row * width + f]!
      expect(Math.abs(sum - margins[row]!)).toBeLessThan(1e-9)
    }
  })

  it('explain each class of a multiclass model by its own score', () => {
    const dataset = syntheticDataset(600, { task: 'multiclass', seed: 6 })
    const explainer = explainerFor(dataset, { rounds: 10 }, { kind: 'temperature', factor: 0.8 })
    const width = dataset.columns.length
    const margins = marginOf(explainer, dataset.x)
    for (const output of [0, 1, 2]) {
      const { base, values } = contributions(explainer, dataset.x, dataset.n, output)
      for (let row = 0; row < dataset.n; row += 7) {
        const sum = values.subarray(row * width, (row + 1) * width).reduce((total, value) => total + value, base)
        expect(sum).toBeCloseTo(margins[3 * row + output]!, 9)
      }
    }
  })

  it('rest on a quadrature that is exact for polynomials', () => {
    for (let points = 1; points <= 12; points++) {
      const { at, weight } = gaussLegendre(points)
      for (let power = 0; power < 2 * points; power++) {
        const integral = at.reduce((sum, t, i) => sum + weight[i]! * t ** power, 0)
        expect(integral).toBeCloseTo(1 / (power + 1), 13)
      }
    }
  })
})

describe('an explainer', () => {
  const dataset = syntheticDataset(300, { seed: 2 })
  const explainer: Explainer = {
    ...explainerFor(dataset, { rounds: 5 }, { kind: 'platt', slope: 1, intercept: 0 }, 0.5),
    spread: { kind: 'venn-abers', tables: [{ borders: [0.5], low: [0.1, 0.6], high: [0.3, 0.9], rows: 40 }] },
  }

  it('comes back from its bytes unchanged', () => {
    const bytes = serialiseExplainer(explainer)
    const again = parseExplainer(bytes)
    expect(again).toEqual(explainer)
    expect(marginOf(again, dataset.x)).toEqual(marginOf(explainer, dataset.x))
    expect(serialiseExplainer(again)).toEqual(bytes)
  })

  it('refuses bytes that are none', () => {
    for (const bytes of [new Uint8Array(0), new TextEncoder().encode('{"format":2}'), Uint8Array.of(0xff, 0xfe)])
      expect(() => parseExplainer(bytes)).toThrow(TrainerError)
  })

  it('gives intervals that hold the probability itself', () => {
    const { low, high } = interval(explainer, [0.05, 0.2, 0.4, 0.7, 0.95])
    expect([...low]).toEqual([0.05, 0.1, 0.1, 0.6, 0.6])
    expect([...high]).toEqual([0.3, 0.3, 0.4, 0.9, 0.95])
  })
})
