import type { Artefact, LeaderboardRow } from '../../trainer/artefact.ts'
import type { Dataset, Task } from '../../trainer/dataset.ts'
import { mostProbable } from '../../trainer/metrics/multiclass.ts'
import { type CurvePoint, curveOf, type Metrics, type ReliabilityBin, reliability } from '../../trainer/metrics.ts'
import { orderOf } from '../../trainer/order.ts'
import type { Evaluation, FoldResult } from './evaluation.ts'
import type { Label } from './label.ts'
import type { Slice } from './slices.ts'
import type { TypedColumn } from './typing.ts'

/** What `inkling try --json` prints and both reports show. Null stands for "not enough data". */
export interface TryResult {
  readonly file: string
  readonly label: string
  readonly task: Task
  /** binary: [negative, positive]; multiclass: by index; regression: none. */
  readonly classes: readonly string[]
  /** Share of each class; regression: none. */
  readonly shares: readonly number[]
  readonly rows: number
  /** Columns the model sees. */
  readonly features: number
  readonly columns: readonly TypedColumn[]
  readonly split: Evaluation['by']
  readonly learner: string
  readonly leaderboard: readonly LeaderboardRow[]
  readonly folds: readonly FoldResult[]
  /** Means over the folds, but `ece` that of the pooled predictions. */
  readonly mean: Metrics
  readonly baseline: Metrics
  readonly intervals: Evaluation['intervals']
  readonly pooled: Metrics
  readonly coverage: Evaluation['coverage']
  /** Pooled metrics by value of the columns named with --slice. */
  readonly slices: readonly Slice[]
  /** binary: by rising probability; regression: mean prediction and mean label by rising prediction. */
  readonly reliability: readonly ReliabilityBin[]
  /** Rows of class i (first index) called class j: at the threshold (binary) or by the highest probability. Up to 12 classes. */
  readonly confusion: readonly (readonly number[])[]
  readonly importances: readonly {
    readonly feature: string
    readonly gain: number
    readonly permutation: number | null
  }[]
  readonly warnings: readonly string[]
  readonly seed: number
  readonly seconds: number
  readonly files: readonly string[]
}

/** What the HTML report draws beside the result. */
export interface Plots {
  readonly curve: readonly CurvePoint[]
  /** Regression: at most 1,500 pairs of label and prediction. */
  readonly pairs: readonly (readonly [label: number, predicted: number])[]
}

export function resultOf(parts: {
  file: string
  label: Label
  dataset: Dataset
  columns: readonly TypedColumn[]
  evaluation: Evaluation
  slices: readonly Slice[]
  artefact: Artefact
  leaderboard: readonly LeaderboardRow[]
  warnings: readonly string[]
  seconds: number
  files: readonly string[]
}): TryResult {
  const { label, dataset, evaluation, artefact } = parts
  return {
    file: parts.file,
    label: label.name,
    task: dataset.task,
    classes: label.classes ?? [],
    shares: (label.classes ?? []).map((_, index) => dataset.y.filter((value) => value === index).length / dataset.n),
    rows: dataset.n,
    features: dataset.columns.length,
    columns: parts.columns,
    split: evaluation.by,
    learner: artefact.learner,
    leaderboard: parts.leaderboard,
    folds: evaluation.folds,
    mean: evaluation.mean,
    baseline: evaluation.baseline,
    intervals: evaluation.intervals,
    pooled: evaluation.pooled,
    coverage: evaluation.coverage,
    slices: parts.slices,
    reliability: reliabilityOf(dataset.task, evaluation),
    confusion: confusionOf(dataset, evaluation),
    importances: artefact.importances,
    warnings: parts.warnings,
    seed: artefact.seed,
    seconds: parts.seconds,
    files: parts.files,
  }
}

const mostConfused = 12

function confusionOf(dataset: Dataset, { y, predicted, pooled }: Evaluation): number[][] {
  const classes = dataset.classes?.length ?? 0
  if (dataset.task === 'regression' || classes > mostConfused) return []
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0))
  const threshold = pooled.threshold ?? 0.5
  const called = dataset.task === 'multiclass' ? mostProbable(predicted, classes) : undefined
  y.forEach((index, row) => {
    counts[index]![called ? called[row]! : predicted[row]! >= threshold ? 1 : 0]!++
  })
  return counts
}

function reliabilityOf(task: Task, { y, predicted }: Evaluation): ReliabilityBin[] {
  if (task === 'binary') return reliability(y, predicted, 10)
  if (task === 'multiclass') return []
  const order = orderOf(predicted)
  const bins = Math.min(10, Math.floor(y.length / 10))
  return Array.from({ length: bins }, (_, bin) => {
    const rows = order.subarray(Math.floor((bin * y.length) / bins), Math.floor(((bin + 1) * y.length) / bins))
    const meanOf = (values: Float32Array): number => rows.reduce((sum, row) => sum + values[row]!, 0) / rows.length
    const [low, high] = [predicted[rows[0]!]!, predicted[rows.at(-1)!]!]
    return { low, high, rows: rows.length, said: meanOf(predicted), seen: meanOf(y) }
  })
}

export function plotsOf({ task }: Dataset, { y, predicted }: Evaluation): Plots {
  const step = Math.max(1, Math.ceil(y.length / 1500))
  const pairs: [number, number][] = []
  if (task === 'regression') for (let row = 0; row < y.length; row += step) pairs.push([y[row]!, predicted[row]!])
  return { curve: task === 'binary' ? curveOf(y, predicted) : [], pairs }
}
