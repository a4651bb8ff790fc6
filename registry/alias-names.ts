import { InklingError } from '../platform/errors.ts'

/** The alias of the version that serves: once it points somewhere it is only ever moved. */
export const CHAMPION = 'champion'
export const CHALLENGER = 'challenger'
/** Scores beside what is served and is never shown. */
export const SHADOW = 'shadow'

// Lower case, so that one name is one alias whatever the client's habit; a letter first, so that no alias looks like a number.
const NAME = /^[a-z][a-z0-9-]{0,62}$/
/** Names that a file system may take for a device: aliases become file names when versions are exported. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)$/

/** Throws BAD_USER_INPUT. */
export function checkAlias(alias: string): void {
  if (NAME.test(alias) && !DEVICE.test(alias)) return
  throw new InklingError(
    'BAD_USER_INPUT',
    `${JSON.stringify(alias.slice(0, 80))} is no alias.`,
    'An alias is a small letter, then at most 62 small letters, digits and hyphens: champion, challenger, shadow, before-holidays.',
  )
}
