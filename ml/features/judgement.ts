import { invalid } from './checks.ts'
import type { Question } from './definition.ts'
import type { FeatureSpec, Model } from './model.ts'
import { oneOf } from './spot.ts'

/** What a model file says about how its versions are judged: checked, and without what it leaves out. Throws MODEL_INVALID. */
export function judgementOf(
  question: Question<string>,
  features: readonly FeatureSpec[],
): Pick<Model, 'slices' | 'lastKnown' | 'costs' | 'calibration'> {
  const { name, slices, lastKnown, costs, calibration } = question
  const named = (kind: FeatureSpec['kind']) => features.filter((spec) => spec.kind === kind).map((spec) => spec.name)
  for (const slice of slices ?? [])
    if (!named('category').includes(slice))
      throw invalid(name, `it slices by "${slice}", which is no category of its features`, oneOf(named('category')))
  if (lastKnown !== undefined && !named('number').includes(lastKnown))
    throw invalid(name, `its last known value "${lastKnown}" is no number of its features`, oneOf(named('number')))
  for (const [mistake, cost] of Object.entries(costs ?? {}))
    if (!(cost > 0 && Number.isFinite(cost)))
      throw invalid(name, `costs.${mistake} is ${cost}`, 'Give what the mistake costs, above 0.')
  if (calibration !== undefined && calibration !== 'platt' && calibration !== 'isotonic')
    throw invalid(name, `there is no calibration "${String(calibration)}"`, 'Use platt or isotonic.')
  return {
    ...(slices === undefined ? {} : { slices }),
    ...(lastKnown === undefined ? {} : { lastKnown }),
    ...(costs === undefined ? {} : { costs }),
    ...(calibration === undefined ? {} : { calibration }),
  }
}
