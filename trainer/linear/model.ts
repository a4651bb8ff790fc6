import { type Encoded, type Encoding, inputOf, levelOf } from './encoding.ts'

/**
 * A linear model over raw cells. score[k] = intercept[k] + sum over numbers of weight * (clip(fill(x)) - center), plus the
 * column's missing weight where x is missing, plus one table entry per category. All float32, as in the graph.
 */
export interface LinearModel {
  readonly outputs: number
  readonly intercept: Float32Array
  /** Number columns by position in the row. */
  readonly numbers: Int32Array
  readonly fill: Float32Array
  readonly low: Float32Array
  readonly high: Float32Array
  readonly center: Float32Array
  /** Per unit of the column, shape (numbers, outputs). */
  readonly weight: Float32Array
  /** What a missing cell adds, shape (numbers, outputs). */
  readonly missing: Float32Array
  /** Mean of clip(fill(x)) - center and of the missing flag over the training rows: zero and the share of missing cells. */
  readonly missingShare: Float64Array
  readonly categories: Int32Array
  /** First row of each category column in `table`, and the end; a column has one row per level and a last one for the rest. */
  readonly tableAt: Int32Array
  /** Shape (table rows, outputs). */
  readonly table: Float32Array
  /** Mean table entry over the training rows, shape (categories, outputs). */
  readonly tableMean: Float64Array
}

/** Divides the weights by the scales, and the target's unit back in. */
export function foldScaling(
  encoding: Encoding,
  encoded: Encoded,
  parameters: Float64Array,
  outputs: number,
  unit: { center: number; scale: number },
): LinearModel {
  const { numbers, fill, low, high, center, scale, flagged, categories, slots } = encoding
  const { n, dense, denseWidth, codes, codeWidth } = encoded
  const count = numbers.length
  const intercept = new Float32Array(outputs)
  for (let k = 0; k < outputs; k++) intercept[k] = parameters[k]! * unit.scale + unit.center
  const weight = new Float32Array(count * outputs)
  const missing = new Float32Array(count * outputs)
  const missingShare = new Float64Array(count)
  let flag = count
  for (let j = 0; j < count; j++) {
    for (let k = 0; k < outputs; k++)
      weight[j * outputs + k] = (parameters[(1 + j) * outputs + k]! * unit.scale) / scale[j]!
    if (!flagged[j]) continue
    for (let k = 0; k < outputs; k++) missing[j * outputs + k] = parameters[(1 + flag) * outputs + k]! * unit.scale
    let share = 0
    for (let i = 0; i < n; i++) share += dense[i * denseWidth + flag]!
    missingShare[j] = n > 0 ? share / n : 0
    flag++
  }
  const tableAt = new Int32Array(categories.length + 1)
  slots.forEach((table, c) => {
    tableAt[c + 1] = tableAt[c]! + table.length
  })
  const table = new Float32Array(tableAt[categories.length]! * outputs)
  const tableMean = new Float64Array(categories.length * outputs)
  const first = 1 + denseWidth
  slots.forEach((own, c) => {
    own.forEach((slot, level) => {
      for (let k = 0; k < outputs; k++)
        table[(tableAt[c]! + level) * outputs + k] = parameters[(first + slot) * outputs + k]! * unit.scale
    })
    for (let i = 0; i < n; i++)
      for (let k = 0; k < outputs; k++)
        tableMean[c * outputs + k]! +=
          Math.fround(parameters[(first + codes[i * codeWidth + c]!) * outputs + k]! * unit.scale) / n
  })
  return {
    outputs,
    intercept,
    numbers,
    fill,
    low,
    high,
    center,
    weight,
    missing,
    missingShare,
    categories,
    tableAt,
    table,
    tableMean,
  }
}

/** Scores, shape (rows, outputs) row-major. */
export function linearScores(model: LinearModel, x: Float32Array, width: number, rows?: Uint32Array): Float64Array {
  const n = rows ? rows.length : x.length / width
  const { outputs, intercept, numbers, fill, low, high, center, weight, missing, categories, tableAt, table } = model
  const out = new Float64Array(n * outputs)
  for (let i = 0; i < n; i++) {
    const at = (rows ? rows[i]! : i) * width
    for (let k = 0; k < outputs; k++) {
      let score = intercept[k]!
      for (let j = 0; j < numbers.length; j++) {
        const value = x[at + numbers[j]!]!
        score += weight[j * outputs + k]! * (inputOf(value, fill[j]!, low[j]!, high[j]!) - center[j]!)
        if (Number.isNaN(value)) score += missing[j * outputs + k]!
      }
      for (let c = 0; c < categories.length; c++) {
        const levels = tableAt[c + 1]! - tableAt[c]! - 1
        score += table[(tableAt[c]! + levelOf(x[at + categories[c]!]!, levels)) * outputs + k]!
      }
      out[i * outputs + k] = score
    }
  }
  return out
}

/** Adds, for one output, scale * (what each column contributes compared with its mean) to values (n, width); returns scale * mean score. */
export function addLinearContributions(
  model: LinearModel,
  x: Float32Array,
  n: number,
  width: number,
  output: number,
  scale: number,
  values: Float64Array,
): number {
  const { outputs, intercept, numbers, fill, low, high, center, weight, missing, missingShare } = model
  const { categories, tableAt, table, tableMean } = model
  let base = intercept[output]!
  for (let j = 0; j < numbers.length; j++) base += missing[j * outputs + output]! * missingShare[j]!
  for (let c = 0; c < categories.length; c++) base += tableMean[c * outputs + output]!
  for (let i = 0; i < n; i++) {
    const at = i * width
    for (let j = 0; j < numbers.length; j++) {
      const f = numbers[j]!
      const value = x[at + f]!
      const own = weight[j * outputs + output]! * (inputOf(value, fill[j]!, low[j]!, high[j]!) - center[j]!)
      const flag = (Number.isNaN(value) ? 1 : 0) - missingShare[j]!
      values[at + f]! += scale * (own + flag * missing[j * outputs + output]!)
    }
    for (let c = 0; c < categories.length; c++) {
      const f = categories[c]!
      const levels = tableAt[c + 1]! - tableAt[c]! - 1
      const entry = table[(tableAt[c]! + levelOf(x[at + f]!, levels)) * outputs + output]!
      values[at + f]! += scale * (entry - tableMean[c * outputs + output]!)
    }
  }
  return scale * base
}
