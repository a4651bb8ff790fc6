import type { Batching } from '../../ml/batching.ts'
import type { PredictionLoader } from '../../ml/loaders.ts'
import type { RequestContext } from '../../platform/request.ts'

/** What a search for changes is taken to score: it stops early or goes on to 200,000 rows, and nobody knows before. */
const ROWS_OF_A_SEARCH = 1_000

type Asking = Pick<RequestContext, 'rates' | 'viewer'>

/** The shared inferences, with every row charged to who asked for it. A viewer that has used up its rate gets RATE_LIMITED as the reason of a missing prediction. */
export function countedBatching(batching: Batching, { rates, viewer }: Asking): Batching {
  if (!rates) return batching
  return {
    tenants: (model, slots) => batching.tenants(model, slots),
    read: (model, slots) => batching.read(model, slots),
    async score(model, served, rows, n) {
      if (n > 0) await rates.take('inferences', viewer, n)
      return batching.score(model, served, rows, n)
    },
  }
}

/** The same for searches, whose rows the loader scores by itself. */
export function countedLoader(loader: PredictionLoader, { rates, viewer }: Asking): PredictionLoader {
  if (!rates) return loader
  return {
    ...loader,
    async whatIf(prediction, goal) {
      await rates.take('inferences', viewer, ROWS_OF_A_SEARCH)
      return loader.whatIf(prediction, goal)
    },
  }
}
