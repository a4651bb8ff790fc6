import DataLoader from 'dataloader'
import type { Batching } from '../../ml/batching.ts'
import { createPredictionLoader, type PredictionLoader } from '../../ml/loaders.ts'
import { createMeter, type Meter } from '../../ml/meter.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
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
}

/** The loaders of one request over the reads and inferences that the process shares. */
export function createMlContext(
  engines: MlEngines,
  { batching, scores }: { readonly batching: Batching; readonly scores: PastScores },
  request: RequestContext,
): MlContext {
  const { serving, client, registry, models, shadow } = engines
  const meter = createMeter()
  const shared = countedBatching(batching, request)
  const loaders = new Map<string, PredictionLoader>()
  const versions = new DataLoader<string, ModelVersion | null>(async (ids) => {
    const found = await registry.versions<ModelContents>(MODEL_KIND, ids)
    return ids.map((id) => found.find((version) => version.id === id) ?? null)
  })
  return {
    ...request,
    engines,
    batching: shared,
    meter,
    versionById: (id) => versions.load(id),
    predictions(name) {
      const known = loaders.get(name)
      if (known) return known
      const { instant, now, viewer } = request
      const { tenant } = viewer
      const model = findModel(models, name)
      const loader = countedLoader(
        createPredictionLoader({
          model,
          serving,
          client,
          instant,
          now,
          batching: shared,
          scores,
          meter,
          shadow,
          tenant,
        }),
        request,
      )
      loaders.set(name, loader)
      return loader
    },
  }
}
