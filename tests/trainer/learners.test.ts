import { describe, expect, it } from 'vitest'
import { fit, type SharedRows } from '../../trainer/fitting/fit.ts'
import type { Column, Dataset } from '../../trainer/index.ts'
import { answersOf, type Model, modelScores } from '../../trainer/model.ts'
import { encodeModel } from '../../trainer/onnx/model.ts'
import type { Candidate } from '../../trainer/options.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import type { ObjectiveName } from '../../trainer/trees/objectives.ts'
import { defaultTreeSettings } from '../../trainer/trees/settings.ts'
import { largestGap, runOnnx } from './onnx.ts'
import { syntheticDataset } from './synthetic.ts'

const arena = createArena()
const linear: Candidate = { learner: 'linear', settings: { inverseL2: 1 } }
const boosted: Candidate = { learner: 'boosted', settings: { ...defaultTreeSettings, rounds: 60, minLeaf: 3 } }
const sampled: Candidate = {
  learner: 'boosted',
  settings: { ...boosted.settings, rowShare: 0.6, columnShare: 0.6 } as typeof defaultTreeSettings,
}

/** Every learner with every objective it knows. A learner that joins the trainer joins this list. */
const learners: [string, Candidate, ObjectiveName][] = [
  ['logistic regression', linear, 'logistic'],
  ['multinomial regression', linear, 'softmax'],
  ['ridge regression', linear, 'squared'],
  ['Poisson regression', linear, 'poisson'],
  ['boosted trees, log-loss', boosted, 'logistic'],
  ['boosted trees, softmax', boosted, 'softmax'],
  ['boosted trees, squared error', boosted, 'squared'],
  ['boosted trees, absolute error', boosted, 'absolute'],
  ['boosted trees, Poisson', boosted, 'poisson'],
  ['boosted trees on samples', sampled, 'logistic'],
]

function learn(
  candidate: Candidate,
  objective: ObjectiveName,
  columns: readonly Column[],
  x: number[][],
  y: number[],
): Model {
  const shared: SharedRows = {
    columns,
    x: Float32Array.from(x.flat()),
    y: Float32Array.from(y),
    weights: null,
    objective,
    classes: objective === 'softmax' ? 3 : 1,
  }
  const rows = Uint32Array.from(y, (_, row) => row)
  const result = fit(arena, shared, { candidate, rows, held: null, wantsModel: true, seed: 1 })
  const task = objective === 'logistic' ? 'binary' : objective === 'softmax' ? 'multiclass' : 'regression'
  return {
    task,
    objective,
    columns,
    outputs: shared.classes,
    linear: result.linear,
    forest: result.forest,
    linearShare: result.linear ? 1 : 0,
    calibration: null,
  }
}

/** Finite answers that the graph repeats, for rows of any kind. */
async function expectSound(model: Model, width: number): Promise<Float64Array> {
  const cells = [0, 1, -1, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e30]
  const x = Float32Array.from({ length: cells.length * width }, (_, at) => cells[Math.floor(at / width)]!)
  const answers = answersOf(modelScores(model, x), model.objective, model.outputs, null)
  expect(answers.every(Number.isFinite)).toBe(true)
  expect(largestGap(answers, await runOnnx(encodeModel(model, {}), x, width))).toBeLessThan(1e-5)
  return answers
}

const columns: Column[] = [
  { name: 'a', kind: 'number' },
  { name: 'b', kind: 'number' },
  { name: 'c', kind: 'category', levels: ['x', 'y'] },
]
const labelOf = (objective: ObjectiveName, z: number): number =>
  objective === 'logistic'
    ? z > 0
      ? 1
      : 0
    : objective === 'softmax'
      ? z < -0.4
        ? 0
        : z < 0.4
          ? 1
          : 2
      : objective === 'poisson'
        ? Math.round(Math.exp(z))
        : z

describe.each(learners)('%s', (_, candidate, objective) => {
  it('fits a plane', async () => {
    const x = Array.from({ length: 900 }, (_, i) => [((i * 37) % 100) / 50 - 1, ((i * 61) % 90) / 45 - 1, i % 2])
    const z = x.map(([a, b, c]) => 1.2 * a! - 0.8 * b! + 0.4 * c!)
    const y = z.map((value) => labelOf(objective, value))
    const model = learn(candidate, objective, columns, x, y)
    await expectSound(model, 3)
    const answers = answersOf(modelScores(model, Float32Array.from(x.flat())), objective, model.outputs, null)
    const mean = y.reduce((sum, value) => sum + value, 0) / y.length
    let miss = 0
    let spread = 0
    y.forEach((label, i) => {
      if (objective === 'softmax') {
        const own = Array.from(answers.subarray(3 * i, 3 * i + 3))
        miss += own.indexOf(Math.max(...own)) === label ? 0 : 1
        spread += 1
      } else {
        miss += (answers[i]! - label) ** 2
        spread += (label - mean) ** 2
      }
    })
    expect(miss / spread).toBeLessThan(0.3)
  })

  it('survives one row', async () => {
    await expectSound(learn(candidate, objective, columns, [[1, Number.NaN, 0]], [1]), 3)
  })

  it('survives one class and constant labels', async () => {
    const x = Array.from({ length: 60 }, (_, i) => [i, -i, i % 2])
    const model = learn(
      candidate,
      objective,
      columns,
      x,
      x.map(() => 1),
    )
    const answers = await expectSound(model, 3)
    if (objective === 'softmax') expect(answers[1]!).toBeGreaterThan(0.9)
    else expect(Math.abs(answers[0]! - 1)).toBeLessThan(0.05)
  })

  it('survives columns of which every cell is missing', async () => {
    const x = Array.from({ length: 80 }, () => [Number.NaN, Number.NaN, Number.NaN])
    const y = x.map((_, i) => (objective === 'softmax' ? i % 3 : i % 2))
    const answers = await expectSound(learn(candidate, objective, columns, x, y), 3)
    if (objective === 'logistic') expect(answers[0]!).toBeCloseTo(0.5, 2)
  })

  it('survives infinite and huge cells while learning', async () => {
    const x = Array.from({ length: 90 }, (_, i) => [
      i % 7 ? i : Number.POSITIVE_INFINITY,
      i % 5 ? 3e38 * (i % 2 ? 1 : -1) : Number.NEGATIVE_INFINITY,
      i % 3,
    ])
    await expectSound(
      learn(
        candidate,
        objective,
        columns,
        x,
        x.map((_, i) => (objective === 'softmax' ? i % 3 : i % 2)),
      ),
      3,
    )
  })

  it('learns nothing from rows without columns', async () => {
    if (candidate.learner === 'linear') return
    const forest = learn(candidate, objective, [], [[], [], []], [0, 1, 1]).forest!
    expect(forest.feature.every((feature) => feature === -1)).toBe(true)
  })
})

describe('logistic regression', () => {
  it('finds the weights that scikit-learn finds', () => {
    // LogisticRegression(C=0.5, tol=1e-12, max_iter=10000) of scikit-learn 1.2.1 on the two columns after StandardScaler
    const x = Array.from({ length: 40 }, (_, i) => [((i * 17) % 23) - 11, ((i * 29) % 31) / 3])
    const y = x.map(([a, b], i) => (a! * 0.3 - b! * 0.5 + ((i * 7) % 5) > 0 ? 1 : 0))
    const model = learn({ learner: 'linear', settings: { inverseL2: 0.5 } }, 'logistic', columns.slice(0, 2), x, y)
    const margins = modelScores(model, Float32Array.from(x.flat()))
    const expected = [
      -1.540445, -1.325563, -2.327636, -3.329708, 0.371776, -0.630297, -1.63237, -2.634442, 1.067042, 0.064969,
      -0.937104, -1.939177,
    ]
    expected.forEach((margin, i) => {
      expect(margins[i]).toBeCloseTo(margin, 3)
    })
  })
})

describe('boosted trees', () => {
  const dataset: Dataset = syntheticDataset(4000, { numbers: 6, levels: [200], seed: 71 })

  it('do not depend on what an earlier fit left in memory', () => {
    const shared: SharedRows = { ...dataset, weights: null, objective: 'logistic', classes: 1 }
    const rows = Uint32Array.from({ length: dataset.n }, (_, row) => row)
    const task = { candidate: boosted, rows, held: null, wantsModel: true, seed: 1 }
    const used = createArena()
    fit(used, shared, { ...task, rows: rows.subarray(0, 3000), candidate: sampled })
    expect(fit(used, shared, task)).toEqual(fit(createArena(), shared, task))
  })

  it('weigh a row of weight 3 as three rows', () => {
    // few enough for every value to have a bin of its own: edges would depend on how often a value stands there
    const few = Uint32Array.from({ length: 200 }, (_, row) => row)
    const shared: SharedRows = {
      ...dataset,
      weights: Float32Array.from(dataset.y, (_, row) => (row % 2 ? 3 : 1)),
      objective: 'logistic',
      classes: 1,
    }
    const thrice = Uint32Array.from(Array.from(few).flatMap((row) => (row % 2 ? [row, row, row] : [row])))
    const candidate: Candidate = {
      learner: 'boosted',
      settings: { ...defaultTreeSettings, rounds: 5, minLeaf: 1, minHessian: 8 },
    }
    const numbers: Column[] = dataset.columns.map((column) => ({ name: column.name, kind: 'number' }))
    const task = { candidate, held: null, wantsModel: true, seed: 1 }
    const weighted = fit(arena, { ...shared, columns: numbers }, { ...task, rows: few }).forest!
    const repeated = fit(arena, { ...shared, columns: numbers, weights: null }, { ...task, rows: thrice }).forest!
    expect(weighted.feature).toEqual(repeated.feature)
    weighted.value.forEach((value, node) => {
      expect(value).toBeCloseTo(repeated.value[node]!, 5)
    })
  })
})
