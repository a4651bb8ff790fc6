import type { Artefact } from '../../trainer/artefact.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { interval, parseExplainer } from '../../trainer/explainer.ts'
import { foldsOf, holdOut, type SplitBy, type TrainTest, trainTestOf } from '../../trainer/folds.ts'
import { type IntervalCoverage, intervalCoverage } from '../../trainer/interval.ts'
import { bestThreshold, bootstrapIntervals, type Metrics, measure, regressionMetrics } from '../../trainer/metrics.ts'
import { orderOf } from '../../trainer/order.ts'
import { rowsOf } from './dataset.ts'
import { scoreRows } from './scoring.ts'

export interface FoldResult {
  readonly fold: string
  readonly train: number
  readonly test: number
  readonly learner: string
  readonly seconds: number
  readonly metrics: Metrics
  /** The majority class (its share as the probability) or the mean of the training rows, on the same rows. */
  readonly baseline: Metrics
}

/** How well the whole procedure does on rows it has not seen: search, calibration and all, once per fold. */
export interface Evaluation {
  readonly by: SplitBy | 'given'
  readonly folds: readonly FoldResult[]
  /** Means over the folds; `ece` is that of all folds' predictions pooled, because few rows a fold make it noise. */
  readonly mean: Metrics
  readonly baseline: Metrics
  /** 95 % bootstrap intervals of the pooled metrics; whole groups are drawn where there are groups. */
  readonly intervals: Record<string, [low: number, high: number] | null>
  /** Metrics of all folds' predictions together. */
  readonly pooled: Metrics
  /** The tested rows and their labels and predictions, pooled. */
  readonly rows: Uint32Array
  readonly y: Float32Array
  readonly predicted: Float32Array
  /** Coverage of the probability intervals (binary), or the share of values within the interval (regression). */
  readonly coverage:
    | IntervalCoverage
    | { readonly rows: number; readonly width: number; readonly covered: number }
    | null
}

/** Which rows train and which are tested, named. */
export interface Plan {
  readonly by: SplitBy | 'given'
  readonly splits: readonly (TrainTest & { readonly name: string })[]
}

/** Past this many cells one hold-out has to do: its interval is narrow, and five trainings take long. */
const mostFoldedCells = 10_000_000

/** k folds of our own, or one hold-out where the table is large or k is 1. */
export function planFolds(dataset: Dataset, k: number, by: SplitBy, seed: number): Plan {
  if (k === 1 || dataset.n * dataset.columns.length > mostFoldedCells) {
    return { by, splits: [{ name: 'hold-out', ...holdOut(dataset, by, seed) }] }
  }
  return planGiven(
    dataset,
    foldsOf(dataset, k, by, seed),
    Array.from({ length: k }, (_, fold) => `${fold + 1}`),
    by,
  )
}

/** The folds of a file, or of our own: index into `names` per row. */
export function planGiven(
  dataset: Dataset,
  folds: Int32Array,
  names: readonly string[],
  by: Plan['by'] = 'given',
): Plan {
  const rule = by === 'given' ? 'stratified' : by
  return { by, splits: names.map((name, fold) => ({ name, ...trainTestOf(dataset, folds, fold, rule) })) }
}

/** Trains once per fold with `train` and judges each on its fold. Folds without rows on one side are left out. */
export async function evaluate(
  dataset: Dataset,
  plan: Plan,
  train: (part: Dataset, fold: string) => Promise<Artefact>,
  seed: number,
): Promise<Evaluation> {
  const results: (Omit<FoldResult, 'metrics'> & {
    rows: Uint32Array
    predicted: Float32Array
    constant: Float64Array
  })[] = []
  const bounds: { low: Float64Array; high: Float64Array }[] = []
  for (const split of plan.splits) {
    if (split.train.length === 0 || split.test.length === 0) continue
    const start = performance.now()
    const part = rowsOf(dataset, split.train)
    const artefact = await train(part, split.name)
    const test = rowsOf(dataset, split.test)
    const predicted = await scoreRows(artefact, test)
    const constant = constantPrediction(part, test.n)
    bounds.push(interval(parseExplainer(artefact.explainer), predicted))
    results.push({
      fold: split.name,
      train: split.train.length,
      test: split.test.length,
      learner: artefact.learner,
      seconds: (performance.now() - start) / 1000,
      baseline: measureOf(dataset, test.y, constant),
      rows: split.test,
      predicted,
      constant,
    })
  }
  const thresholds = results.map((result) => thresholdWithout(dataset, results, result))
  const folds = results.map(({ rows, predicted, constant, ...result }, at): FoldResult => {
    const y = labelsOf(dataset, rows)
    return { ...result, metrics: measureOf(dataset, y, predicted, thresholds[at]!) }
  })
  const rows = joined(
    Uint32Array,
    results.map((result) => result.rows),
  )
  const predicted = joined(
    Float32Array,
    results.map((result) => result.predicted),
  )
  const y = labelsOf(dataset, rows)
  const pooled = measureOf(dataset, y, predicted, thresholds[0] ?? undefined)
  return {
    by: plan.by,
    folds,
    mean: { ...meansOf(folds.map((fold) => fold.metrics)), ...('ece' in pooled ? { ece: pooled.ece! } : {}) },
    baseline: meansOf(folds.map((fold) => fold.baseline)),
    intervals: intervalsOf(dataset, rows, y, predicted, seed),
    pooled,
    rows,
    y,
    predicted,
    coverage: coverageOf(
      dataset,
      y,
      joined(
        Float64Array,
        bounds.map((b) => b.low),
      ),
      joined(
        Float64Array,
        bounds.map((b) => b.high),
      ),
    ),
  }
}

/** Accuracy is taken at one half, as everyone does; precision, recall and F1 at the threshold. */
export function measureOf(
  dataset: Dataset,
  y: ArrayLike<number>,
  predicted: ArrayLike<number>,
  threshold?: number,
): Metrics {
  const classes = dataset.classes?.length ?? 0
  const metrics = measure(dataset.task, y, predicted, { classes })
  if (dataset.task !== 'binary' || threshold === undefined) return metrics
  const { precision, recall, f1 } = measure('binary', y, predicted, { threshold })
  return { ...metrics, precision: precision!, recall: recall!, f1: f1!, threshold }
}

/** The threshold with the best F1 on the other folds' predictions, so that no fold chooses its own. */
function thresholdWithout<R extends { rows: Uint32Array; predicted: Float32Array }>(
  dataset: Dataset,
  results: readonly R[],
  left: R,
): number | undefined {
  if (dataset.task !== 'binary') return undefined
  const others = results.length > 1 ? results.filter((result) => result !== left) : []
  const y = labelsOf(
    dataset,
    joined(
      Uint32Array,
      others.map((result) => result.rows),
    ),
  )
  return (
    bestThreshold(
      y,
      joined(
        Float32Array,
        others.map((result) => result.predicted),
      ),
    ) ?? undefined
  )
}

function constantPrediction(part: Dataset, n: number): Float64Array {
  if (part.task !== 'multiclass') {
    const mean = part.y.reduce((sum, value) => sum + value, 0) / part.n
    return new Float64Array(n).fill(mean)
  }
  const classes = part.classes!.length
  const shares = new Float64Array(classes)
  for (const index of part.y) shares[index]! += 1 / part.n
  return Float64Array.from({ length: n * classes }, (_, at) => shares[at % classes]!)
}

function intervalsOf(
  dataset: Dataset,
  rows: Uint32Array,
  y: Float32Array,
  predicted: Float32Array,
  seed: number,
): Evaluation['intervals'] {
  if (rows.length < 20) return {}
  // a resample of a million rows costs a second; beyond that the interval is too narrow to matter
  const repeats = Math.max(20, Math.min(200, Math.floor(2e7 / rows.length)))
  const groups = dataset.groups && Int32Array.from(rows, (row) => dataset.groups![row]!)
  const order = dataset.task === 'binary' ? orderOf(predicted) : undefined
  return bootstrapIntervals(
    rows.length,
    (weights) => {
      if (dataset.task === 'regression') return { ...regressionMetrics(y, predicted, weights) }
      const { auc, prAuc, logLoss, brier, accuracy } = measure(dataset.task, y, predicted, {
        weights,
        ...(order ? { order } : {}),
        ...(dataset.classes ? { classes: dataset.classes.length } : {}),
      })
      return { auc: auc!, ...(order ? { prAuc: prAuc!, brier: brier! } : {}), logLoss: logLoss!, accuracy: accuracy! }
    },
    { repeats, seed, ...(groups ? { groups } : {}) },
  )
}

function coverageOf(dataset: Dataset, y: Float32Array, low: Float64Array, high: Float64Array): Evaluation['coverage'] {
  if (dataset.task === 'multiclass') return null
  if (dataset.task === 'binary') return intervalCoverage(y, low, high)
  if (!low.every(Number.isFinite) || y.length < 30) return null
  let covered = 0
  let width = 0
  y.forEach((value, row) => {
    if (low[row]! <= value && value <= high[row]!) covered++
    width += high[row]! - low[row]!
  })
  return { rows: y.length, width: width / y.length, covered: covered / y.length }
}

function meansOf(all: readonly Metrics[]): Metrics {
  const names = new Set(all.flatMap((metrics) => Object.keys(metrics)))
  return Object.fromEntries(
    [...names].map((name) => {
      const values = all.map((metrics) => metrics[name]).filter((value) => value !== null && value !== undefined)
      return [name, values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : null]
    }),
  )
}

const labelsOf = (dataset: Dataset, rows: Uint32Array): Float32Array =>
  Float32Array.from(rows, (row) => dataset.y[row]!)

type Numbers = Uint32Array | Float32Array | Float64Array

function joined<T extends Numbers>(Kind: new (length: number) => T, parts: readonly T[]): T {
  const whole = new Kind(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
