/** The public face of Inkling: what a team imports to predict about its own rows. */

export { createGateway } from './gateway/gateway.ts'
export { listen } from './gateway/server.ts'
export { createJobs, type Jobs } from './jobs/engine.ts'
export { defineJob } from './jobs/kind.ts'
export { defineLlm } from './llm/configuration.ts'
export { WEBHOOK_JOB, webhookJob } from './ml/alerts/webhook.ts'
export { extractDataset } from './ml/dataset.ts'
export type {
  Actionable,
  Alerts,
  Bands,
  Better,
  FeatureSpec,
  Gate,
  Gates,
  Model,
  NamedModel,
  Pair,
  SqlClient,
} from './ml/define.ts'
export { bindKit } from './ml/define.ts'
export { inkling } from './ml/extension/extension.ts'
export type { CallOptions, OnFailure, RowFailure, RowPrediction } from './ml/extension/types.ts'
export { keepMonitoring, MONITOR_JOB, monitorJob } from './ml/monitoring/monitor-job.ts'
export { createPredictionLog, type PredictionLog } from './ml/monitoring/prediction-log.ts'
export { recordOutcome } from './ml/outcomes/recording.ts'
export { createOutcomeStore, type LabelledPrediction, type OutcomeStore } from './ml/outcomes/store.ts'
export { type Forgotten, forgetPerson, type People, type Trace } from './ml/people/forgetting.ts'
export { keepRetrainSchedules } from './ml/retraining.ts'
export { createReadArms, type ReadArms } from './ml/rollout/arms.ts'
export { type ExperimentPlan, startExperiment } from './ml/rollout/experiments.ts'
export { readRival } from './ml/rollout/opponent.ts'
export { type Promotion, promotions } from './ml/rollout/policy.ts'
export { pointAlias, promote, rollBack } from './ml/rollout/promotion.ts'
export { createShadowing, type Shadowing } from './ml/rollout/shadow.ts'
export { createExperimentUpkeep } from './ml/rollout/upkeep.ts'
export { type ChangeWatch, unwatchChanges, watchChanges } from './ml/scores/changes.ts'
export { SCORING_JOB, scoringJob, startScoring } from './ml/scores/scoring-job.ts'
export { createScoreStore, type ScoreStore, type StoredScore } from './ml/scores/store.ts'
export { createScoreUpkeep } from './ml/scores/upkeep.ts'
export { createServing, type Serving } from './ml/serving.ts'
export { registerVersion, trainVersion } from './ml/training.ts'
export { trainingJob } from './ml/training-job.ts'
export { type Database, openDatabase } from './platform/database.ts'
export { InklingError } from './platform/errors.ts'
export { createLog } from './platform/log.ts'
export { migrate } from './platform/migrate.ts'
export { FEW_KEYS, settledSql, statementNameOf } from './platform/statement-names.ts'
export { createRegistry, type Registry } from './registry/registry.ts'
export { createJobsSubgraph } from './subgraphs/jobs/subgraph.ts'
export { createMlSubgraph, type MlEngines } from './subgraphs/ml/subgraph.ts'
