import type { Dataset } from './dataset.ts'
import type { Crew } from './fitting/crew.ts'
import type { FitResult } from './fitting/fit.ts'
import type { TrainOptions } from './options.ts'
import type { Forest } from './trees/forest.ts'
import type { ObjectiveName } from './trees/objectives.ts'

/** What a training run carries from step to step. */
export interface Study {
  readonly dataset: Dataset
  readonly options: TrainOptions
  readonly seed: number
  readonly objective: ObjectiveName
  /** Scores per row: 1, or the classes. */
  readonly outputs: number
  readonly crew: Crew
  readonly earlier: Forest | null
  /** Plans `count` fits more, so that progress knows its total. */
  plan(count: number): void
  /** Runs a planned fit and reports it. */
  step(message: string, run: (onShare: (share: number) => void) => Promise<FitResult>): Promise<FitResult>
}
