import type { SplitBy } from './folds.ts'
import type { LinearSettings } from './linear/fit.ts'
import type { Costs } from './metrics.ts'
import type { TreeSettings } from './trees/settings.ts'

/** One setting of one learner, to be compared with others on the same folds. */
export type Candidate =
  | { readonly learner: 'linear'; readonly settings: LinearSettings }
  | { readonly learner: 'boosted'; readonly settings: TreeSettings }

/** What a search decided, enough to train the same model again without the clock. Plain and serialisable. */
export interface Choice {
  readonly linear: LinearSettings | null
  /** rounds is the number the folds chose. */
  readonly boosted: TreeSettings | null
  /** Weight of the linear scores in the blend; 1 without trees, 0 without a linear model. */
  readonly linearShare: number
  /** Folds it was compared on; calibration stands on the same ones. */
  readonly folds: number
}

export interface TrainOptions {
  /** Decides folds, samples and ties. Default 7. */
  readonly seed?: number
  /** 'auto' compares both kinds and may blend them. Default 'auto'. */
  readonly learners?: 'auto' | 'linear' | 'boosted'
  /**
   * 'quick': one linear and two tree settings, no clock. 'full': a search under `budgetMs`. A choice (from
   * `Artefact.choice`): no search, so that a receipt can be verified. Default 'full'.
   */
  readonly candidates?: 'quick' | 'full' | Choice
  /** Wall time for the search of 'full'; evaluation and the final fit come on top. Default 60,000. */
  readonly budgetMs?: number
  /**
   * Hold-outs to report; the first is the main one. Default: what the dataset allows, by time and group at best. An empty list
   * leaves the judgement to the caller: every row is learned from, and the artefact says nothing about rows not seen.
   */
  readonly splits?: readonly SplitBy[]
  /** Judges on the rows later than this moment (milliseconds since the epoch) instead of on `splits`, where they are enough. */
  readonly testAfter?: number
  /** Folds of the search within the training rows. Default 5, 'quick' 3. */
  readonly folds?: number
  /** The test fold of each row, shape (n,): replaces `splits`; metrics are then means over these folds. -1: always trained on. */
  readonly givenFolds?: Int32Array
  /** Of probabilities of binary tasks. Default 'platt'. */
  readonly calibration?: 'platt' | 'isotonic'
  /** Columns that the leak guard may let pass. */
  readonly allowLeaks?: readonly string[]
  /** What wrong decisions cost; moves the threshold of precision, recall and F1 away from 0.5. */
  readonly costs?: Costs
  /** binary: where precision, recall and F1 are taken, whatever `costs` would give. Above 0, below 1. */
  readonly threshold?: number
  /** 'balanced' gives every class the same weight in fitting; probabilities stay calibrated to the real shares. */
  readonly classWeights?: 'balanced' | readonly number[]
  /** Regression only: what the error means. Default 'squared'. */
  readonly objective?: 'squared' | 'absolute' | 'poisson'
  /** Column holding the last known value of the label: reported as a baseline. */
  readonly lastKnown?: string
  /** Category columns whose levels get metrics of their own. */
  readonly slices?: readonly string[]
  /** The explainer of an earlier version: its trees stay, new ones are added. */
  readonly continueFrom?: Uint8Array
  /** Worker threads that fit. Results do not depend on it. Default: the machine's cores, at most 4; of few rows, where `candidates` is not 'full', what they are worth. */
  readonly threads?: number
}

export interface Progress {
  readonly done: number
  readonly total: number
  readonly message: string
}

export interface TrainHooks {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: Progress) => void
}
