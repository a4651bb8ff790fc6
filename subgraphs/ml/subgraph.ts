import type { Jobs } from '../../jobs/engine.ts'
import type { Model, SqlClient } from '../../ml/define.ts'
import { createPredictionLoader, type PredictionLoader } from '../../ml/loaders.ts'
import type { Serving } from '../../ml/serving.ts'
import { findModel } from '../../ml/training-job.ts'
import type { Database } from '../../platform/database.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'
import type { Registry } from '../../registry/registry.ts'
import { createBuilder } from '../../schema/builder.ts'
import { registerErrors } from '../../schema/errors.ts'
import { toSubgraph } from '../../schema/federation.ts'
import { registerEntities } from '../../schema/prediction/fields.ts'
import { type PredictionContext, registerPredictionTypes } from '../../schema/prediction/types.ts'
import { registerModels } from './models.ts'
import { registerScores } from './scores.ts'
import { registerTraining } from './training.ts'

/** What the ml subgraph stands on. */
export interface MlEngines {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  readonly jobs: Jobs
  readonly models: readonly Model[]
  /** Reads features: the customer's own client. */
  readonly client: SqlClient
  /** Seed of training runs that name none. */
  readonly seed: number
}

export type MlContext = RequestContext & PredictionContext & { readonly engines: MlEngines }

export type MlBuilder = ReturnType<typeof createMlBuilder>

function createMlBuilder() {
  return createBuilder<{ Context: MlContext; PrismaTypes: object }>()
}

/** Predictions as fields of entities that others own; models, their versions, and training. */
export function createMlSubgraph(engines: MlEngines): Subgraph {
  const builder = createMlBuilder()
  const resultOf = registerErrors(builder, ['NotFoundError', 'InvalidInputError', 'TooManyJobsError'])
  builder.queryType({})
  builder.mutationType({})
  const refs = registerModels(builder)
  registerTraining(builder, refs, resultOf)
  registerEntities(builder, engines.models, registerPredictionTypes(builder, refs.ModelVersionRef))
  registerScores(builder, refs, engines.models, resultOf)
  return toSubgraph('ml', builder.toSchema(), (request) => contextOf(engines, request))
}

function contextOf(engines: MlEngines, request: RequestContext): MlContext {
  const loaders = new Map<string, PredictionLoader>()
  return {
    ...request,
    engines,
    predictions(name) {
      const known = loaders.get(name)
      if (known) return known
      const loader = createPredictionLoader({
        model: findModel(engines.models, name),
        serving: engines.serving,
        client: engines.client,
        instant: request.instant,
      })
      loaders.set(name, loader)
      return loader
    },
  }
}
