import type { Column } from '../dataset.ts'
import type { ObjectiveName } from '../trees/objectives.ts'
import { softplus } from '../trees/objectives.ts'
import { type Encoded, type Encoding, encode, encodingOf } from './encoding.ts'
import { minimise } from './lbfgs.ts'
import { foldScaling, type LinearModel } from './model.ts'

export interface LinearSettings {
  /** Inverse strength of the L2 penalty: the loss, summed over rows, plus |w|^2 / (2 * inverseL2). Intercepts are free. */
  readonly inverseL2: number
}

export interface LinearInput {
  readonly x: Float32Array
  readonly columns: readonly Column[]
  readonly y: Float32Array
  readonly weights: Float32Array | null
  readonly rows: Uint32Array
  readonly objective: ObjectiveName
  readonly classes: number
  readonly settings: LinearSettings
}

/** More rows than this move no weight in its third digit, and cost time and memory. */
const MOST_ROWS = 100_000

/** Logistic, multinomial, ridge or Poisson regression by L-BFGS; absolute error is learned as squared error. */
export function fitLinear(input: LinearInput): LinearModel {
  const rows = thinned(input.rows)
  const encoding = encodingOf(input.x, input.columns, rows)
  const encoded = encode(encoding, input.x, rows)
  const y = Float64Array.from(rows, (row) => input.y[row]!)
  const weights = input.weights ? Float64Array.from(rows, (row) => input.weights![row]!) : null
  const outputs = input.objective === 'softmax' ? input.classes : 1
  // a regression's target is learned in units of its own deviation, or the penalty would depend on the currency
  const unit = input.objective === 'squared' || input.objective === 'absolute' ? spreadOf(y) : { center: 0, scale: 1 }
  for (let i = 0; i < y.length; i++) y[i] = (y[i]! - unit.center) / unit.scale
  const size = (1 + encoded.denseWidth + encoding.slotCount) * outputs
  const parameters = new Float64Array(size)
  const start = startOf(input.objective, y, weights, outputs)
  parameters.set(start, 0)
  const loss = lossOf(input.objective, encoded, encoding, y, weights, outputs, 1 / input.settings.inverseL2)
  minimise(parameters, loss, 1e-5 * rows.length)
  return foldScaling(encoding, encoded, parameters, outputs, unit)
}

function thinned(rows: Uint32Array): Uint32Array {
  if (rows.length <= MOST_ROWS) return rows
  return Uint32Array.from({ length: MOST_ROWS }, (_, i) => rows[Math.floor((i * rows.length) / MOST_ROWS)]!)
}

function spreadOf(y: Float64Array): { center: number; scale: number } {
  let sum = 0
  for (const value of y) sum += value
  const center = sum / y.length
  let squares = 0
  for (const value of y) squares += (value - center) ** 2
  const scale = Math.sqrt(squares / y.length)
  return { center, scale: scale > 0 ? scale : 1 }
}

/** Intercepts that give the base rate: fewer steps, and a sane model when no column helps. */
function startOf(
  objective: ObjectiveName,
  y: Float64Array,
  weights: Float64Array | null,
  outputs: number,
): Float64Array {
  const sums = new Float64Array(Math.max(2, outputs))
  let total = 0
  for (let i = 0; i < y.length; i++) {
    const w = weights ? weights[i]! : 1
    total += w
    if (objective === 'softmax') sums[y[i]!]! += w
    else sums[0]! += w * y[i]!
  }
  const share = (k: number) => Math.max(1e-6, sums[k]! / Math.max(total, 1e-12))
  if (objective === 'logistic') {
    const p = Math.min(1 - 1e-6, share(0))
    return Float64Array.of(Math.log(p / (1 - p)))
  }
  if (objective === 'poisson') return Float64Array.of(Math.log(share(0)))
  if (objective === 'softmax') return Float64Array.from({ length: outputs }, (_, k) => Math.log(share(k)))
  return new Float64Array(1)
}

/** Parameters by input, then output: intercepts, dense inputs, slots; shape (1 + dense + slots, outputs). */
function lossOf(
  objective: ObjectiveName,
  encoded: Encoded,
  encoding: Encoding,
  y: Float64Array,
  weights: Float64Array | null,
  outputs: number,
  penalty: number,
): (at: Float64Array, gradient: Float64Array) => number {
  const { n, dense, denseWidth, codes, codeWidth } = encoded
  const firstSlot = 1 + denseWidth
  const margin = new Float64Array(outputs)
  const slope = new Float64Array(outputs)
  const slotTotal = encoding.slotCount

  /** Loss of one row; fills slope with its derivative by margin. */
  function rowLoss(label: number): number {
    const z = margin[0]!
    if (objective === 'logistic') {
      slope[0] = 1 / (1 + Math.exp(-z)) - label
      return softplus(z) - label * z
    }
    if (objective === 'poisson') {
      const rate = Math.exp(Math.min(30, z))
      slope[0] = rate - label
      return rate - label * z
    }
    if (objective !== 'softmax') {
      slope[0] = z - label
      return ((z - label) * (z - label)) / 2
    }
    let top = Number.NEGATIVE_INFINITY
    for (let k = 0; k < outputs; k++) top = Math.max(top, margin[k]!)
    let sum = 0
    for (let k = 0; k < outputs; k++) {
      slope[k] = Math.exp(margin[k]! - top)
      sum += slope[k]!
    }
    for (let k = 0; k < outputs; k++) slope[k]! /= sum
    slope[label]! -= 1
    return top + Math.log(sum) - margin[label]!
  }

  function single(at: Float64Array, gradient: Float64Array): number {
    let total = 0
    for (let i = 0; i < n; i++) {
      const from = i * denseWidth
      let z = at[0]!
      for (let j = 0; j < denseWidth; j++) z += at[1 + j]! * dense[from + j]!
      for (let c = 0; c < codeWidth; c++) z += at[firstSlot + codes[i * codeWidth + c]!]!
      margin[0] = z
      const w = weights ? weights[i]! : 1
      total += w * rowLoss(y[i]!)
      const s = w * slope[0]!
      gradient[0]! += s
      for (let j = 0; j < denseWidth; j++) gradient[1 + j]! += s * dense[from + j]!
      for (let c = 0; c < codeWidth; c++) gradient[firstSlot + codes[i * codeWidth + c]!]! += s
    }
    return total
  }

  function several(at: Float64Array, gradient: Float64Array): number {
    let total = 0
    for (let i = 0; i < n; i++) {
      const from = i * denseWidth
      for (let k = 0; k < outputs; k++) {
        let z = at[k]!
        for (let j = 0; j < denseWidth; j++) z += at[(1 + j) * outputs + k]! * dense[from + j]!
        for (let c = 0; c < codeWidth; c++) z += at[(firstSlot + codes[i * codeWidth + c]!) * outputs + k]!
        margin[k] = z
      }
      const w = weights ? weights[i]! : 1
      total += w * rowLoss(y[i]!)
      for (let k = 0; k < outputs; k++) {
        const s = w * slope[k]!
        gradient[k]! += s
        for (let j = 0; j < denseWidth; j++) gradient[(1 + j) * outputs + k]! += s * dense[from + j]!
        for (let c = 0; c < codeWidth; c++) gradient[(firstSlot + codes[i * codeWidth + c]!) * outputs + k]! += s
      }
    }
    return total
  }

  return (at, gradient) => {
    gradient.fill(0)
    let total = outputs === 1 ? single(at, gradient) : several(at, gradient)
    const end = (firstSlot + slotTotal) * outputs
    for (let j = outputs; j < end; j++) {
      total += (penalty * at[j]! * at[j]!) / 2
      gradient[j]! += penalty * at[j]!
    }
    return total
  }
}
