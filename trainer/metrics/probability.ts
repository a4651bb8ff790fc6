import { orderOf } from '../order.ts'

/** scikit-learn clips at the spacing of doubles, so that a confident mistake costs 36 instead of infinity. */
const smallest = 2 ** -52

/** Mean negative log-likelihood in nats, as scikit-learn's log_loss. y: 0 or 1; p: 0..1. Null without rows. */
export function logLoss(y: ArrayLike<number>, p: ArrayLike<number>, weights?: ArrayLike<number>): number | null {
  let sum = 0
  let total = 0
  for (let row = 0; row < y.length; row++) {
    const weight = weights ? weights[row]! : 1
    const likelihood = y[row]! > 0.5 ? p[row]! : 1 - p[row]!
    sum -= weight * Math.log(Math.min(1 - smallest, Math.max(smallest, likelihood)))
    total += weight
  }
  return total > 0 ? sum / total : null
}

/** Mean squared distance of probability and outcome, as scikit-learn's brier_score_loss. Null without rows. */
export function brier(y: ArrayLike<number>, p: ArrayLike<number>, weights?: ArrayLike<number>): number | null {
  let sum = 0
  let total = 0
  for (let row = 0; row < y.length; row++) {
    const weight = weights ? weights[row]! : 1
    const miss = p[row]! - (y[row]! > 0.5 ? 1 : 0)
    sum += weight * miss * miss
    total += weight
  }
  return total > 0 ? sum / total : null
}

/** One row of a reliability table: what was said and what happened among rows of similar probability. */
export interface ReliabilityBin {
  readonly low: number
  readonly high: number
  readonly rows: number
  /** Mean probability said. */
  readonly said: number
  /** Share of positives seen. */
  readonly seen: number
}

/**
 * Equal-mass bins by rising probability. Rows of equal probability share their outcomes evenly when a border falls among
 * them, so that the table does not depend on the order of the rows.
 */
export function reliability(y: ArrayLike<number>, p: ArrayLike<number>, bins = 15): ReliabilityBin[] {
  const n = y.length
  const order = orderOf(p)
  const table: ReliabilityBin[] = []
  let tieEnd = 0
  let tieMean = 0
  for (let bin = 0; bin < bins; bin++) {
    const from = Math.floor((bin * n) / bins)
    const to = Math.floor(((bin + 1) * n) / bins)
    if (to === from) continue
    let said = 0
    let seen = 0
    for (let at = from; at < to; at++) {
      const value = p[order[at]!]!
      if (at >= tieEnd) {
        let positives = 0
        tieEnd = at
        while (tieEnd < n && p[order[tieEnd]!]! === value) positives += y[order[tieEnd++]!]! > 0.5 ? 1 : 0
        tieMean = positives / Math.max(1, tieEnd - at)
      }
      said += value
      seen += tieMean
    }
    const rows = to - from
    table.push({ low: p[order[from]!]!, high: p[order[to - 1]!]!, rows, said: said / rows, seen: seen / rows })
  }
  return table
}

/** Expected calibration error: the mean gap between said and seen over equal-mass bins, weighted by rows. Null without rows. */
export function ece(y: ArrayLike<number>, p: ArrayLike<number>, bins = 15): number | null {
  if (y.length === 0) return null
  return reliability(y, p, bins).reduce((sum, bin) => sum + Math.abs(bin.said - bin.seen) * bin.rows, 0) / y.length
}
