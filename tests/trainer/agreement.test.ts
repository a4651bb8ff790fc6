import { describe, expect, it } from 'vitest'
import { fit, type SharedRows } from '../../trainer/fitting/fit.ts'
import { createRandom, type Dataset } from '../../trainer/index.ts'
import { type Model, predict } from '../../trainer/model.ts'
import { encodeModel } from '../../trainer/onnx/model.ts'
import type { Candidate } from '../../trainer/options.ts'
import { type Forest, MASK_WORDS } from '../../trainer/trees/forest.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import type { ObjectiveName } from '../../trainer/trees/objectives.ts'
import { defaultTreeSettings } from '../../trainer/trees/settings.ts'
import { largestGap, runOnnx } from './onnx.ts'
import { syntheticDataset, syntheticRows } from './synthetic.ts'

const objectives: Record<Dataset['task'], ObjectiveName> = {
  binary: 'logistic',
  multiclass: 'softmax',
  regression: 'squared',
}

function fitted(dataset: Dataset, candidate: Candidate, objective = objectives[dataset.task]): Model {
  const shared: SharedRows = {
    columns: dataset.columns,
    x: dataset.x,
    y: dataset.y,
    weights: null,
    objective,
    classes: dataset.task === 'multiclass' ? 3 : 1,
  }
  const rows = Uint32Array.from({ length: dataset.n }, (_, row) => row)
  const result = fit(createArena(), shared, { candidate, rows, held: null, wantsModel: true, seed: 3 })
  return {
    task: dataset.task,
    objective,
    columns: dataset.columns,
    outputs: shared.classes,
    linear: result.linear,
    forest: result.forest,
    linearShare: result.linear ? 1 : 0,
    calibration: objective === 'logistic' ? { kind: 'platt', slope: 1.3, intercept: -0.2 } : null,
  }
}

const trees = (settings: object): Candidate => ({
  learner: 'boosted',
  settings: { ...defaultTreeSettings, rounds: 25, minLeaf: 5, ...settings },
})

/** One row down one tree, written from the documentation of Forest and sharing no code with it. */
function followTree(forest: Forest, tree: number, row: Float32Array): number {
  let node = forest.roots[tree]!
  for (;;) {
    const feature = forest.feature[node]!
    if (feature === -1) return forest.value[node]!
    const cell = row[feature]!
    const set = forest.mask[node]!
    let toLeft = forest.defaultLeft[node] === 1
    if (set === -1) {
      if (!Number.isNaN(cell)) toLeft = cell <= forest.threshold[node]!
    } else {
      const bin = Array.from(forest.levelBins[feature]!)[cell] ?? 255
      if (bin !== 255) {
        const words = Array.from(forest.masks.slice(set * MASK_WORDS, (set + 1) * MASK_WORDS))
        const bits = words.map((word) => word.toString(2).padStart(32, '0').split('').reverse().join('')).join('')
        toLeft = bits[bin] === '1'
      }
    }
    node = (toLeft ? forest.left : forest.right)[node]!
  }
}

describe('trees, their graph and a brute-force walk', () => {
  const random = createRandom(99)
  const draws = Array.from({ length: 12 }, (_, at) => ({
    seed: 100 + at,
    task: (['binary', 'regression', 'multiclass'] as const)[at % 3]!,
    numbers: random.below(6),
    levels: Array.from({ length: 1 + random.below(3) }, () => 2 + random.below(at % 4 === 0 ? 400 : 12)),
    settings: {
      leaves: 2 + random.below(40),
      rowShare: at % 2 ? 1 : 0.7,
      columnShare: at % 3 ? 1 : 0.5,
      l1: at % 5 === 4 ? 0.5 : 0,
    },
  }))

  it.each(draws)('agree on ugly rows: $task, $numbers numbers, levels $levels', async (draw) => {
    const dataset = syntheticDataset(700, draw)
    const model = fitted(dataset, trees(draw.settings))
    const width = dataset.columns.length
    const rows = syntheticRows(400, dataset.columns, draw.seed + 7)
    for (let at = 0; at < rows.length; at += 11) rows[at] = [-1, 0.5, 1e39, -1e-42, 255, 1e6][at % 6]!
    const own = predict(model, rows)
    const forest = model.forest!
    const scores = Float64Array.from({ length: 400 * model.outputs }, (_, at) => {
      const row = rows.subarray(Math.floor(at / model.outputs) * width, (Math.floor(at / model.outputs) + 1) * width)
      let score = forest.base[at % model.outputs]!
      for (let tree = at % model.outputs; tree < forest.roots.length - 1; tree += model.outputs)
        score += followTree(forest, tree, row)
      return score
    })
    if (draw.task === 'binary') {
      for (let i = 0; i < scores.length; i++) scores[i] = 1 / (1 + Math.exp(-(1.3 * scores[i]! - 0.2)))
    } else if (draw.task === 'multiclass') {
      for (let i = 0; i < 400; i++) {
        const exponents = Array.from(scores.subarray(3 * i, 3 * i + 3), Math.exp)
        const sum = exponents.reduce((total, value) => total + value, 0)
        exponents.forEach((value, k) => {
          scores[3 * i + k] = value / sum
        })
      }
    }
    expect(largestGap(scores, own)).toBeLessThan(1e-12)
    expect(largestGap(own, await runOnnx(encodeModel(model, {}), rows, width))).toBeLessThan(1e-5)
  })

  it('split by levels at all when only levels matter', () => {
    const dataset = syntheticDataset(2000, { numbers: 0, levels: [30] })
    const { forest } = fitted(dataset, trees({}))
    expect(forest!.mask.some((set) => set >= 0)).toBe(true)
  })
})

describe('linear models and their graph', () => {
  it.each(['binary', 'multiclass', 'regression'] as const)('agree on ugly rows: %s', async (task) => {
    const dataset = syntheticDataset(900, { task, levels: [3, 60], seed: 5 })
    const model = fitted(dataset, { learner: 'linear', settings: { inverseL2: 1 } })
    const rows = syntheticRows(300, dataset.columns, 77)
    for (let at = 0; at < rows.length; at += 13) rows[at] = [-1, 0.5, 1e30, 61, -0.5][at % 5]!
    const bytes = encodeModel(model, {})
    expect(largestGap(predict(model, rows), await runOnnx(bytes, rows, dataset.columns.length))).toBeLessThan(1e-5)
  })

  it('agree for counts and for isotonic calibration', async () => {
    const counts = syntheticDataset(600, { task: 'regression' })
    const y = counts.y.map((value) => Math.max(0, Math.round(value + 2)))
    const poisson = fitted({ ...counts, y }, trees({ rounds: 10 }), 'poisson')
    const width = counts.columns.length
    expect(
      largestGap(predict(poisson, counts.x), await runOnnx(encodeModel(poisson, {}), counts.x, width)),
    ).toBeLessThan(1e-5)
    const dataset = syntheticDataset(600, { seed: 8 })
    const model: Model = {
      ...fitted(dataset, trees({ rounds: 10 })),
      calibration: { kind: 'isotonic', margins: [-1.5, -0.5, 0.25, 1], probabilities: [0.1, 0.1, 0.4, 0.8] },
    }
    const answers = predict(model, dataset.x)
    expect(largestGap(answers, await runOnnx(encodeModel(model, {}), dataset.x, width))).toBeLessThan(1e-5)
    expect(Math.max(...answers)).toBeLessThanOrEqual(0.8)
  })
})
