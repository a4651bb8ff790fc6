import type { ColumnStatistics } from '../../trainer/statistics.ts'
import { chiSquareTail, discoveries, kolmogorovTail } from './significance.ts'

/** How far the values of one feature, or the predictions, are from those of training. */
export interface Drift {
  readonly feature: string
  /** Values seen since. */
  readonly rows: number
  /** Population stability index: above 0.1 a shift, above 0.2 a large one. Null: not enough data. */
  readonly psi: number | null
  /** Kolmogorov-Smirnov distance of the numbers, over the bins of training; null for categories. */
  readonly ks: number | null
  /** Chance of so much difference where nothing changed. */
  readonly chance: number | null
  readonly missingRate: number | null
  readonly trainingMissingRate: number
  /** Values that training never saw. */
  readonly unknownRate: number | null
  /** Significant among all features together, and large. */
  readonly isDrifted: boolean
}

/** One feature as it was in training and as it is served. */
export interface Comparison {
  readonly feature: string
  readonly kind: 'number' | 'category'
  /** By bin, then missing, then unknown. Shares of all training rows. */
  readonly training: readonly number[]
  readonly trainingRows: number
  /** The same bins, counted. */
  readonly served: readonly number[]
}

/** Fewer rows have a distance of their own making. */
export const FEWEST_DRIFT_ROWS = 200
/** Of the features that are named, the share that is named by chance. */
const FALSE_DISCOVERIES = 0.01
export const LARGE_PSI = 0.2

export function comparisonOf(
  { feature, shares, missing }: ColumnStatistics,
  kind: Comparison['kind'],
  trainingRows: number,
  counts: readonly number[] | undefined,
): Comparison {
  const training = [...shares.map((share) => share * (1 - missing)), missing, 0]
  return { feature, kind, training, trainingRows, served: counts ?? training.map(() => 0) }
}

/**
 * Drift of all features of a version together. A feature is drifted when its difference is significant at a false discovery rate of 1 %
 * over all of them, and its index is at least `largePsi`: with many rows everything is significant, with few everything is large.
 */
export function driftOf(comparisons: readonly Comparison[], largePsi = LARGE_PSI): Drift[] {
  const measured = comparisons.map(measureDrift)
  const tested = measured.flatMap(({ chance }, at) => (chance === null ? [] : [at]))
  const found = discoveries(
    tested.map((at) => measured[at]!.chance!),
    FALSE_DISCOVERIES,
  )
  const significant = new Set(tested.filter((_, index) => found[index]))
  return measured.map((drift, at) => ({ ...drift, isDrifted: significant.has(at) && drift.psi! >= largePsi }))
}

function measureDrift({ feature, kind, training, trainingRows, served }: Comparison): Omit<Drift, 'isDrifted'> {
  const rows = served.reduce((sum, count) => sum + count, 0)
  const missingAt = training.length - 2
  const rate = (at: number) => (rows > 0 ? served[at]! / rows : null)
  const rates = {
    missingRate: rate(missingAt),
    trainingMissingRate: training[missingAt]!,
    unknownRate: rate(missingAt + 1),
  }
  if (rows < FEWEST_DRIFT_ROWS || trainingRows < FEWEST_DRIFT_ROWS)
    return { feature, rows, psi: null, ks: null, chance: null, ...rates }
  const ks = kind === 'number' ? distance(training.slice(0, missingAt), served.slice(0, missingAt)) : null
  const homogeneity = chiSquare(training, trainingRows, served, rows)
  const known = { training: trainingRows * (1 - training[missingAt]!), served: rows - served[missingAt]! }
  const chance =
    ks === null ? homogeneity : Math.min(1, 2 * Math.min(homogeneity, kolmogorovTail(ks, known.training, known.served)))
  return { feature, rows, psi: stabilityIndex(training, trainingRows, served, rows), ks, chance, ...rates }
}

/**
 * Sum of (served - training) ln(served / training) over the bins. Half a row is added to every bin, so that an empty one is finite, and
 * what the two samples' sizes alone give on average is taken off.
 */
function stabilityIndex(training: readonly number[], trainingRows: number, served: readonly number[], rows: number) {
  const used = training.flatMap((share, at) => (share > 0 || served[at]! > 0 ? [at] : []))
  const smooth = (count: number, all: number) => (count + 0.5) / (all + 0.5 * used.length)
  const sum = used.reduce((index, at) => {
    const now = smooth(served[at]!, rows)
    const then = smooth(training[at]! * trainingRows, trainingRows)
    return index + (now - then) * Math.log(now / then)
  }, 0)
  return Math.max(0, sum - (used.length - 1) * (1 / rows + 1 / trainingRows))
}

function distance(training: readonly number[], served: readonly number[]): number {
  const all = { training: sumOf(training), served: sumOf(served) }
  if (all.training === 0 || all.served === 0) return 0
  let gap = 0
  let [then, now] = [0, 0]
  for (const [bin, share] of training.entries()) {
    then += share / all.training
    now += served[bin]! / all.served
    gap = Math.max(gap, Math.abs(then - now))
  }
  return gap
}

const sumOf = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)

/** Two-sample test of homogeneity; bins that expect fewer than five rows are joined, as the approximation needs. */
function chiSquare(training: readonly number[], trainingRows: number, served: readonly number[], rows: number): number {
  const bins: [then: number, now: number][] = []
  let rest: [number, number] = [0, 0]
  const share = rows / (rows + trainingRows)
  const isFull = ([then, now]: [number, number]) => (then + now) * Math.min(share, 1 - share) >= 5
  for (const [at, part] of training.entries()) {
    const bin: [number, number] = [part * trainingRows, served[at]!]
    if (isFull(bin)) {
      bins.push(bin)
      continue
    }
    rest = [rest[0] + bin[0], rest[1] + bin[1]]
    if (!isFull(rest)) continue
    bins.push(rest)
    rest = [0, 0]
  }
  const last = bins.at(-1)
  if (last && rest[0] + rest[1] > 0) bins[bins.length - 1] = [last[0] + rest[0], last[1] + rest[1]]
  if (bins.length < 2) return 1
  const value = bins.reduce((sum, [then, now]) => {
    const expectedNow = (then + now) * share
    const expectedThen = (then + now) * (1 - share)
    return sum + (now - expectedNow) ** 2 / expectedNow + (then - expectedThen) ** 2 / expectedThen
  }, 0)
  return chiSquareTail(value, bins.length - 1)
}
