import { InklingError } from '../../platform/errors.ts'

/** A model file that is not taken, with the reason. hint: what its author does next. */
export function refused(why: string, hint: string, cause?: unknown): InklingError {
  return new InklingError('IMPORT_INVALID', `The model file is refused: ${why}.`, hint, { cause })
}

/** A name out of a file as it may be shown: no control characters, no page of it. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name)
}
