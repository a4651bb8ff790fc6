import type { Column, Dataset } from './dataset.ts'
import { auc } from './metrics/ranking.ts'
import { orderOf } from './order.ts'
import { createRandom } from './random.ts'

/** A feature that gives the answer away. */
export interface Leak {
  readonly feature: string
  readonly reason: 'equals-label' | 'auc' | 'missingness'
  /** AUC (regression: R2) of the feature, or of its missingness, alone. */
  readonly value: number
  readonly message: string
}

/** A column that cannot help, or looks as if it names rows. */
export interface ColumnFinding {
  readonly feature: string
  readonly finding: 'constant' | 'duplicate' | 'id-like'
  readonly message: string
}

type Labelled = Pick<Dataset, 'columns' | 'n' | 'x' | 'y' | 'task' | 'classes'>

const suspicious = 0.99
/** Fewer rows than this of any class can be separated by chance. */
const fewestPerClass = 10
const mostRows = 100_000
const mostSteps = 64

/**
 * Features that alone give AUC > 0.99 (multiclass: for every class; regression: R2 > 0.99), equal the label, or are missing
 * where the label is one class and only there. Judged on at most 100,000 rows drawn by a fixed seed. Categories and steps of numbers are
 * rated on one half of the rows and judged on the other, so that a column of names is not taken for a leak.
 */
export function findLeaks(dataset: Labelled): Leak[] {
  const rows = drawnRows(dataset.n)
  const y = Float64Array.from(rows, (row) => dataset.y[row]!)
  const classes = dataset.task === 'regression' ? [] : classesIn(y)
  if (dataset.task !== 'regression' && (classes.length < 2 || fewestOf(y, classes) < fewestPerClass)) return []
  if (dataset.task === 'regression' && rows.length < 2 * fewestPerClass) return []
  const leaks: Leak[] = []
  dataset.columns.forEach((column, at) => {
    const values = Float64Array.from(rows, (row) => dataset.x[row * dataset.columns.length + at]!)
    const leak =
      dataset.task === 'regression' ? leakOfValue(column, values, y) : leakOfClass(column, values, y, classes)
    if (leak) leaks.push(leak)
  })
  return leaks
}

/** Constant, duplicate and id-like columns. A duplicate names the earlier column. */
export function columnFindings(dataset: Pick<Dataset, 'columns' | 'n' | 'x'>): ColumnFinding[] {
  const { columns, n, x } = dataset
  const width = columns.length
  const findings: ColumnFinding[] = []
  const byHash = new Map<string, number[]>()
  columns.forEach((column, at) => {
    const shape = shapeOf(x, n, width, at)
    if (shape.isConstant) {
      const message = `${column.name} has one value only in ${n} rows`
      findings.push({ feature: column.name, finding: 'constant', message })
      return
    }
    const alike = byHash.get(shape.hash) ?? []
    const twin = alike.find((other) => isEqualColumn(x, n, width, at, other))
    byHash.set(shape.hash, [...alike, at])
    if (twin !== undefined) {
      const message = `${column.name} repeats ${columns[twin]!.name} in all ${n} rows`
      findings.push({ feature: column.name, finding: 'duplicate', message })
    } else if (isIdLike(column, x, n, width, at)) {
      const message = `${column.name} has another value in almost every row and names rows rather than describing them`
      findings.push({ feature: column.name, finding: 'id-like', message })
    }
  })
  return findings
}

function leakOfClass(column: Column, values: Float64Array, y: Float64Array, classes: readonly number[]): Leak | null {
  const missing = values.map((value) => (Number.isNaN(value) ? 1 : 0))
  const rated = (positive: number): Float64Array => crossRated(column, values, isClass(y, positive))
  // with two classes one AUC says it all
  const judged = classes.length === 2 ? classes.slice(1) : classes
  const worst = (scoresOf: (positive: number) => ArrayLike<number>): number =>
    Math.min(
      ...judged.map((positive) => {
        const area = auc(isClass(y, positive), scoresOf(positive)) ?? 0.5
        return Math.max(area, 1 - area)
      }),
    )
  const byMissing = classes.length === 2 ? worst(() => missing) : 0.5
  if (byMissing > suspicious) {
    return {
      feature: column.name,
      reason: 'missingness',
      value: byMissing,
      message: `${column.name} is missing where the label is one class and hardly elsewhere (AUC of its missingness alone ${byMissing.toFixed(4)})`,
    }
  }
  const whole = missing.every((flag) => flag === 0)
  const raw = column.kind === 'number' && classes.length === 2 && whole ? worst(() => values) : 0.5
  const best = Math.max(raw, worst(rated))
  if (best <= suspicious) return null
  if (best > 1 - 1e-12) {
    const message = `${column.name} equals the label, or decides it, in every row looked at`
    return { feature: column.name, reason: 'equals-label', value: best, message }
  }
  const message = `${column.name} alone gives AUC ${best.toFixed(4)}`
  return { feature: column.name, reason: 'auc', value: best, message }
}

function leakOfValue(column: Column, values: Float64Array, y: Float64Array): Leak | null {
  const correlation = column.kind === 'number' ? correlationOf(values, y) : 0
  const rated = crossRated(column, values, y)
  const explained = Math.max(correlation * correlation, explainedShare(rated, y))
  if (explained <= suspicious) return null
  const isSame = values.every((value, at) => value === y[at])
  return {
    feature: column.name,
    reason: isSame ? 'equals-label' : 'auc',
    value: explained,
    message: isSame
      ? `${column.name} equals the label in every row looked at`
      : `${column.name} alone explains ${(100 * explained).toFixed(2)} % of the label's variance`,
  }
}

/** Mean outcome of each row's level or step, learnt on the half of the rows that the row is not in. Missing is a step of its own. */
function crossRated(column: Column, values: Float64Array, outcome: Float64Array): Float64Array {
  const steps = column.kind === 'category' ? values : stepped(values)
  const whole = outcome.reduce((sum, value) => sum + value, 0) / outcome.length
  const half = Uint8Array.from({ length: values.length }, (_, at) => at & 1)
  const sums = [new Map<number, [number, number]>(), new Map<number, [number, number]>()] as const
  steps.forEach((step, at) => {
    const side = sums[half[at] === 0 ? 0 : 1]
    const seen = side.get(step)
    if (seen) {
      seen[0] += outcome[at]!
      seen[1]++
    } else side.set(step, [outcome[at]!, 1])
  })
  return Float64Array.from(steps, (step, at) => {
    const seen = sums[half[at] === 0 ? 1 : 0].get(step)
    return seen ? seen[0] / seen[1] : whole
  })
}

/** Numbers by quantile step; NaN stays NaN. */
function stepped(values: Float64Array): Float64Array {
  const order = orderOf(values)
  let known = order.length
  while (known > 0 && Number.isNaN(values[order[known - 1]!]!)) known--
  const steps = new Float64Array(values.length).fill(Number.NaN)
  let step = 0
  for (let at = 0; at < known; at++) {
    const isNew = at > 0 && values[order[at]!]! !== values[order[at - 1]!]!
    if (isNew) step = Math.max(step, Math.floor((at * mostSteps) / known))
    steps[order[at]!] = step
  }
  return steps
}

/** Shuffled, so that neither the file's order nor a period in it decides the halves. */
function drawnRows(n: number): Uint32Array {
  const rows = Uint32Array.from({ length: n }, (_, row) => row)
  createRandom(20).shuffle(rows)
  return rows.subarray(0, mostRows)
}

const classesIn = (y: Float64Array): number[] => [...new Set(y)].sort((a, b) => a - b)

const isClass = (y: Float64Array, index: number): Float64Array => y.map((value) => (value === index ? 1 : 0))

const fewestOf = (y: Float64Array, classes: readonly number[]): number =>
  Math.min(...classes.map((index) => isClass(y, index).reduce((sum, value) => sum + value, 0)))

function correlationOf(a: Float64Array, b: Float64Array): number {
  let n = 0
  const sum = [0, 0]
  const square = [0, 0, 0]
  const shift = b[0]!
  for (let at = 0; at < a.length; at++) {
    if (!Number.isFinite(a[at]!)) return 0
    n++
    const left = a[at]!
    const right = b[at]! - shift
    sum[0]! += left
    sum[1]! += right
    square[0]! += left * left
    square[1]! += right * right
    square[2]! += left * right
  }
  const spread = (square[0]! - sum[0]! ** 2 / n) * (square[1]! - sum[1]! ** 2 / n)
  return spread > 0 ? (square[2]! - (sum[0]! * sum[1]!) / n) / Math.sqrt(spread) : 0
}

function explainedShare(predicted: Float64Array, y: Float64Array): number {
  const mean = y.reduce((sum, value) => sum + value, 0) / y.length
  let miss = 0
  let spread = 0
  y.forEach((value, at) => {
    miss += (value - predicted[at]!) ** 2
    spread += (value - mean) ** 2
  })
  return spread > 0 ? 1 - miss / spread : 0
}

function shapeOf(x: Float32Array, n: number, width: number, at: number): { isConstant: boolean; hash: string } {
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length)
  let left = 0x811c9dc5
  let right = 0
  let isConstant = true
  const first = x[at]!
  for (let row = 0; row < n; row++) {
    const value = x[row * width + at]!
    if (value !== first && !(Number.isNaN(value) && Number.isNaN(first))) isConstant = false
    const word = Number.isNaN(value) ? 0x7fc00000 : bits[row * width + at]!
    left = Math.imul(left ^ word, 0x01000193)
    right = (Math.imul(right, 31) + word) | 0
  }
  return { isConstant, hash: `${left}:${right}` }
}

function isEqualColumn(x: Float32Array, n: number, width: number, at: number, other: number): boolean {
  for (let row = 0; row < n; row++) {
    const a = x[row * width + at]!
    const b = x[row * width + other]!
    if (a !== b && !(Number.isNaN(a) && Number.isNaN(b))) return false
  }
  return true
}

/** Categories: a level for nearly every row. Numbers: distinct integers that fill their range, as counters do. */
function isIdLike(column: Column, x: Float32Array, n: number, width: number, at: number): boolean {
  if (n < 50) return false
  if (column.kind === 'category') {
    const seen = new Set<number>()
    for (let row = 0; row < n; row++) seen.add(x[row * width + at]!)
    return seen.size > 0.95 * n
  }
  const values = new Float32Array(n)
  for (let row = 0; row < n; row++) {
    const value = x[row * width + at]!
    if (!Number.isInteger(value)) return false
    values[row] = value
  }
  values.sort()
  for (let row = 1; row < n; row++) if (values[row] === values[row - 1]) return false
  return values[n - 1]! - values[0]! < 1.5 * n
}
