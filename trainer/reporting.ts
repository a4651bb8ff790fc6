import type { Artefact } from './artefact.ts'
import type { Study } from './context.ts'
import { type Evaluation, pick, spreadOf } from './evaluation.ts'
import { interval } from './explainer.ts'
import { intervalCoverage } from './interval.ts'
import { bootstrapIntervals, measure, sliceMetrics } from './metrics.ts'
import { answersOf } from './model.ts'
import { orderOf } from './order.ts'

/** Resampled rows spent on intervals: about a second. */
const BUDGET = 4_000_000
const MOST_REPEATS = 200
const FEWEST_REPEATS = 20

/** Metrics that ignore weights: every resample would say the same. */
const unweighted: Record<Artefact['task'], readonly string[]> = {
  binary: ['ece'],
  multiclass: ['f1', 'brier'],
  regression: [],
}

/** threshold: where the metrics themselves were taken. */
export function metricIntervals(
  study: Study,
  { rows, answers }: Artefact['heldOut'],
  threshold: number,
): Artefact['intervals'] {
  const { dataset, outputs, seed } = study
  const y = pick(dataset.y, rows)
  const own = dataset.weights ? pick(dataset.weights, rows) : null
  const order = dataset.task === 'binary' ? { order: orderOf(answers) } : {}
  const repeats = Math.max(FEWEST_REPEATS, Math.min(MOST_REPEATS, Math.floor(BUDGET / rows.length)))
  const groups = dataset.groups ? { groups: Int32Array.from(rows, (row) => dataset.groups![row]!) } : {}
  const resample = (drawn: Float64Array) => {
    if (own) for (let i = 0; i < drawn.length; i++) drawn[i]! *= own[i]!
    const metrics = measure(dataset.task, y, answers, { classes: outputs, threshold, weights: drawn, ...order })
    return Object.fromEntries(Object.entries(metrics).filter(([name]) => !unweighted[dataset.task].includes(name)))
  }
  return bootstrapIntervals(rows.length, resample, { repeats, seed, ...groups })
}

/** Intervals made of the training rows' out-of-fold answers, judged on the test rows. */
export function coverageOf(study: Study, evaluations: readonly Evaluation[]): Artefact['coverage'] {
  const { dataset, objective, outputs } = study
  if (dataset.task === 'multiclass') return null
  const lows: number[] = []
  const highs: number[] = []
  const labels: number[] = []
  for (const { search: found, model, answers, cut } of evaluations) {
    const seen = answersOf(found.scores, objective, outputs, model.calibration)
    const spread = spreadOf(study, found.rows, seen)
    if (!spread) return null
    const { low, high } = interval({ model, spread }, answers)
    for (let i = 0; i < answers.length; i++) {
      lows.push(low[i]!)
      highs.push(high[i]!)
      labels.push(dataset.y[cut.test[i]!]!)
    }
  }
  if (dataset.task === 'binary') {
    const coverage = intervalCoverage(labels, lows, highs)
    return coverage && { rows: coverage.rows, width: coverage.width, covered: coverage.covered }
  }
  const rows = labels.length
  let inside = 0
  let width = 0
  for (let i = 0; i < rows; i++) {
    if (labels[i]! >= lows[i]! && labels[i]! <= highs[i]!) inside++
    width += (highs[i]! - lows[i]!) / rows
  }
  return rows > 0 ? { rows, width, covered: inside / rows } : null
}

/** Per level of each wanted category column. */
export function slicesOf(study: Study, { rows, answers }: Artefact['heldOut'], threshold: number): Artefact['slices'] {
  const { dataset, options, outputs } = study
  const { columns, x } = dataset
  const y = pick(dataset.y, rows)
  return (options.slices ?? []).flatMap((name) => {
    const f = columns.findIndex((column) => column.name === name && column.kind === 'category')
    if (f < 0) return []
    const levels = Int32Array.from(rows, (row) => {
      const level = x[row * columns.length + f]!
      return Number.isNaN(level) ? -1 : level
    })
    const measureSlice = (at: Uint32Array) => {
      const own = new Float64Array(at.length * outputs)
      at.forEach((from, to) => {
        own.set(answers.subarray(from * outputs, (from + 1) * outputs), to * outputs)
      })
      return measure(dataset.task, pick(y, at), own, { classes: outputs, threshold })
    }
    return sliceMetrics(levels, columns[f]!.levels ?? [], measureSlice).map((slice) => ({ column: name, ...slice }))
  })
}
