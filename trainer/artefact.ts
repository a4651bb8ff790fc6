import type { Column, Task } from './dataset.ts'
import type { Choice } from './options.ts'

/** How the hold-out was cut from the dataset. */
export interface Split {
  readonly by: 'stratified' | 'group' | 'time' | 'time+group'
  /** The number of a given fold, where the caller brought its own. */
  readonly fold?: number
  readonly train: number
  readonly test: number
  /** Metrics of the chosen learner on this split's test rows. */
  readonly metrics: Record<string, number | null>
  /** Metrics of the baseline (majority class or mean) on the same rows. */
  readonly baseline: Record<string, number | null>
}

export interface LeaderboardRow {
  readonly learner: string
  readonly settings: Record<string, number | string>
  readonly logLoss: number
  readonly metrics: Record<string, number | null>
  readonly seconds: number
  readonly chosen: boolean
}

/** What training makes: everything a version needs to serve, explain and be judged. Plain and serialisable. */
export interface Artefact {
  /** ONNX: X float32 [N, F] -> probability float32 [N, 1] (regression: value [N, 1]; multiclass: probabilities [N, C]). */
  readonly onnx: Uint8Array
  /** JSON bytes for exact contributions and intervals (trees with covers, linear terms, calibration); input of explain() and interval(). */
  readonly explainer: Uint8Array
  readonly task: Task
  readonly columns: readonly Column[]
  readonly learner: string
  readonly settings: Record<string, number | string>
  /** Metrics on the main hold-out split (splits[0]); empty where no hold-out was wanted. */
  readonly metrics: Record<string, number | null>
  readonly splits: readonly Split[]
  readonly leaderboard: readonly LeaderboardRow[]
  /** Rows that the predictor must reproduce within 1e-5 on load. x: row-major (rows, F). NaN travels as null. */
  readonly golden: { readonly x: readonly (readonly (number | null)[])[]; readonly y: readonly number[] }
  readonly importances: readonly {
    readonly feature: string
    readonly gain: number
    readonly permutation: number | null
  }[]
  /** Per column: quantile edges and shares on the training rows, for drift. */
  readonly statistics: readonly {
    readonly feature: string
    readonly missing: number
    readonly edges: readonly number[]
    readonly shares: readonly number[]
    readonly min: number | null
    readonly max: number | null
    readonly mean: number | null
  }[]
  /** Answers of the main evaluation for rows held out of fitting and calibration: one hold-out, or all given folds pooled. */
  readonly heldOut: {
    readonly rows: Uint32Array
    /** Shape (rows,); multiclass (rows, classes) row-major. */
    readonly answers: Float64Array
  }
  /** 95 % bootstrap intervals of the main evaluation's metrics, whole groups drawn; null where rows are too few. */
  readonly intervals: Readonly<Record<string, readonly [low: number, high: number] | null>>
  /** How prediction intervals fared on held-out rows, made from training rows only; null for multiclass and for few rows. */
  readonly coverage: {
    readonly rows: number
    /** Mean of high - low. */
    readonly width: number
    /** binary: share of equal-mass bins whose outcome rate agrees with its interval; regression: share of rows inside. */
    readonly covered: number
  } | null
  /** Metrics of the main evaluation by level of the wanted columns. */
  readonly slices: readonly {
    readonly column: string
    readonly slice: string
    readonly rows: number
    readonly metrics: Record<string, number | null> | null
  }[]
  /** What the search chose: train with it as `candidates` and the same seed, and the same bytes come out without the clock. */
  readonly choice: Choice
  readonly warnings: readonly string[]
  readonly seed: number
}
