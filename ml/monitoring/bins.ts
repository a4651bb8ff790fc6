import { type ColumnStatistics, stepOf } from '../../trainer/statistics.ts'
import type { FeatureValue } from '../define.ts'

/** Steps of the log-odds from -7 to 7: as fine at a probability of 0.02 as at 0.5, where base rates are low. */
const STEPS = 120
const REACH = 7

/** Bins of probability: the steps, one of them cut in two at the decision threshold. */
export const PROBABILITY_BINS = STEPS + 1

/**
 * The bin of a probability. Bins rise with it, and the threshold lies between two of them, so that counts by bin give accuracy, precision
 * and recall at the threshold exactly, and ranking metrics up to ties within a step.
 */
export function binOf(probability: number, threshold: number): number {
  return stepOfProbability(probability) + (probability >= threshold ? 1 : 0)
}

/** The first bin at or above the threshold. */
export function firstPositiveBin(threshold: number): number {
  return stepOfProbability(threshold) + 1
}

function stepOfProbability(probability: number): number {
  const logOdds = Math.log(probability / (1 - probability)) // -Infinity at 0 and Infinity at 1 fall into the outer steps
  return Math.min(STEPS - 1, Math.max(0, Math.floor(((logOdds + REACH) / (2 * REACH)) * STEPS)))
}

/** Whichever threshold cut a bin, the step it belongs to; shape (STEPS,). counts: shape (PROBABILITY_BINS,). */
export function withoutThreshold(counts: readonly number[], threshold: number): number[] {
  const first = firstPositiveBin(threshold)
  const steps = new Array<number>(STEPS).fill(0)
  for (const [bin, count] of counts.entries()) steps[bin >= first ? bin - 1 : bin]! += count
  return steps
}

/** Shares of the steps among probabilities; what served ones are held against. Empty without any. */
export function probabilityShares(probabilities: ArrayLike<number>): number[] {
  if (probabilities.length === 0) return []
  const shares = new Array<number>(STEPS).fill(0)
  for (let row = 0; row < probabilities.length; row++)
    shares[stepOfProbability(probabilities[row]!)]! += 1 / probabilities.length
  return shares
}

export const MISSING = -1
export const UNKNOWN = -2

/** The bin of one encoded feature among those of its training rows; MISSING, or UNKNOWN for a value that training never saw. */
export function featureBinOf(statistics: ColumnStatistics, encoded: number, value: FeatureValue | undefined): number {
  if (!Number.isNaN(encoded)) return stepOf(statistics.edges, encoded)
  return value === null || value === undefined ? MISSING : UNKNOWN
}
