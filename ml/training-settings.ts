import type { SplitBy } from '../trainer/folds.ts'
import type { Costs, TrainOptions } from '../trainer/index.ts'
import type { Model } from './define.ts'

/** What decides a training beside rows, seed and candidates. A receipt records it. */
export interface TrainingSettings {
  readonly splits?: readonly SplitBy[] | undefined
  readonly slices?: readonly string[] | undefined
  readonly lastKnown?: string | undefined
  readonly costs?: Costs | undefined
  readonly threshold?: number | undefined
  readonly calibration?: Model['calibration'] | undefined
  readonly allowLeaks?: readonly string[] | undefined
}

export function settingsOf(model: Model, allowLeaks: readonly string[] = []): TrainingSettings {
  const { split, slices, lastKnown, costs, threshold, calibration } = model
  return {
    // an empty list would mean that nobody judges the version
    ...(split?.length ? { splits: split } : {}),
    ...(slices ? { slices } : {}),
    ...(lastKnown === undefined ? {} : { lastKnown }),
    ...(costs ? { costs } : {}),
    ...(threshold === undefined ? {} : { threshold }),
    ...(calibration ? { calibration } : {}),
    ...(allowLeaks.length > 0 ? { allowLeaks } : {}),
  }
}

/** The same in the trainer's words: it takes no `undefined`. */
export function trainOptionsOf(settings: TrainingSettings): TrainOptions {
  const { splits, slices, lastKnown, costs, threshold, calibration, allowLeaks } = settings
  return {
    ...(splits ? { splits } : {}),
    ...(slices ? { slices } : {}),
    ...(lastKnown === undefined ? {} : { lastKnown }),
    ...(costs ? { costs } : {}),
    ...(threshold === undefined ? {} : { threshold }),
    ...(calibration ? { calibration } : {}),
    ...(allowLeaks ? { allowLeaks } : {}),
  }
}
