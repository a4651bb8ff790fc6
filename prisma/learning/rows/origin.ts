import type { Database, Queryable } from '../../../platform/database.ts'
import { InklingError } from '../../../platform/errors.ts'
import { readSetting, writeSetting } from '../../../platform/settings.ts'
import { DEFAULT_TENANT } from '../../../platform/viewer.ts'
import { tableNames } from './tables.ts'

const KEY = 'rows'
const keyOf = (tenant: string) => (tenant === DEFAULT_TENANT ? KEY : `${KEY} of ${tenant}`)

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

/** Reads where a tenant's rows came from: null when there are none, 'own' when somebody wrote them without saying. */
export async function readOrigin(database: Database, tenant = DEFAULT_TENANT): Promise<Origin | 'own' | null> {
  const stored = await readSetting<Origin>(database, keyOf(tenant))
  if (stored) return stored
  const { rows } = await database.query<{ any: boolean }>(
    `SELECT EXISTS (SELECT FROM "learning"."Learner" WHERE "tenant" = $1)
         OR EXISTS (SELECT FROM "learning"."Course" WHERE "tenant" = $1) AS "any"`,
    [tenant],
  )
  return rows[0]!.any ? 'own' : null
}

export async function writeOrigin(database: Database, origin: Origin, tenant = DEFAULT_TENANT): Promise<void> {
  await writeSetting(database, keyOf(tenant), origin)
}

/** Removes every row of the learning domain, whosever it is, and what is known of their origin. Joins the caller's transaction. */
export async function clearRows(database: Database): Promise<void> {
  await database.query(`TRUNCATE ${tableNames.map((name) => `"learning"."${name}"`).join(', ')}`)
  await database.query(`DELETE FROM "inkling"."Setting" WHERE "key" = $1 OR "key" LIKE $2`, [KEY, `${KEY} of %`])
}

/** Removes a tenant's rows and what is known of their origin. Joins the caller's transaction. */
export async function clearTenant(database: Database, tenant: string): Promise<void> {
  const { rows } = await database.query<{ others: boolean }>(
    `SELECT EXISTS (SELECT FROM "learning"."Learner" WHERE "tenant" <> $1)
         OR EXISTS (SELECT FROM "learning"."Course" WHERE "tenant" <> $1) AS "others"`,
    [tenant],
  )
  if (!rows[0]!.others) return clearRows(database)
  for (const name of ['Learner', 'Course'])
    await database.query(`DELETE FROM "learning"."${name}" WHERE "tenant" = $1`, [tenant])
  await writeSetting(database, keyOf(tenant), null)
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
