import type { Candidate, TrainOptions } from './options.ts'
import { defaultTreeSettings, type TreeSettings } from './trees/settings.ts'

const linear = (inverseL2: number): Candidate => ({ learner: 'linear', settings: { inverseL2 } })
const boosted = (settings: Partial<TreeSettings>): Candidate => ({
  learner: 'boosted',
  settings: { ...defaultTreeSettings, ...settings },
})

/** From here on larger trees are tried before smaller ones. */
const LARGE_ROWS = 10_000

/** Leaves that a table of n rows can fill without learning its noise by heart. */
function minLeafFor(n: number): number {
  return n < 1000 ? 5 : n < 5000 ? 10 : 20
}

/**
 * In the order they are tried: the first of each kind are the ones that most often win, and 'quick' ends with them. Every
 * search compares at a learning rate that finishes soon; `slower` then spends more rounds on the winner.
 */
export function candidatesFor(options: TrainOptions, n: number): { quick: Candidate[]; more: Candidate[] } {
  const minLeaf = minLeafFor(n)
  const trees = {
    minLeaf,
    learningRate: 0.1,
    ...(options.candidates === 'quick' ? { rounds: 160, patience: 15 } : { rounds: 500 }),
  }
  const kinds = options.learners ?? 'auto'
  const small = [
    boosted({ ...trees, leaves: 4, columnShare: 0.7, rowShare: 0.8, rounds: 600 }),
    boosted({ ...trees, leaves: 16, columnShare: 0.4, rowShare: 0.7, l2: 10, minLeaf: 3 * minLeaf }),
    linear(0.05),
  ]
  const large = [
    boosted({ ...trees, leaves: 48, columnShare: 0.6, rowShare: 0.8, l2: 5, minLeaf: 2 * minLeaf }),
    boosted({ ...trees, leaves: 96, columnShare: 0.5, rowShare: 0.8, l2: 5 }),
    boosted({ ...trees, leaves: 31 }),
    linear(20),
  ]
  const all = {
    quick: [
      linear(1),
      boosted({ ...trees, leaves: 8, columnShare: 0.7, rowShare: 0.8 }),
      boosted({ ...trees, leaves: 24, columnShare: 0.7, rowShare: 0.8, l2: 3 }),
    ],
    more: n < LARGE_ROWS ? [...small, ...large] : [...large, ...small],
  }
  const wanted = (candidate: Candidate) => kinds === 'auto' || candidate.learner === kinds
  return { quick: all.quick.filter(wanted), more: all.more.filter(wanted) }
}

/** The same trees, learned in smaller steps: nearly always a little better, for its price. `settings.rounds` is what the folds chose. */
export function slower(settings: TreeSettings): TreeSettings {
  const factor = 2.5
  return {
    ...settings,
    learningRate: settings.learningRate / factor,
    rounds: Math.round(settings.rounds * factor * 1.5) + 50,
    patience: Math.round(settings.patience * factor * 0.8),
  }
}
