import type { Database, Queryable } from '../../../platform/database.ts'
import { InklingError } from '../../../platform/errors.ts'
import { readSetting, writeSetting } from '../../../platform/settings.ts'
import { tableNames } from './tables.ts'

const KEY = 'rows'

/** Where the rows of the learning domain came from. Stored in the transaction that wrote them, so it never vouches for half. */
export type Origin =
  | {
      readonly source: 'simulated'
      readonly seed: number
      readonly learners: number
      /** The moment the dates are relative to. */
      readonly now: string
    }
  | { readonly source: 'oulad'; readonly folder: string; readonly now: string }

/** Reads where the rows came from: null when there are none, 'own' when somebody wrote them without saying. */
export async function readOrigin(database: Database): Promise<Origin | 'own' | null> {
  const stored = await readSetting<Origin>(database, KEY)
  if (stored) return stored
  const { rows } = await database.query<{ any: boolean }>(
    'SELECT EXISTS (SELECT FROM "learning"."Learner") OR EXISTS (SELECT FROM "learning"."Course") AS "any"',
  )
  return rows[0]!.any ? 'own' : null
}

export async function writeOrigin(database: Database, origin: Origin): Promise<void> {
  await writeSetting(database, KEY, origin)
}

/** Removes every row of the learning domain and what is known of their origin. Joins the caller's transaction. */
export async function clearRows(database: Database): Promise<void> {
  await database.query(`TRUNCATE ${tableNames.map((name) => `"learning"."${name}"`).join(', ')}`)
  await writeSetting(database, KEY, null)
}

/** Lets one process at a time fill the tables; the others wait. Call it inside the transaction that fills. */
export async function lockRows(client: Queryable): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('inkling rows'))`)
}

/** What a person is told who would mix two worlds. */
export function rowsPresent(origin: Origin | 'own'): InklingError {
  const what =
    origin === 'own'
      ? 'rows of its own'
      : origin.source === 'simulated'
        ? `the simulated school of seed ${origin.seed} with ${origin.learners} learners`
        : `the rows imported from ${origin.folder}`
  return new InklingError(
    'BAD_USER_INPUT',
    `The database already holds ${what}.`,
    'Empty it with `inkling reset`, or use another database (INKLING_DATA_DIR or DATABASE_URL).',
  )
}

/** Gives the planner the sizes of what has just been written; without it the first queries guess. */
export async function analyzeRows(client: Queryable): Promise<void> {
  await client.query(`ANALYZE ${tableNames.map((name) => `"learning"."${name}"`).join(', ')}`)
}
