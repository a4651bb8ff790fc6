import { orderOf } from './order.ts'

/**
 * An inductive Venn-Abers predictor (Vovk and Petej 2014), compact: the calibration scores fall into `borders.length + 1`
 * steps of similar mass; low and high are the isotonic estimates of a step when one more row of label 0 or 1 stands in it.
 */
export interface VennAbers {
  /** Rising; a score s belongs to the step after the last border <= s. */
  readonly borders: readonly number[]
  readonly low: readonly number[]
  readonly high: readonly number[]
  /** Calibration rows. */
  readonly rows: number
}

/**
 * From out-of-fold scores (any rising function of the probability, the same one as at serving) and labels 0 or 1.
 * For rows exchangeable with these, one of low and high is perfectly calibrated. Up to `steps` distinct scores it is the exact
 * predictor; above, scores are rounded to quantile steps first, which keeps the guarantee for the rounded score. Scores from k
 * folds' models make it the cross variant, whose guarantee is approximate: judge it by `intervalCoverage`.
 */
export function fitVennAbers(scores: ArrayLike<number>, y: ArrayLike<number>, steps = 512): VennAbers {
  const { borders, counts, positives } = stepsOf(scores, y, steps)
  const low: number[] = []
  const high: number[] = []
  for (let step = 0; step < counts.length; step++) {
    low.push(isotonicAt(counts, positives, step, 0))
    high.push(isotonicAt(counts, positives, step, 1))
  }
  return { borders, low, high, rows: scores.length }
}

/**
 * [low, high] of a score, 0..1, widened to hold the calibrated probability that is shown beside it. Width shrinks with the
 * calibration rows near the score: 1/(rows of its isotonic block + 1) where the calibration agrees with the data.
 * Without calibration rows [0, 1].
 */
export function intervalOf(table: VennAbers, score: number, probability: number): [low: number, high: number] {
  if (table.rows === 0 || Number.isNaN(score)) return [0, 1]
  const step = countAtOrBelow(table.borders, score)
  return [Math.min(table.low[step]!, probability), Math.max(table.high[step]!, probability)]
}

/** How intervals fared on rows that took no part in fitting them. */
export interface IntervalCoverage {
  readonly rows: number
  /** Mean of high - low. */
  readonly width: number
  /** Means over all rows; validity promises low <= seen <= high up to sampling noise. */
  readonly low: number
  readonly seen: number
  readonly high: number
  /** Share of equal-mass bins whose outcome rate is within sampling noise (95 % Wilson) of its mean [low, high]. */
  readonly covered: number
}

/** Null under 30 rows. y: 0 or 1; low and high from `intervalOf`, shape (n,). */
export function intervalCoverage(
  y: ArrayLike<number>,
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  bins = 15,
): IntervalCoverage | null {
  const n = y.length
  if (n < 30) return null
  const order = orderOf(Float64Array.from({ length: n }, (_, row) => low[row]! + high[row]!))
  const whole = { low: 0, seen: 0, high: 0 }
  const used = Math.min(bins, Math.floor(n / 30) || 1)
  let covered = 0
  for (let bin = 0; bin < used; bin++) {
    const rows = order.subarray(Math.floor((bin * n) / used), Math.floor(((bin + 1) * n) / used))
    const sum = { low: 0, seen: 0, high: 0 }
    for (const row of rows) {
      sum.low += low[row]!
      sum.high += high[row]!
      sum.seen += y[row]! > 0.5 ? 1 : 0
    }
    whole.low += sum.low
    whole.seen += sum.seen
    whole.high += sum.high
    const [from, to] = wilson(sum.seen, rows.length)
    if (from <= sum.high / rows.length && to >= sum.low / rows.length) covered++
  }
  return {
    rows: n,
    width: (whole.high - whole.low) / n,
    low: whole.low / n,
    seen: whole.seen / n,
    high: whole.high / n,
    covered: covered / used,
  }
}

/** Half-width of a split-conformal interval at `level` from out-of-fold residuals: the ceil((n+1) level)-th smallest size. Null where n is too small for the level. */
export function residualWidth(residuals: ArrayLike<number>, level = 0.9): number | null {
  const sizes = Float64Array.from({ length: residuals.length }, (_, row) => Math.abs(residuals[row]!)).sort()
  return sizes[Math.ceil((sizes.length + 1) * level) - 1] ?? null
}

/** 95 % interval of a rate (Wilson 1927). */
export function wilson(positives: number, rows: number): [low: number, high: number] {
  const z = 1.959963984540054
  const rate = positives / rows
  const centre = (rate + (z * z) / (2 * rows)) / (1 + (z * z) / rows)
  const reach = (z / (1 + (z * z) / rows)) * Math.sqrt((rate * (1 - rate)) / rows + (z * z) / (4 * rows * rows))
  return [Math.max(0, centre - reach), Math.min(1, centre + reach)]
}

interface Steps {
  borders: number[]
  counts: number[]
  positives: number[]
}

function stepsOf(scores: ArrayLike<number>, y: ArrayLike<number>, steps: number): Steps {
  const order = orderOf(scores)
  const fullest = Math.max(1, order.length / steps)
  const result: Steps = { borders: [], counts: [], positives: [] }
  let isOpen = false
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at]!]!
    if (!isOpen) {
      if (at > 0) result.borders.push(middleOf(scores[order[at - 1]!]!, score))
      result.counts.push(0)
      result.positives.push(0)
    }
    const step = result.counts.length - 1
    for (; at < order.length && scores[order[at]!]! === score; at++) {
      result.counts[step]!++
      result.positives[step]! += y[order[at]!]! > 0.5 ? 1 : 0
    }
    isOpen = at < fullest * (step + 1)
  }
  return result
}

/** The isotonic (pool-adjacent-violators) estimate at `step` with one more row of `label` in it. */
function isotonicAt(counts: readonly number[], positives: readonly number[], step: number, label: 0 | 1): number {
  const starts: number[] = []
  const weights: number[] = []
  const sums: number[] = []
  for (let at = 0; at < counts.length; at++) {
    const extra = at === step ? 1 : 0
    let start = at
    let weight = counts[at]! + extra
    let sum = positives[at]! + extra * label
    while (starts.length > 0 && sums.at(-1)! * weight >= sum * weights.at(-1)!) {
      start = starts.pop()!
      weight += weights.pop()!
      sum += sums.pop()!
    }
    starts.push(start)
    weights.push(weight)
    sums.push(sum)
  }
  const block = starts.findLastIndex((start) => start <= step)
  return sums[block]! / weights[block]!
}

function countAtOrBelow(borders: readonly number[], score: number): number {
  let low = 0
  let high = borders.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (borders[middle]! <= score) low = middle + 1
    else high = middle
  }
  return low
}

/** Half-way, but above the lower one even between neighbouring doubles. */
const middleOf = (below: number, above: number): number => {
  const middle = below + (above - below) / 2
  return middle > below ? middle : above
}
