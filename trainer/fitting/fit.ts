import type { Column } from '../dataset.ts'
import { fitLinear } from '../linear/fit.ts'
import { type LinearModel, linearScores } from '../linear/model.ts'
import type { Candidate } from '../options.ts'
import { boost, type Checkpoint } from '../trees/boost.ts'
import type { Forest } from '../trees/forest.ts'
import type { Arena } from '../trees/histogram.ts'
import type { ObjectiveName } from '../trees/objectives.ts'

/** The rows that every fit of a training reads. Arrays stand on shared memory, so that threads need no copies. */
export interface SharedRows {
  readonly columns: readonly Column[]
  readonly x: Float32Array
  readonly y: Float32Array
  /** What fitting weighs rows by: the dataset's weights times the classes'. */
  readonly weights: Float32Array | null
  readonly objective: ObjectiveName
  readonly classes: number
}

/** One fit: of a candidate, on some rows. */
export interface FitTask {
  readonly candidate: Candidate
  readonly rows: Uint32Array
  /** Rows to score; for trees they also decide when growth stops. */
  readonly held: Uint32Array | null
  readonly wantsModel: boolean
  readonly seed: number
  readonly earlier?: Forest
}

export interface FitResult {
  readonly linear: LinearModel | null
  readonly forest: Forest | null
  /** Scores of the held rows; a linear model has one entry, of 0 rounds. */
  readonly checkpoints: readonly Checkpoint[]
}

/** Same task and rows, same result, on any thread. arena: the thread's own. */
export function fit(
  arena: Arena,
  shared: SharedRows,
  task: FitTask,
  onRound?: (done: number, total: number) => void,
): FitResult {
  const { candidate, rows, held, seed, earlier, wantsModel } = task
  const { x, columns, y, weights, objective, classes } = shared
  const input = { x, columns, y, weights, rows, objective, classes }
  if (candidate.learner === 'linear') {
    const linear = fitLinear({ ...input, settings: candidate.settings })
    const scores = held ? Float32Array.from(linearScores(linear, x, columns.length, held)) : null
    return {
      linear: wantsModel ? linear : null,
      forest: null,
      checkpoints: scores ? [{ rounds: 0, loss: 0, scores }] : [],
    }
  }
  const settings = candidate.settings
  const result = boost(arena, { ...input, settings, seed, ...(earlier ? { earlier } : {}) }, held, onRound)
  return { linear: null, forest: wantsModel ? result.forest : null, checkpoints: result.checkpoints }
}
