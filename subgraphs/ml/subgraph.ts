import type { Jobs } from '../../jobs/engine.ts'
import type { AlertHub } from '../../ml/alerts/hub.ts'
import type { OnAlertEvent } from '../../ml/alerts/store.ts'
import { createBatching } from '../../ml/batching.ts'
import type { Model, SqlClient } from '../../ml/define.ts'
import type { PredictionLog } from '../../ml/monitoring/prediction-log.ts'
import type { OutcomeCaps } from '../../ml/outcomes/recording.ts'
import type { People } from '../../ml/people/forgetting.ts'
import type { Shadowing } from '../../ml/rollout/shadow.ts'
import { createScoreStore } from '../../ml/scores/store.ts'
import type { Serving } from '../../ml/serving.ts'
import type { Database } from '../../platform/database.ts'
import type { Subgraph } from '../../platform/request.ts'
import type { Viewer } from '../../platform/viewer.ts'
import type { Registry } from '../../registry/registry.ts'
import { createBuilder } from '../../schema/builder.ts'
import { registerErrors } from '../../schema/errors.ts'
import { toSubgraph } from '../../schema/federation.ts'
import { registerEntities } from '../../schema/prediction/fields.ts'
import { registerPredictionTypes } from '../../schema/prediction/types.ts'
import { registerAlerts } from './alerts.ts'
import { registerCards } from './cards.ts'
import { createMlContext, type MlContext } from './context.ts'
import { registerDisagreement } from './disagreement.ts'
import { registerExperiments } from './experiments.ts'
import { registerImports } from './imports.ts'
import { registerModels } from './models.ts'
import { registerMonitoring } from './monitoring.ts'
import { registerOutcomes } from './outcomes.ts'
import { registerPeople } from './people.ts'
import { registerRollouts } from './rollouts.ts'
import { registerScoreInput } from './score-input.ts'
import { registerScores } from './scores.ts'
import { registerShadows } from './shadows.ts'
import { registerTraining } from './training.ts'
import { registerVersions } from './versions.ts'

export type { MlContext } from './context.ts'

/** What the ml subgraph stands on. */
export interface MlEngines {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  /** Compares what is served with a shadow; nothing is compared without it. */
  readonly shadow?: Shadowing | undefined
  readonly jobs: Jobs
  readonly models: readonly Model[]
  /** Reads features: the customer's own client. */
  readonly client: SqlClient
  /** Remembers what is served; nothing does when absent. */
  readonly predictionLog?: PredictionLog | undefined
  readonly alertHub?: AlertHub | undefined
  /** What has to follow from an alert's event that a viewer causes, in its transaction. */
  readonly onAlertEvent?: ((viewer: Viewer) => OnAlertEvent | undefined) | undefined
  readonly outcomeCaps?: OutcomeCaps | undefined
  /** Who can be removed; nobody when absent. */
  readonly people?: readonly People[] | undefined
  /** Seed of training runs that name none. */
  readonly seed: number
  /** Whose files the mutation importVersion may name; none when absent. */
  readonly importFolder?: string | undefined
}

export type MlBuilder = ReturnType<typeof createMlBuilder>

function createMlBuilder() {
  return createBuilder<{ Context: MlContext; PrismaTypes: object }>()
}

/** Predictions as fields of entities that others own; models, their versions, and training. */
export function createMlSubgraph(engines: MlEngines): Subgraph {
  const builder = createMlBuilder()
  const resultOf = registerErrors(builder, [
    'NotFoundError',
    'InvalidInputError',
    'TooManyJobsError',
    'ConflictError',
    'RateLimitedError',
  ])
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  const refs = registerModels(builder)
  registerCards(builder, refs)
  const training = registerTraining(builder, refs, resultOf)
  registerImports(builder, refs, training, resultOf, engines.importFolder)
  registerRollouts(builder, { ...refs, ...registerVersions(builder, refs) }, resultOf)
  registerExperiments(builder, refs, resultOf)
  registerShadows(builder, refs)
  const predictions = registerPredictionTypes(builder, refs.ModelVersionRef)
  const entities = registerEntities(builder, engines.models, predictions)
  registerDisagreement(builder, predictions, entities)
  registerScoreInput(builder, engines.models, predictions)
  registerScores(builder, refs, engines.models, resultOf)
  registerMonitoring(builder, refs)
  registerAlerts(builder, refs, resultOf)
  const { KeyInput } = registerOutcomes(builder, resultOf)
  registerPeople(builder, refs, KeyInput, resultOf)
  const parts = { batching: createBatching(engines.client), scores: createScoreStore(engines.database) }
  return {
    ...toSubgraph('ml', builder.toSchema(), (request) => createMlContext(engines, parts, request)),
    extensionsOf(context) {
      const ml = (context as MlContext).meter.report()
      return ml && { ml }
    },
  }
}
