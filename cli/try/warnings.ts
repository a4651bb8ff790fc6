import type { Dataset } from '../../trainer/dataset.ts'
import { statisticsOf, stepOf } from '../../trainer/statistics.ts'
import { rowsOf } from './dataset.ts'
import type { Evaluation, Plan } from './evaluation.ts'

/** What a careful eye would notice about the rows before training. */
export function datasetWarnings(dataset: Dataset): string[] {
  const warnings: string[] = []
  if (dataset.n < 200) warnings.push(`Only ${dataset.n} rows: expect wide intervals.`)
  if (dataset.task !== 'regression') {
    const counts = new Array<number>(dataset.classes!.length).fill(0)
    for (const index of dataset.y) counts[index]!++
    const least = Math.min(...counts)
    const name = dataset.classes![counts.indexOf(least)]
    if (least < 50) warnings.push(`Only ${least} rows are ${name}: its figures rest on few rows.`)
    if (least < 0.05 * dataset.n) {
      const share = ((100 * least) / dataset.n).toFixed(2)
      warnings.push(`Imbalance: ${share} % of the rows are ${name}. Judge by PR-AUC and log-loss rather than accuracy.`)
    }
  }
  const repeated = repeatedRows(dataset)
  if (repeated > 0.05 * dataset.n && couldDiffer(dataset)) {
    warnings.push(
      `${repeated.toLocaleString('en')} rows (${((100 * repeated) / dataset.n).toFixed(1)} %) repeat an earlier row in every column; ` +
        'when copies stand on both sides of a split, the figures flatter. Give --group or remove them.',
    )
  }
  return warnings
}

/** Features or labels that differ between folds, and folds whose result stands out. */
export function foldWarnings(dataset: Dataset, plan: Plan, evaluation: Evaluation): string[] {
  const warnings: string[] = []
  const whole = statisticsOf(dataset)
  const drifted: string[] = []
  for (const { name: fold, test } of plan.splits) {
    if (test.length < 200) continue
    const part = rowsOf(dataset, test)
    whole.forEach((statistics, at) => {
      const index = stabilityIndex(part, at, statistics)
      if (index > 0.25) drifted.push(`${statistics.feature} in fold ${fold} (PSI ${index.toFixed(2)})`)
    })
    const mean = meanOf(dataset.y)
    const spread = deviationOf(dataset.y, mean) / Math.sqrt(test.length)
    const shift = Math.abs(meanOf(part.y) - mean) / (spread || 1)
    if (dataset.task !== 'multiclass' && shift > 6) {
      warnings.push(`The label of fold ${fold} has mean ${short(meanOf(part.y))}, of all rows ${short(mean)}.`)
    }
  }
  if (drifted.length > 0) {
    const rest = drifted.length > 5 ? ` and ${drifted.length - 5} more` : ''
    warnings.push(`Drifted folds: ${drifted.slice(0, 5).join(', ')}${rest} differ from the other rows.`)
  }
  const [first] = plan.splits
  if (plan.by === 'given' && dataset.groups && first) {
    const trained = new Set(Array.from(first.train, (row) => dataset.groups![row]!))
    if (first.test.some((row) => trained.has(dataset.groups![row]!))) {
      warnings.push('The given folds have rows of one group on both sides: figures for new groups will be lower.')
    }
  }
  const key = dataset.task === 'regression' ? 'r2' : 'auc'
  const values = evaluation.folds.map((fold) => fold.metrics[key]).filter((value) => typeof value === 'number')
  if (values.length >= 3 && Math.max(...values) - Math.min(...values) > 0.1) {
    const range = `${Math.min(...values).toFixed(3)} to ${Math.max(...values).toFixed(3)}`
    warnings.push(`The folds disagree: ${key.toUpperCase()} from ${range}. One number hides that.`)
  }
  return warnings
}

/** Population stability index of one column's rows against the whole's steps and missing share. */
function stabilityIndex(part: Dataset, column: number, whole: ReturnType<typeof statisticsOf>[number]): number {
  const width = part.columns.length
  const counts = new Array<number>(whole.shares.length + 1).fill(0)
  for (let row = 0; row < part.n; row++) {
    const value = part.x[row * width + column]!
    counts[Number.isNaN(value) ? whole.shares.length : stepOf(whole.edges, value)]!++
  }
  const expected = [...whole.shares.map((share) => share * (1 - whole.missing)), whole.missing]
  return counts.reduce((sum, count, step) => {
    const seen = Math.max(count / part.n, 0.5 / part.n)
    const usual = Math.max(expected[step]!, 0.5 / part.n)
    return sum + (seen - usual) * Math.log(seen / usual)
  }, 0)
}

/** Whether the columns have values enough for most rows to differ: among a few flags, repeats are no news. */
function couldDiffer({ x, n, columns }: Dataset): boolean {
  const width = columns.length
  const rows = Math.min(n, 20_000)
  let combinations = 1
  for (let at = 0; at < width && combinations <= 3 * rows; at++) {
    const seen = new Set<number>()
    for (let row = 0; row < rows; row++) seen.add(x[row * width + at]!)
    combinations *= seen.size
  }
  return combinations > 3 * rows
}

/** A set of more rows than this would weigh more than the rows. */
const mostCompared = 1_000_000

/** Rows, among the first million, whose features and label all occur before. */
function repeatedRows({ x, y, n: all, columns }: Dataset): number {
  const n = Math.min(all, mostCompared)
  const width = columns.length
  const bits = new Uint32Array(x.buffer, x.byteOffset, x.length)
  const seen = new Set<number>()
  for (let row = 0; row < n; row++) {
    let low = Math.imul(y[row]! * 65_537 + 1, 0x9e3779b1)
    let high = 0x811c9dc5
    for (let at = row * width; at < (row + 1) * width; at++) {
      const word = Number.isNaN(x[at]!) ? 0x7fc00000 : bits[at]!
      low = Math.imul(low ^ word, 0x85ebca6b) ^ (low >>> 15)
      high = Math.imul(high ^ word, 0x01000193) + (high >>> 13)
    }
    // 53 bits: two different rows collide once in a thousand runs of a million rows
    seen.add((high >>> 0) * 2 ** 21 + ((low >>> 0) & 0x1fffff))
  }
  return n - seen.size
}

const meanOf = (y: Float32Array): number => y.reduce((sum, value) => sum + value, 0) / y.length

const deviationOf = (y: Float32Array, mean: number): number =>
  Math.sqrt(y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length)

const short = (value: number): string => `${Number(value.toPrecision(4))}`
