import { InklingError } from '../../platform/errors.ts'

/** Where in a model file something stands, so that every fault names its model and feature. */
export interface Spot {
  /** message: what is wrong, with the names. hint: the fix. */
  fault(message: string, hint: string): InklingError
}

export function spotOf(model: string, part: string): Spot {
  return {
    fault: (message, hint) => new InklingError('FEATURE_INVALID', `Model "${model}", ${part}: ${message}`, hint),
  }
}

/** The names that could have been meant, for a hint. */
export function oneOf(names: Iterable<string>): string {
  const known = [...names]
  return known.length > 0 ? `Use one of: ${known.join(', ')}.` : 'There is none.'
}
