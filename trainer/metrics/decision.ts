import { orderOf } from '../order.ts'

/** What the declared mistakes cost, in any one unit. */
export interface Costs {
  readonly falsePositive: number
  readonly falseNegative: number
}

export interface Confusion {
  readonly truePositive: number
  readonly falsePositive: number
  readonly trueNegative: number
  readonly falseNegative: number
}

/** Counts at a threshold: at or above is called positive. */
export function confusion(
  y: ArrayLike<number>,
  p: ArrayLike<number>,
  threshold: number,
  weights?: ArrayLike<number>,
): Confusion {
  const counts = [0, 0, 0, 0]
  for (let row = 0; row < y.length; row++) {
    counts[(y[row]! > 0.5 ? 2 : 0) + (p[row]! >= threshold ? 1 : 0)]! += weights ? weights[row]! : 1
  }
  return {
    trueNegative: counts[0]!,
    falsePositive: counts[1]!,
    falseNegative: counts[2]!,
    truePositive: counts[3]!,
  }
}

/** Shares of a confusion; each null where its denominator is empty (no rows, nothing called positive, no positives). */
export function decisionMetrics(counts: Confusion): Record<'accuracy' | 'precision' | 'recall' | 'f1', number | null> {
  const { truePositive, falsePositive, trueNegative, falseNegative } = counts
  return {
    accuracy: share(truePositive + trueNegative, truePositive + trueNegative + falsePositive + falseNegative),
    precision: share(truePositive, truePositive + falsePositive),
    recall: share(truePositive, truePositive + falseNegative),
    f1: share(2 * truePositive, 2 * truePositive + falsePositive + falseNegative),
  }
}

const share = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null)

/**
 * The threshold with the least cost on these rows, or the best F1 where no costs are declared; between two scores, half-way.
 * Null without both classes. Choose it on other rows than those it is judged on.
 */
export function bestThreshold(y: ArrayLike<number>, p: ArrayLike<number>, costs?: Costs): number | null {
  let positives = 0
  for (let row = 0; row < y.length; row++) positives += y[row]! > 0.5 ? 1 : 0
  if (positives === 0 || positives === y.length) return null
  const order = orderOf(p)
  let best = Number.POSITIVE_INFINITY
  let threshold = 1
  let truePositive = 0
  let falsePositive = 0
  // calling nothing positive is a choice too where costs are declared
  if (costs) {
    best = costs.falseNegative * positives
    threshold = Math.min(1, p[order[order.length - 1]!]! + 1e-6)
  }
  for (let at = order.length - 1; at >= 0; at--) {
    const row = order[at]!
    if (y[row]! > 0.5) truePositive++
    else falsePositive++
    const below = at > 0 ? p[order[at - 1]!]! : 0
    if (at > 0 && below === p[row]!) continue
    const loss = costs
      ? costs.falsePositive * falsePositive + costs.falseNegative * (positives - truePositive)
      : -(2 * truePositive) / (truePositive + falsePositive + positives)
    if (loss < best) {
      best = loss
      threshold = (p[row]! + below) / 2
    }
  }
  return threshold
}
