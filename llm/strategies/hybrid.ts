import { expectedMs } from './fastest.ts'
import { qualityOf } from './quality.ts'
import { ascending, type Candidate, type Strategy } from './strategy.ts'

export interface Weights {
  readonly cost: number
  readonly speed: number
  readonly quality: number
}

/**
 * A weighted mean of cost, speed and quality, each scaled to 0 (best candidate) .. 1 (worst). Who has not been seen lately
 * counts as the fastest.
 */
export function hybrid({ cost, speed, quality }: Weights): Strategy {
  const total = cost + speed + quality
  return (candidates, context) => {
    const costs = scaled(candidates, ({ expectedUsd }) => expectedUsd)
    const speeds = scaled(candidates, (candidate) => expectedMs(candidate, context) ?? 0)
    const faults = scaled(candidates, (candidate) => 1 - qualityOf(candidate, context.task))
    return ascending(
      candidates,
      (candidate) => (cost * costs(candidate) + speed * speeds(candidate) + quality * faults(candidate)) / total,
      (candidate, score) =>
        `${score.toFixed(3)} of cost ${costs(candidate).toFixed(2)} x ${cost}, time ${speeds(candidate).toFixed(2)} x ${speed}, ` +
        `lack of quality ${faults(candidate).toFixed(2)} x ${quality}`,
    )
  }
}

function scaled(candidates: readonly Candidate[], measure: (candidate: Candidate) => number) {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const candidate of candidates) {
    const value = measure(candidate)
    if (value < least) least = value
    if (value > most) most = value
  }
  const width = most - least
  return (candidate: Candidate) => (width > 0 ? (measure(candidate) - least) / width : 0)
}
