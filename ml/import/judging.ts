import type { Artefact } from '../../trainer/artefact.ts'
import type { Column, Dataset } from '../../trainer/dataset.ts'
import type { Spread } from '../../trainer/explainer.ts'
import { holdOut, splitFor } from '../../trainer/folds.ts'
import { fitVennAbers } from '../../trainer/interval.ts'
import { bootstrapIntervals, type Metrics, measure, sliceMetrics } from '../../trainer/metrics.ts'
import { orderOf } from '../../trainer/order.ts'
import { createRandom } from '../../trainer/random.ts'
import { statisticsOf } from '../../trainer/statistics.ts'
import type { ScoreRows } from '../outcomes.ts'

export interface JudgingInput {
  /** Rows as they were extracted; categories by the levels that the rows have. */
  readonly dataset: Dataset
  /** Columns as the version takes them; categories by its own levels. */
  readonly columns: readonly Column[]
  /** Categories that may have further levels without being missing. */
  readonly open: readonly boolean[]
  /** Milliseconds since the epoch: later rows judge it. */
  readonly trainedUntil: number | null
  readonly slices: readonly string[]
  /** Where precision and recall are taken; null: 0.5, and the figures do not say so. */
  readonly threshold: number | null
  readonly seed: number
}

/** What is known of an imported version from rows of this installation. */
export interface Judgement
  extends Pick<
    Artefact,
    'columns' | 'metrics' | 'splits' | 'intervals' | 'slices' | 'statistics' | 'importances' | 'heldOut' | 'warnings'
  > {
  readonly spread: Spread
  /** False when it may have learned from the rows that judge it. */
  readonly isUnseen: boolean
}

const PAGE = 4096
const MOST_HELD_OUT = 200_000
const FEWEST_ROWS = 50
/** Resampled rows spent on intervals. */
const BOOTSTRAP_ROWS = 4_000_000
const MOST_PERMUTED = 1000

/** Scores the rows held out and measures everything that training would have. Pure but for `score`. */
export async function judge(input: JudgingInput, score: ScoreRows): Promise<Judgement> {
  const { trainedUntil, seed } = input
  const threshold = input.threshold ?? 0.5
  const columns = completeLevels(input)
  const dataset = { ...input.dataset, columns, x: recode(input.dataset, columns) }
  const { rows, by, isUnseen, warnings } = heldOutOf(dataset, trainedUntil, seed)
  const x = cellsOf(dataset, rows)
  const y = Float32Array.from(rows, (row) => dataset.y[row]!)
  const answers = Float64Array.from(await scoreAll(score, x, columns.length))
  const order = orderOf(answers)
  const metrics: Metrics = {
    ...measure('binary', y, answers, { order, threshold }),
    ...(input.threshold === null ? {} : { threshold }),
  }
  const repeats = Math.max(20, Math.min(200, Math.floor(BOOTSTRAP_ROWS / rows.length)))
  const groups = dataset.groups ? { groups: Int32Array.from(rows, (row) => dataset.groups![row]!) } : {}
  const intervals = bootstrapIntervals(
    rows.length,
    (weights) => {
      const { ece: _unweighted, ...weighed } = measure('binary', y, answers, { order, threshold, weights })
      return weighed
    },
    { repeats, seed, ...groups },
  )
  const rest = dataset.n - rows.length
  const positives = dataset.y.reduce((sum, label) => sum + label, 0) - y.reduce((sum, label) => sum + label, 0)
  const rate = rest > 0 ? positives / rest : y.reduce((sum, label) => sum + label, 0) / rows.length
  const baseline = measure('binary', y, new Float64Array(rows.length).fill(rate), { threshold })
  return {
    columns,
    metrics,
    splits: [{ by, train: rest, test: rows.length, metrics, baseline }],
    intervals,
    slices: slicesOf(input.slices, columns, x, y, answers, threshold),
    statistics: statisticsOf(dataset),
    importances: await importancesOf(columns, x, y, score, metrics.logLoss ?? null, seed),
    heldOut: { rows, answers },
    spread: { kind: 'venn-abers', tables: [fitVennAbers(answers, y)] },
    isUnseen,
    warnings: [...warnings, ...unknownLevels(input, columns)],
  }
}

/** A category of which the version knows some levels, or to which it does not look, has all levels of the rows. */
function completeLevels({ columns, open, dataset }: JudgingInput): Column[] {
  return columns.map((column, index) => {
    if (!open[index]) return column
    const known = column.levels ?? []
    const more = (dataset.columns[index]?.levels ?? []).filter((level) => !known.includes(level))
    return { ...column, levels: [...known, ...more] }
  })
}

/** The same cells, categories by the numbers of the version's levels; a level that it does not know is missing. */
function recode(dataset: Dataset, columns: readonly Column[]): Float32Array {
  const x = dataset.x.slice()
  const width = columns.length
  for (const [index, { kind, levels = [] }] of columns.entries()) {
    if (kind !== 'category') continue
    const numbers = (dataset.columns[index]?.levels ?? []).map((level) => {
      const number = levels.indexOf(level)
      return number < 0 ? Number.NaN : number
    })
    for (let at = index; at < x.length; at += width) x[at] = numbers[x[at]!] ?? Number.NaN
  }
  return x
}

function unknownLevels({ dataset }: JudgingInput, columns: readonly Column[]): string[] {
  return columns.flatMap(({ name, levels = [] }, index) => {
    const unknown = (dataset.columns[index]?.levels ?? []).filter((level) => !levels.includes(level))
    return unknown.length > 0
      ? [`${name} has levels that the model does not know: ${unknown.slice(0, 5).join(', ')}`]
      : []
  })
}

/** Rows after the training where that moment is known and enough follow it; else those that a training here would hold out. */
function heldOutOf(dataset: Dataset, trainedUntil: number | null, seed: number) {
  const { times, n, y } = dataset
  const both = (rows: Uint32Array) => {
    const positives = rows.reduce((sum, row) => sum + (y[row]! > 0.5 ? 1 : 0), 0)
    return rows.length >= FEWEST_ROWS && positives > 0 && positives < rows.length
  }
  const later =
    trainedUntil !== null && times
      ? Uint32Array.from({ length: n }, (_, row) => row).filter((row) => times[row]! > trainedUntil)
      : new Uint32Array(0)
  if (both(later)) return { rows: thinned(later), by: 'time' as const, isUnseen: true, warnings: [] }
  const by = splitFor(dataset)
  const { test } = holdOut(dataset, by, seed)
  return {
    rows: thinned(both(test) ? test : Uint32Array.from({ length: n }, (_, row) => row)),
    by,
    isUnseen: false,
    warnings: [
      trainedUntil === null
        ? 'it was trained elsewhere and may have learned from the rows that judge it: say "trainedUntil" to be judged on later ones'
        : 'too few rows are later than its training: it may have learned from those that judge it',
    ],
  }
}

function thinned(rows: Uint32Array): Uint32Array {
  const stride = Math.ceil(rows.length / MOST_HELD_OUT)
  return stride > 1 ? rows.filter((_, at) => at % stride === 0) : rows
}

function cellsOf({ x, columns }: Dataset, rows: Uint32Array): Float32Array {
  const width = columns.length
  const cells = new Float32Array(rows.length * width)
  for (const [at, row] of rows.entries()) cells.set(x.subarray(row * width, (row + 1) * width), at * width)
  return cells
}

async function scoreAll(score: ScoreRows, x: Float32Array, width: number): Promise<Float32Array> {
  const n = x.length / width
  const scores = new Float32Array(n)
  for (let at = 0; at < n; at += PAGE) {
    const end = Math.min(n, at + PAGE)
    scores.set(await score(x.slice(at * width, end * width), end - at), at)
  }
  return scores
}

function slicesOf(
  wanted: readonly string[],
  columns: readonly Column[],
  x: Float32Array,
  y: Float32Array,
  answers: Float64Array,
  threshold: number,
): Artefact['slices'] {
  return wanted.flatMap((name) => {
    const index = columns.findIndex((column) => column.name === name && column.kind === 'category')
    if (index < 0) return []
    const levels = Int32Array.from(y, (_, row) => {
      const level = x[row * columns.length + index]!
      return Number.isNaN(level) ? -1 : level
    })
    const measureSlice = (rows: Uint32Array) =>
      measure(
        'binary',
        Float32Array.from(rows, (row) => y[row]!),
        Float64Array.from(rows, (row) => answers[row]!),
        { threshold },
      )
    return sliceMetrics(levels, columns[index]!.levels ?? [], measureSlice).map((slice) => ({ column: name, ...slice }))
  })
}

/** How much worse the log-loss gets when a column is shuffled; gain is the share of it: the file has no gains of ours. */
async function importancesOf(
  columns: readonly Column[],
  x: Float32Array,
  y: Float32Array,
  score: ScoreRows,
  loss: number | null,
  seed: number,
): Promise<Artefact['importances']> {
  const width = columns.length
  const n = Math.min(y.length, MOST_PERMUTED)
  if (loss === null || n < FEWEST_ROWS)
    return columns.map(({ name }) => ({ feature: name, gain: 0, permutation: null }))
  const random = createRandom(seed).fork(5)
  const picked = Uint32Array.from({ length: n }, (_, at) => Math.floor((at * y.length) / n))
  const cells = new Float32Array(n * width)
  for (const [at, row] of picked.entries()) cells.set(x.subarray(row * width, (row + 1) * width), at * width)
  const labels = Float32Array.from(picked, (row) => y[row]!)
  const lossOf = async (rows: Float32Array) =>
    measure('binary', labels, await scoreAll(score, rows, width)).logLoss ?? loss
  const before = await lossOf(cells)
  const order = Uint32Array.from({ length: n }, (_, at) => at)
  const rises: number[] = []
  for (let column = 0; column < width; column++) {
    random.shuffle(order)
    const shuffled = cells.slice()
    for (let at = 0; at < n; at++) shuffled[at * width + column] = cells[order[at]! * width + column]!
    rises.push((await lossOf(shuffled)) - before)
  }
  const total = rises.reduce((sum, rise) => sum + Math.max(0, rise), 0)
  return columns
    .map(({ name }, column) => ({
      feature: name,
      gain: total > 0 ? Math.max(0, rises[column]!) / total : 0,
      permutation: rises[column]!,
    }))
    .sort((a, b) => b.gain - a.gain)
}
