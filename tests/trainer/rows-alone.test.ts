import { describe, expect, it } from 'vitest'
import { fit, type SharedRows } from '../../trainer/fitting/fit.ts'
import type { Model } from '../../trainer/model.ts'
import { encodeModel } from '../../trainer/onnx/model.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import { defaultTreeSettings } from '../../trainer/trees/settings.ts'
import { runOnnx } from './onnx.ts'
import { syntheticDataset, syntheticRows } from './synthetic.ts'

const dataset = syntheticDataset(900, { numbers: 33, levels: [5, 30, 3], seed: 41 })
const width = dataset.columns.length
const shared: SharedRows = {
  columns: dataset.columns,
  x: dataset.x,
  y: dataset.y,
  weights: null,
  objective: 'logistic',
  classes: 1,
}
const rows = Uint32Array.from({ length: dataset.n }, (_, row) => row)
const learn = (learner: 'linear' | 'boosted') =>
  fit(createArena(), shared, {
    candidate:
      learner === 'linear'
        ? { learner, settings: { inverseL2: 1 } }
        : { learner, settings: { ...defaultTreeSettings, rounds: 40, leaves: 31, minLeaf: 5 } },
    rows,
    held: null,
    wantsModel: true,
    seed: 3,
  })
const { linear } = learn('linear')
const { forest } = learn('boosted')

const platt: Model['calibration'] = { kind: 'platt', slope: 1.3, intercept: -0.2 }
const steps = Array.from({ length: 21 }, (_, at) => -3 + 0.3 * at + 0.01 * (at % 3))
const isotonic: Model['calibration'] = {
  kind: 'isotonic',
  margins: steps,
  probabilities: steps.map((_, at) => 0.02 + (at / 20) ** 2 * 0.95),
}
const models = [
  { name: 'linear', linear, forest: null, linearShare: 1, calibration: platt },
  { name: 'forest', linear: null, forest, linearShare: 0, calibration: platt },
  { name: 'blend', linear, forest, linearShare: 0.37, calibration: platt },
  { name: 'isotonic blend', linear, forest, linearShare: 0.37, calibration: isotonic },
]

describe('a row scores the same bits', () => {
  it.each(models)('alone, in company and wherever it stands: $name', async ({ name: _name, ...parts }) => {
    const model: Model = { task: 'binary', objective: 'logistic', columns: dataset.columns, outputs: 1, ...parts }
    const onnx = encodeModel(model, {})
    const x = syntheticRows(1500, dataset.columns, 17)
    const all = await runOnnx(onnx, x, width)
    expect(new Set(all).size).toBeGreaterThan(20)
    for (const size of [1, 2, 3, 7, 10, 50, 255, 256, 999]) {
      for (const from of [0, 1, 5, 300]) {
        const part = await runOnnx(onnx, x.slice(from * width, (from + size) * width), width)
        expect(part).toEqual(all.slice(from, from + size))
      }
    }
  })
})
