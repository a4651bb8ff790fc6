import { orderOf } from '../order.ts'

/** One threshold of a ranking: everything with a score at or above it is called positive. */
export interface CurvePoint {
  readonly threshold: number
  readonly falsePositiveRate: number
  /** Recall. */
  readonly truePositiveRate: number
  readonly precision: number
}

/**
 * Walks the scores from the highest down, one call per distinct score, with the weight of positives and negatives
 * seen so far. `order` is `orderOf(scores)`, passed in where one order serves many weightings (bootstrap).
 */
function walkThresholds(
  y: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights: ArrayLike<number> | undefined,
  order: Uint32Array,
  visit: (truePositive: number, falsePositive: number, threshold: number) => void,
): void {
  let truePositive = 0
  let falsePositive = 0
  for (let at = order.length - 1; at >= 0; at--) {
    const row = order[at]!
    const weight = weights ? weights[row]! : 1
    if (y[row]! > 0.5) truePositive += weight
    else falsePositive += weight
    if (at === 0 || scores[order[at - 1]!]! !== scores[row]!) visit(truePositive, falsePositive, scores[row]!)
  }
}

/**
 * Area under the ROC curve, ties counted half (Mann-Whitney), as scikit-learn's roc_auc_score. y: 0 or 1, shape (n,).
 * Null without both classes.
 */
export function auc(
  y: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights?: ArrayLike<number>,
  order: Uint32Array = orderOf(scores),
): number | null {
  let area = 0
  let lastTrue = 0
  let lastFalse = 0
  walkThresholds(y, scores, weights, order, (truePositive, falsePositive) => {
    area += ((falsePositive - lastFalse) * (truePositive + lastTrue)) / 2
    lastTrue = truePositive
    lastFalse = falsePositive
  })
  return lastTrue > 0 && lastFalse > 0 ? area / (lastTrue * lastFalse) : null
}

/** Area under the precision-recall curve: average precision by steps, as scikit-learn's average_precision_score. Null without both classes. */
export function prAuc(
  y: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights?: ArrayLike<number>,
  order: Uint32Array = orderOf(scores),
): number | null {
  let area = 0
  let lastTrue = 0
  let lastFalse = 0
  walkThresholds(y, scores, weights, order, (truePositive, falsePositive) => {
    if (truePositive > lastTrue) area += (truePositive - lastTrue) * (truePositive / (truePositive + falsePositive))
    lastTrue = truePositive
    lastFalse = falsePositive
  })
  return lastTrue > 0 && lastFalse > 0 ? area / lastTrue : null
}

/** The points of the ROC and precision-recall curves, highest threshold first, thinned to at most `most` points. Empty without both classes. */
export function curveOf(
  y: ArrayLike<number>,
  scores: ArrayLike<number>,
  weights?: ArrayLike<number>,
  most = 400,
): CurvePoint[] {
  const seen: [truePositive: number, falsePositive: number, threshold: number][] = []
  walkThresholds(y, scores, weights, orderOf(scores), (...point) => seen.push(point))
  const last = seen.at(-1)
  if (!last || last[0] === 0 || last[1] === 0) return []
  const step = Math.max(1, (seen.length - 1) / (most - 1))
  const kept: CurvePoint[] = []
  for (let at = 0; at < seen.length - 0.5; at += step) {
    const [truePositive, falsePositive, threshold] = seen[Math.round(at)]!
    kept.push({
      threshold,
      falsePositiveRate: falsePositive / last[1],
      truePositiveRate: truePositive / last[0],
      precision: truePositive / Math.max(truePositive + falsePositive, Number.MIN_VALUE),
    })
  }
  return kept
}
