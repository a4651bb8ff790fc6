import type { Artefact, LeaderboardRow } from '../../trainer/artefact.ts'
import type { Dataset, Task } from '../../trainer/dataset.ts'
import { type CurvePoint, curveOf, type Metrics, type ReliabilityBin, reliability } from '../../trainer/metrics.ts'
import type { Evaluation, FoldResult } from './evaluation.ts'
import type { Label } from './label.ts'
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
  readonly reliability: readonly ReliabilityBin[]
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
  artefact: Artefact
  leaderboard: readonly LeaderboardRow[]
  warnings: readonly string[]
  seconds: number
  files: readonly string[]
}): TryResult {
  const { label, dataset, evaluation, artefact } = parts
  const isBinary = dataset.task === 'binary'
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
    reliability: isBinary ? reliability(evaluation.y, evaluation.predicted, 10) : [],
    importances: artefact.importances,
    warnings: parts.warnings,
    seed: artefact.seed,
    seconds: parts.seconds,
    files: parts.files,
  }
}

export function plotsOf({ task }: Dataset, { y, predicted }: Evaluation): Plots {
  const step = Math.max(1, Math.ceil(y.length / 1500))
  const pairs: [number, number][] = []
  if (task === 'regression') for (let row = 0; row < y.length; row += step) pairs.push([y[row]!, predicted[row]!])
  return { curve: task === 'binary' ? curveOf(y, predicted) : [], pairs }
}
