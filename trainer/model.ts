import { type Calibration, calibrate } from './calibration.ts'
import type { Column, Task } from './dataset.ts'
import { type LinearModel, linearScores } from './linear/model.ts'
import { type Forest, forestScores } from './trees/forest.ts'
import type { ObjectiveName } from './trees/objectives.ts'

/** Divides multiclass scores before softmax (Guo et al. 2017). */
export interface TemperatureCalibration {
  readonly kind: 'temperature'
  readonly factor: number
}

/** A fitted learner or a blend of two, with its calibration: everything a score needs. */
export interface Model {
  readonly task: Task
  readonly objective: ObjectiveName
  readonly columns: readonly Column[]
  /** 1, or the number of classes. */
  readonly outputs: number
  readonly linear: LinearModel | null
  readonly forest: Forest | null
  /** Weight of the linear scores; the forest's is 1 - linearShare. */
  readonly linearShare: number
  readonly calibration: Calibration | TemperatureCalibration | null
}

/** Blended scores before calibration, shape (rows, outputs) row-major: log-odds, softmax scores, log rate or the value. */
export function modelScores(model: Model, x: Float32Array, rows?: Uint32Array): Float64Array {
  const width = model.columns.length
  const linear = model.linear ? linearScores(model.linear, x, width, rows) : null
  const forest = model.forest ? forestScores(model.forest, x, width, rows) : null
  if (!linear || !forest) return (linear ?? forest)!
  return blendScores(linear, forest, model.linearShare)
}

export function blendScores(linear: ArrayLike<number>, forest: ArrayLike<number>, linearShare: number): Float64Array {
  const out = new Float64Array(linear.length)
  for (let i = 0; i < out.length; i++) out[i] = linearShare * linear[i]! + (1 - linearShare) * forest[i]!
  return out
}

/** Scores to what the model answers: probability (n,), probabilities (n, classes) or value (n,). */
export function answersOf(
  scores: Float64Array,
  objective: ObjectiveName,
  outputs: number,
  calibration: Model['calibration'],
): Float64Array {
  if (objective === 'softmax') return softmaxRows(scores, outputs, calibration)
  if (objective === 'poisson') return scores.map((score) => Math.exp(Math.min(30, score)))
  if (objective !== 'logistic') return scores
  const platt = calibration && calibration.kind !== 'temperature' ? calibration : null
  return scores.map((score) => (platt ? calibrate(platt, score) : 1 / (1 + Math.exp(-score))))
}

function softmaxRows(scores: Float64Array, outputs: number, calibration: Model['calibration']): Float64Array {
  const factor = calibration?.kind === 'temperature' ? calibration.factor : 1
  const out = new Float64Array(scores.length)
  for (let at = 0; at < scores.length; at += outputs) {
    let top = Number.NEGATIVE_INFINITY
    for (let k = 0; k < outputs; k++) top = Math.max(top, factor * scores[at + k]!)
    let sum = 0
    for (let k = 0; k < outputs; k++) {
      out[at + k] = Math.exp(factor * scores[at + k]! - top)
      sum += out[at + k]!
    }
    for (let k = 0; k < outputs; k++) out[at + k]! /= sum
  }
  return out
}

export function predict(model: Model, x: Float32Array, rows?: Uint32Array): Float64Array {
  return answersOf(modelScores(model, x, rows), model.objective, model.outputs, model.calibration)
}
