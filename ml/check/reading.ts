import type { Queryable } from '../../platform/database.ts'
import { messageOf } from '../../platform/errors.ts'
import type { Model, SqlClient } from '../define.ts'

export const parts = ['features', 'labels', 'candidates', 'ages'] as const
export type ModelPart = (typeof parts)[number]

/** What became of one part of a model when it was tried on the empty tables of a schema. */
export interface PartTrial {
  readonly part: ModelPart
  /** What the database said; null when it ran. */
  readonly error: string | null
  readonly statements: readonly string[]
}

/** Runs everything that a model asks of the database, each part in a savepoint of its own. */
export async function tryModel(client: Queryable, model: Model, now: Date): Promise<PartTrial[]> {
  const trials: PartTrial[] = []
  for (const part of parts) {
    const statements: string[] = []
    const recording: SqlClient = {
      async $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
        statements.push(sql)
        return (await client.query(sql, values)).rows as T
      },
    }
    await client.query('SAVEPOINT part')
    const error = await run(part, model, recording, now).then(
      () => null,
      (failure: unknown) => causeOf(failure),
    )
    await client.query('ROLLBACK TO SAVEPOINT part')
    trials.push({ part, error, statements })
  }
  return trials
}

async function run(part: ModelPart, model: Model, client: SqlClient, now: Date): Promise<void> {
  const pair = { key: Object.fromEntries(model.key.map((field) => [field, '1'])), asOf: now }
  if (part === 'features') await model.read(client, [pair])
  else if (part === 'ages') await model.ages?.(client, [pair])
  else if (part === 'candidates') await model.candidates?.(client, { asOf: now, limit: 1 })
  else for await (const _page of model.labels(client, { now, pageSize: 1 })) break
}

/** The database's own words stand at the end of the chain of causes. */
function causeOf(failure: unknown): string {
  let error = failure
  while (error instanceof Error && error.cause instanceof Error) error = error.cause
  return messageOf(error)
}

/**
 * The columns that a statement reads, found by the database itself: a view of the statement depends on exactly them, through
 * other views too. Empty for a statement of which no view can be made.
 */
export async function columnsOf(client: Queryable, statement: string): Promise<string[]> {
  await client.query('SAVEPOINT look')
  try {
    await client.query(`PREPARE looked AS ${statement}`)
    const { rows: types } = await client.query<{ types: string[] }>(
      `SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = 'looked'`,
    )
    await client.query('DEALLOCATE looked')
    const filled = statement.replace(
      /\$(\d+)/g,
      (_, number: string) => `(NULL::${types[0]?.types[Number(number) - 1]})`,
    )
    await client.query(`CREATE TEMP VIEW looked AS ${filled.replace(/;\s*$/, '')}`)
    const { rows } = await client.query<{ name: string }>(
      `WITH RECURSIVE seen(relation, kind, attribute) AS (
         SELECT d.refobjid, c.relkind, d.refobjsubid FROM pg_rewrite r
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class c ON c.oid = d.refobjid WHERE r.ev_class = 'looked'::regclass AND d.refobjid <> r.ev_class
         UNION
         SELECT d.refobjid, c.relkind, d.refobjsubid FROM seen s JOIN pg_rewrite r ON r.ev_class = s.relation AND s.kind = 'v'
         JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
         JOIN pg_class c ON c.oid = d.refobjid WHERE d.refobjid <> r.ev_class)
       SELECT DISTINCT n.nspname || '.' || c.relname || '.' || a.attname AS "name" FROM seen s
       JOIN pg_class c ON c.oid = s.relation JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.attribute WHERE s.attribute > 0`,
    )
    return rows.map(({ name }) => name)
  } catch {
    return [] // two columns of one name, or a statement that writes: running it after the change still tells
  } finally {
    await client.query('ROLLBACK TO SAVEPOINT look')
  }
}
