import type { LoaderOptions } from './loaders.ts'
import { thresholdOf } from './monitoring/served-rows.ts'
import type { Estimate } from './prediction.ts'
import type { ServedVersion, Sides } from './serving.ts'
import type { Slot } from './slots.ts'
import { estimateOf } from './stored.ts'

/**
 * Finds the stored scores that answer in place of a computation, by the model file's `freshFor`: of the version that would compute,
 * young enough on both clocks, of an entity without noted changes. isOwn: which entities are the viewer's tenant's; null where that does not
 * matter. Null for a model that always computes.
 */
export function createFreshness(
  { model, scores, now, instant, meter, tenant, served: tell }: LoaderOptions,
  isOwn: ((asked: readonly Slot[]) => Promise<readonly boolean[]>) | null,
): ((asked: readonly Slot[], sides: Sides) => Promise<ReadonlyMap<Slot, Estimate>>) | null {
  const { freshForMs } = model
  if (freshForMs === undefined || !scores?.fresh || !now) return null
  const age = {
    scoredSince: new Date(instant.getTime() - freshForMs),
    asOfFrom: new Date(now.getTime() - freshForMs),
    asOfTo: now,
    ...(isOwn && tenant !== undefined ? { tenant } : {}),
  }

  return async (asked, { versionOf }) => {
    const answers = new Map<Slot, Estimate>()
    const served = new Map<ServedVersion, Estimate[]>()
    // Scores that were stored as the viewer's tenant's; whose the entities are now is looked up at the same time, and has the last word.
    const [owns, found] = await Promise.all([
      isOwn?.(asked),
      scores.fresh!(
        model,
        asked.map(({ key }) => key),
        age,
      ),
    ]).catch(() => []) // what cannot be looked up is computed
    for (const [index, score] of (found ?? []).entries()) {
      if (!score || owns?.[index] === false) continue
      const slot = asked[index]!
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
