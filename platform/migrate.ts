import { createHash, randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Database, Queryable } from './database.ts'
import { InklingError, messageOf } from './errors.ts'
import type { Log } from './log.ts'

/** The two PostgreSQL schemas and where their migrations stand. */
const schemas = [
  { schema: 'inkling', folder: fileURLToPath(new URL('../prisma/platform/migrations', import.meta.url)) },
  { schema: 'learning', folder: fileURLToPath(new URL('../prisma/learning/migrations', import.meta.url)) },
] as const

/** The advisory lock that Prisma Migrate itself takes: two deployments never overlap, whoever runs them. */
const MIGRATION_LOCK = 72707369

const BOOKKEEPING = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL, logs TEXT, rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(), applied_steps_count INTEGER NOT NULL DEFAULT 0)`

interface Applied {
  readonly migration_name: string
  readonly checksum: string
  readonly finished_at: Date | null
}
interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

function readMigrations(folder: string): Migration[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'migration.sql')))
    .map((entry) => entry.name)
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name, 'migration.sql'), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

/**
 * Applies what `prisma migrate deploy` would, with the same bookkeeping in each schema, and needs no engine. Returns the names
 * applied now. without: names left out. Throws MIGRATION_FAILED; the failed migration is rolled back and stays marked until it is resolved.
 */
export async function migrate(
  database: Database,
  log: Log,
  without: ReadonlySet<string> = new Set(),
): Promise<string[]> {
  const wanted = (schema: string, folder: string) =>
    readMigrations(folder).filter(({ name }) => !without.has(`${schema}/${name}`))
  const client = await database.pool.connect()
  const applied: string[] = []
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK])
    for (const { schema, folder } of schemas) {
      await client.query(`CREATE SCHEMA IF NOT EXISTS "${schema}"`)
      await client.query(`SET search_path TO "${schema}"`)
      for (const name of await applyPending(client as never, schema, wanted(schema, folder), log)) applied.push(name)
    }
    return applied
  } finally {
    await client.query('RESET search_path').catch(() => {})
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => {})
    client.release()
  }
}

async function applyPending(client: Queryable, schema: string, migrations: Migration[], log: Log): Promise<string[]> {
  await client.query(BOOKKEEPING)
  const { rows } = await client.query<Applied>(
    'SELECT migration_name, checksum, finished_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  )
  const failed = rows.find((row) => row.finished_at === null)
  if (failed) throw unresolved(schema, failed.migration_name)
  const names: string[] = []
  for (const migration of migrations) {
    const row = rows.find((candidate) => candidate.migration_name === migration.name)
    if (!row) {
      await apply(client, schema, migration)
      log.info({ event: 'migration applied', schema, migration: migration.name })
      names.push(`${schema}/${migration.name}`)
    } else if (row.checksum !== migration.checksum) {
      log.warn({ event: 'migration was edited after it was applied', schema, migration: migration.name })
    }
  }
  return names
}

async function apply(client: Queryable, schema: string, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID()
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ])
  try {
    await client.query(sql) // one simple query: the whole file is one implicit transaction
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, messageOf(error)])
    throw new InklingError(
      'MIGRATION_FAILED',
      `Migration ${schema}/${name} failed and was rolled back: ${messageOf(error)}`,
      `Mend the cause, then mark it with "npm run prisma -- migrate resolve --rolled-back ${name}" and start again.`,
      { cause: error },
    )
  }
  await client.query('UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1', [id])
}

function unresolved(schema: string, name: string): InklingError {
  return new InklingError(
    'MIGRATION_FAILED',
    `Migration ${schema}/${name} failed before and was not resolved.`,
    `Look at "${schema}"._prisma_migrations, then run "npm run prisma -- migrate resolve --rolled-back ${name}".`,
  )
}

/** The SQL of a migration as `pendingMigrations` names it. */
export function readMigration(name: string): string {
  const { folder } = schemas.find(({ schema }) => name.startsWith(`${schema}/`))!
  return readFileSync(join(folder, name.slice(name.indexOf('/') + 1), 'migration.sql'), 'utf8')
}

/** Names of migrations that are not applied yet; empty when the database is current. */
export async function pendingMigrations(database: Database): Promise<string[]> {
  const pending: string[] = []
  for (const { schema, folder } of schemas) {
    const { rows: tables } = await database.query('SELECT to_regclass($1) AS found', [`"${schema}"._prisma_migrations`])
    const known = tables[0]?.found
      ? await database.query<Applied>(
          `SELECT migration_name FROM "${schema}"._prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL`,
        )
      : { rows: [] as Applied[] }
    const done = new Set(known.rows.map((row) => row.migration_name))
    for (const { name } of readMigrations(folder)) if (!done.has(name)) pending.push(`${schema}/${name}`)
  }
  return pending
}
