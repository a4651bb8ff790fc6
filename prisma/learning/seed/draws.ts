import { createRandom, type Random } from '../../../trainer/random.ts'

/** The distributions that the school is drawn from. */
export interface Draws extends Random {
  chance(probability: number): boolean
  between(low: number, high: number): number
  /** Poisson by counting exponential waits (Knuth); for means up to about 30. */
  poisson(mean: number): number
  pick<T>(items: readonly T[]): T
  /** An index drawn in proportion to the weights. */
  weighted(weights: readonly number[]): number
  fork(label: number): Draws
}

export function createDraws(seed: number): Draws {
  return drawsOf(createRandom(seed))
}

function drawsOf(random: Random): Draws {
  return {
    ...random,
    chance: (probability) => random.next() < probability,
    between: (low, high) => low + (high - low) * random.next(),
    poisson(mean) {
      const limit = Math.exp(-Math.min(mean, 30))
      let count = 0
      for (let product = random.next(); product > limit; product *= random.next()) count++
      return count
    },
    pick: (items) => items[random.below(items.length)]!,
    weighted(weights) {
      let left = random.next() * weights.reduce((sum, weight) => sum + weight, 0)
      for (let at = 0; at < weights.length - 1; at++) {
        left -= weights[at]!
        if (left < 0) return at
      }
      return weights.length - 1
    },
    fork: (label) => drawsOf(random.fork(label)),
  }
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

/** x held within low..high. */
export const within = (low: number, x: number, high: number): number => Math.min(high, Math.max(low, x))
