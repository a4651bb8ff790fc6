import { InklingError } from '../platform/errors.ts'
import { isUuid } from './list.ts'

/**
 * How far a live list has been read. `seen` is a snapshot of the database as PostgreSQL prints one (xmin:xmax:running): every transaction
 * that it shows has been read. `within`, when the reader stopped between: which later snapshot was being read, and the last event given.
 *
 * Events are numbered by their job alone. An order of all of them by number or by time would lose what commits late; the difference of
 * two snapshots cannot, and no writer waits for another to get it.
 */
export interface Position {
  readonly seen: string
  readonly within: (EventKey & { readonly to: string }) | null
}

/** Orders the events between two snapshots. */
export interface EventKey {
  readonly at: string
  readonly jobId: string
  readonly sequence: number
}

const SNAPSHOT = /^\d{1,19}:\d{1,19}:(\d{1,19}(,\d{1,19})*)?$/

export function encodePosition({ seen, within }: Position): string {
  const parts = within ? [seen, within.to, within.at, within.jobId, within.sequence] : [seen]
  return Buffer.from(parts.join('/')).toString('base64url')
}

/** Throws BAD_USER_INPUT. */
export function parsePosition(cursor: string): Position {
  const [seen = '', to, at = '', jobId = '', sequence = ''] = Buffer.from(cursor, 'base64url').toString().split('/')
  if (SNAPSHOT.test(seen) && to === undefined) return { seen, within: null }
  const isKey =
    /^[-\d:T.Z]{20,30}$/.test(at) && !Number.isNaN(Date.parse(at)) && isUuid(jobId) && /^\d{1,9}$/.test(sequence)
  if (SNAPSHOT.test(seen) && to !== undefined && SNAPSHOT.test(to) && isKey)
    return { seen, within: { to, at, jobId, sequence: Number(sequence) } }
  throw unknownCursor()
}

export function unknownCursor(): InklingError {
  return new InklingError(
    'BAD_USER_INPUT',
    'The cursor is refused: this database did not give it out.',
    'Begin again without `after`: the list then starts with the jobs as they are.',
  )
}
