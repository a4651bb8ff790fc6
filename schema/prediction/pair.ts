import type { KeyValues, Model } from '../../ml/define.ts'
import { refused } from './refused.ts'

/** The moment to look from. Nobody knows what will be known later: throws BAD_USER_INPUT. */
export function momentOf(asOf: Date | null | undefined, now: Date): Date {
  if (!asOf) return now
  if (asOf.getTime() > now.getTime())
    throw refused(
      `asOf ${asOf.toISOString()} lies after now, ${now.toISOString()}.`,
      'Ask for a moment that has passed, or leave asOf out.',
    )
  return asOf
}

/** The model's key out of what an entity was resolved from. */
export function keyOf(model: Model, reference: KeyValues): KeyValues {
  return Object.fromEntries(model.key.map((field) => [field, reference[field]!]))
}
