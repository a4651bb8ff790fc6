import type { PredictionLoader } from '../../ml/loaders.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import type { RequestContext } from '../../platform/request.ts'

// biome-ignore lint/suspicious/noExplicitAny: builders differ in their types from subgraph to subgraph
export type AnyBuilder = any

/** What prediction fields need from the resolvers' context. */
export interface PredictionContext extends RequestContext {
  /** The request's loader of a model, by its name. */
  predictions(model: string): PredictionLoader
  /** A version by its id, loaded with the others that the request asks for. */
  versionById(id: string): Promise<ModelVersion | null>
}
