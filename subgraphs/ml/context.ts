import DataLoader from 'dataloader'
import type { Batching } from '../../ml/batching.ts'
import { createPredictionLoader, type PredictionLoader, type ServedAnswers } from '../../ml/loaders.ts'
import { createMeter, type Meter } from '../../ml/meter.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import { forgottenOf } from '../../ml/people/forgetting.ts'
import type { PastScores } from '../../ml/stored.ts'
import { findModel } from '../../ml/training-job.ts'
import type { RequestContext } from '../../platform/request.ts'
import type { PredictionContext } from '../../schema/prediction/types.ts'
import { countedBatching, countedLoader } from './rates.ts'
import type { MlEngines } from './subgraph.ts'

/** What the ml subgraph's resolvers know about a request. */
export interface MlContext extends PredictionContext {
  readonly engines: MlEngines
  readonly batching: Batching
  readonly meter: Meter
  /** People that a version learned from and who were removed since; null for none. */
  forgottenOf(versionId: string): Promise<{ readonly people: number; readonly lastAt: Date } | null>
}

/** The loaders of one request over the reads and inferences that the process shares. */
export function createMlContext(
  engines: MlEngines,
  { batching, scores }: { readonly batching: Batching; readonly scores: PastScores },
  request: RequestContext,
): MlContext {
  const { serving, client, registry, models, predictionLog, shadow } = engines
  const meter = createMeter()
  const shared = countedBatching(batching, request)
  const { tenant } = request.viewer
  const loaders = new Map<string, PredictionLoader>()
  const versions = new DataLoader<string, ModelVersion | null>(async (ids) => {
    const found = await registry.versions<ModelContents>(MODEL_KIND, ids)
    return ids.map((id) => found.find((version) => version.id === id) ?? null)
  })
  const forgotten = new DataLoader<string, { people: number; lastAt: Date } | null>(async (ids) => {
    const found = await forgottenOf(engines.database, ids)
    return ids.map((id) => found.get(id) ?? null)
  })
  return {
    ...request,
    engines,
    batching: shared,
    meter,
    versionById: (id) => versions.load(id),
    forgottenOf: (id) => forgotten.load(id),
    predictions(name) {
      const known = loaders.get(name)
      if (known) return known
      const { instant, now } = request
      const model = findModel(models, name)
      const served = predictionLog
        ? (batch: ServedAnswers) => predictionLog.record({ ...batch, model, tenant, asOf: now, servedAt: new Date() })
        : undefined
      const parts = { model, serving, client, instant, now, batching: shared, scores, meter, shadow, tenant, served }
      const loader = countedLoader(createPredictionLoader(parts), request)
      loaders.set(name, loader)
      return loader
    },
  }
}
