export type { Artefact, LeaderboardRow, Split } from './artefact.ts'
export type { Column, Dataset, Task } from './dataset.ts'
export { TrainerError, type TrainerErrorCode } from './errors.ts'
export {
  answer,
  contributions,
  type Explainer,
  interval,
  marginOf,
  marginOfProbability,
  parseExplainer,
  type Spread,
  serialiseExplainer,
} from './explainer.ts'
export type { SplitBy } from './folds.ts'
export { type Costs, type Metrics, measure } from './metrics.ts'
export type { Candidate, Choice, Progress, TrainHooks, TrainOptions } from './options.ts'
export { createRandom, type Random } from './random.ts'
export { type ColumnStatistics, statisticsOf, stepOf } from './statistics.ts'
export { train } from './train.ts'
