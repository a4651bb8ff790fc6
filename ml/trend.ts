import type { PastScore } from './stored.ts'

/** Where the stored scores of one entity are heading. */
export interface Trend {
  /** Least-squares slope: change of the probability per day. */
  readonly slopePerDay: number
  readonly direction: 'RISING' | 'FALLING' | 'STEADY'
  /** Stored scores that it rests on. */
  readonly scores: number
  readonly from: Date
  readonly to: Date
}

/** A change of less than one percentage point over the window is called steady. */
const STEADY = 0.01
const DAY_MS = 86_400_000

/** Null with fewer than two moments: one point has no slope. scores: oldest first. */
export function trendOf(scores: readonly PastScore[]): Trend | null {
  const first = scores[0]
  const last = scores.at(-1)
  if (!first || !last || first.asOf.getTime() === last.asOf.getTime()) return null
  const days = scores.map(({ asOf }) => (asOf.getTime() - first.asOf.getTime()) / DAY_MS)
  const meanDay = mean(days)
  const meanProbability = mean(scores.map(({ probability }) => probability))
  let covariance = 0
  let variance = 0
  for (const [index, { probability }] of scores.entries()) {
    const distance = days[index]! - meanDay
    covariance += distance * (probability - meanProbability)
    variance += distance * distance
  }
  const slopePerDay = covariance / variance
  const change = slopePerDay * days.at(-1)!
  const direction = Math.abs(change) < STEADY ? 'STEADY' : change > 0 ? 'RISING' : 'FALLING'
  return { slopePerDay, direction, scores: scores.length, from: first.asOf, to: last.asOf }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
