import type { Actionable, Model } from '../../ml/define.ts'
import { createEncoder } from '../../ml/encoding.ts'
import { createShares } from '../../ml/explain/shares.ts'
import { createPredictor } from '../../ml/inference/predictor.ts'
import { createInferenceThread, type InferenceThread } from '../../ml/inference/thread.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import { outcomesOf } from '../../ml/outcomes.ts'
import { isPrediction, type Prediction } from '../../ml/prediction.ts'
import type { ServedVersion } from '../../ml/served-version.ts'
import { fit, type SharedRows } from '../../trainer/fitting/fit.ts'
import { createRandom, type Dataset, serialiseExplainer, statisticsOf } from '../../trainer/index.ts'
import { type Model as Fitted, predict } from '../../trainer/model.ts'
import { encodeModel } from '../../trainer/onnx/model.ts'
import { createArena } from '../../trainer/trees/histogram.ts'
import { defaultTreeSettings } from '../../trainer/trees/settings.ts'
import { syntheticDataset } from '../trainer/synthetic.ts'

/** A model of random shape over random rows, trained, encoded and loaded as a served version, without a database. */
export interface RandomVersion {
  readonly model: Model
  readonly served: ServedVersion
  readonly dataset: Dataset
  readonly thread: InferenceThread
  predict(from: number, n: number): Promise<Prediction[]>
  close(): Promise<void>
}

export interface RandomVersionOptions {
  readonly seed: number
  readonly learner: 'linear' | 'boosted' | 'blend'
  readonly numbers?: number
  readonly levels?: readonly number[]
  readonly rounds?: number
  readonly leaves?: number
  readonly actionable?: (column: number) => Actionable | undefined
}

export async function randomVersion(options: RandomVersionOptions): Promise<RandomVersion> {
  const { seed, learner, numbers = 5, levels = [4], rounds = 30, leaves = 12, actionable = () => undefined } = options
  const dataset = syntheticDataset(900, { seed, numbers, levels, isUgly: false })
  const columns = dataset.columns
  const shared: SharedRows = { columns, x: dataset.x, y: dataset.y, weights: null, objective: 'logistic', classes: 1 }
  const rows = Uint32Array.from({ length: dataset.n }, (_, row) => row)
  const task = { rows, held: null, wantsModel: true, seed }
  const linear =
    learner === 'boosted'
      ? null
      : fit(createArena(), shared, { ...task, candidate: { learner: 'linear', settings: { inverseL2: 1 } } }).linear
  const settings = { ...defaultTreeSettings, rounds, leaves, minLeaf: 5 }
  const forest =
    learner === 'linear'
      ? null
      : fit(createArena(), shared, { ...task, candidate: { learner: 'boosted', settings } }).forest
  const fitted: Fitted = {
    task: 'binary',
    objective: 'logistic',
    columns,
    outputs: 1,
    linear,
    forest,
    linearShare: forest ? (linear ? 0.4 : 0) : 1,
    calibration: { kind: 'platt', slope: 1.1, intercept: -0.1 },
  }
  const width = columns.length
  const x = Array.from({ length: 5 }, (_, row) => [...dataset.x.subarray(row * width, (row + 1) * width)])
  const golden = { x, y: [...predict(fitted, Float32Array.from(x.flat()))] }
  const explainer = { model: fitted, spread: null }
  const thread = createInferenceThread()
  const id = `random ${seed}`
  const model: Model = {
    name: 'random',
    entity: 'Thing',
    key: ['id'],
    question: 'Is it so?',
    features: columns.map(({ name, kind, levels: known }, column) => {
      const moves = actionable(column)
      return {
        name,
        kind,
        says: `It is ${name}`,
        ...(known ? { levels: known } : {}),
        ...(moves ? { actionable: moves } : {}),
      }
    }),
    bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
    schemaHash: id,
    read: () => Promise.reject(new Error('it has no table')),
    async *labels() {},
  }
  const contents = { columns, golden, statistics: statisticsOf(dataset), features: model.features }
  const served: ServedVersion = {
    version: { id, number: 1, name: 'random', schemaHash: id, contents } as unknown as ModelVersion,
    encoder: createEncoder(columns),
    predictor: await createPredictor({ id, onnx: encodeModel(fitted, {}), width, golden, thread }),
    explainer,
    coverage: { asked: 0, answered: 0 },
    shares: createShares({ id, explainer, bytes: serialiseExplainer(explainer), thread }),
  }
  return {
    model,
    served,
    dataset,
    thread,
    async predict(from, n) {
      const random = createRandom(seed + from)
      const pairs = Array.from({ length: n }, (_, index) => ({ key: { id: from + index }, asOf: new Date(0) }))
      const read = pairs.map((_, index) => ({
        eligible: true,
        values: columns.map(({ kind, levels: known }, column) => {
          if (random.next() < 0.03) return null
          const cell = dataset.x[((from + index) % dataset.n) * width + column]!
          return kind === 'category' ? (known?.[cell] ?? null) : cell
        }),
      }))
      const outcomes = await outcomesOf(model, served, pairs, read, (cells, count) =>
        served.predictor.score(cells, count),
      )
      return outcomes.filter(isPrediction)
    },
    async close() {
      await served.predictor.dispose()
      await thread.close()
    },
  }
}
