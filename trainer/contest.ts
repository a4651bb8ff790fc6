import { bootstrapIntervals } from './metrics/bootstrap.ts'
import { type Metrics, measure } from './metrics.ts'
import { orderOf } from './order.ts'

/** Answers of one side and of its opponents about the same rows of a binary task. All arrays by row. */
export interface Contest {
  readonly y: Float32Array
  readonly answers: Float64Array
  readonly opponents: readonly Opponent[]
  /** Whole groups are drawn, as rows of one group are alike. */
  readonly groups?: Int32Array
  readonly threshold: number
  readonly seed: number
}

export interface Opponent {
  readonly name: string
  readonly answers: Float64Array
  /** The rows that they are compared on; all when absent. */
  readonly rows?: Uint32Array
}

/** How much better than an opponent. gain: positive is better, whichever way the metric goes; low, high: its 95 % interval. */
export interface Gain {
  readonly own: number
  readonly other: number
  readonly gain: number
  readonly low: number
  readonly high: number
}

/** By metric; null where the rows are too few to say. */
export type Gains = Readonly<Record<string, Gain | null>>

/** Better is less. */
const LOSSES = new Set(['logLoss', 'brier', 'ece'])
/** It ignores the weights that a draw is made of. */
const UNWEIGHTED = 'ece'
/** Resampled rows spent on one opponent: about a second. */
const BUDGET = 2_000_000
const MOST_REPEATS = 300
const FEWEST_REPEATS = 50

export const isLoss = (metric: string) => LOSSES.has(metric)

/**
 * Paired percentile bootstrap (Efron and Tibshirani 1993, ch. 13): every draw measures both sides on the same rows, so that what is hard for both
 * cancels out. Two versions that answer alike have an interval of almost nothing around 0, however few the rows are.
 */
export function contest({ y, answers, opponents, groups, threshold, seed }: Contest): Readonly<Record<string, Gains>> {
  return Object.fromEntries(
    opponents.map((opponent) => {
      const rows = opponent.rows ?? Uint32Array.from(y.keys())
      const pick = (values: Float32Array | Float64Array) => Float64Array.from(rows, (row) => values[row]!)
      const drawn = groups ? { groups: Int32Array.from(rows, (row) => groups[row]!) } : {}
      return [opponent.name, gains(pick(y), pick(answers), pick(opponent.answers), { threshold, seed, ...drawn })]
    }),
  )
}

function gains(
  y: Float64Array,
  own: Float64Array,
  other: Float64Array,
  { threshold, seed, groups }: { threshold: number; seed: number; groups?: Int32Array },
): Gains {
  const n = y.length
  if (n === 0) return {}
  const sides = [own, other].map((answers) => ({ answers, order: orderOf(answers) }))
  const measured = (weights?: Float64Array): [Metrics, Metrics] => {
    const [one, two] = sides.map(({ answers, order }) =>
      measure('binary', y, answers, { threshold, order, ...(weights ? { weights } : {}) }),
    )
    return [one!, two!]
  }
  const difference = (name: string, [one, two]: [Metrics, Metrics]): number | null => {
    const [a, b] = [one[name], two[name]]
    if (a === null || a === undefined || b === null || b === undefined) return null
    return isLoss(name) ? b - a : a - b
  }
  const whole = measured()
  const names = Object.keys(whole[0]).filter((name) => name !== UNWEIGHTED)
  const repeats = Math.max(FEWEST_REPEATS, Math.min(MOST_REPEATS, Math.floor(BUDGET / n)))
  const intervals = bootstrapIntervals(
    n,
    (weights) => {
      const both = measured(weights)
      return Object.fromEntries(names.map((name) => [name, difference(name, both)]))
    },
    { repeats, seed, ...(groups ? { groups } : {}) },
  )
  return Object.fromEntries(
    names.map((name) => {
      const gain = difference(name, whole)
      const interval = intervals[name]
      if (gain === null || !interval) return [name, null]
      return [name, { own: whole[0][name]!, other: whole[1][name]!, gain, low: interval[0], high: interval[1] }]
    }),
  )
}
