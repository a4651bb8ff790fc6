import type { Slot } from './batching.ts'
import type { LoaderOptions } from './loaders.ts'
import { thresholdOf } from './monitoring/served-rows.ts'
import type { Estimate } from './prediction.ts'
import type { ServedVersion, Sides } from './serving.ts'
import { estimateOf, type PastScore } from './stored.ts'

/** What may be found for slots of the viewer's own tenant; `nothing` for all others. */
type OfOwn = <T>(
  asked: readonly Slot[],
  nothing: T,
  find: (own: readonly Slot[]) => Promise<readonly T[]>,
) => Promise<readonly T[]>

/**
 * Finds the stored scores that answer in place of a computation, by the model file's `freshFor`: of the version that would compute,
 * young enough on both clocks, of an entity without noted changes. Null for a model that always computes.
 */
export function createFreshness(
  { model, scores, now, instant, meter, served: tell }: LoaderOptions,
  ofOwn: OfOwn,
): ((asked: readonly Slot[], sides: Sides) => Promise<ReadonlyMap<Slot, Estimate>>) | null {
  const { freshForMs } = model
  if (freshForMs === undefined || !scores?.fresh || !now) return null
  const age = {
    scoredSince: new Date(instant.getTime() - freshForMs),
    asOfFrom: new Date(now.getTime() - freshForMs),
    asOfTo: now,
  }

  return async (asked, { versionOf }) => {
    const answers = new Map<Slot, Estimate>()
    const served = new Map<ServedVersion, Estimate[]>()
    const found = await ofOwn<PastScore | null>(asked, null, (own) =>
      scores.fresh!(
        model,
        own.map(({ key }) => key),
        age,
      ),
    ).catch(() => []) // what cannot be looked up is computed
    for (const [index, score] of found.entries()) {
      const slot = asked[index]!
      if (!score) continue
      const version = versionOf(slot.key)
      if (score.versionId !== version.version.id) continue
      const estimate = estimateOf(model, slot.key, score)
      answers.set(slot, estimate)
      const group = served.get(version)
      if (group) group.push(estimate)
      else served.set(version, [estimate])
    }
    meter?.add(model.name, { stored: answers.size })
    for (const [{ version }, estimates] of served)
      tell?.({ versionId: version.id, answers: estimates, threshold: thresholdOf(model, version.contents) })
    return answers
  }
}
