import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../platform/database.ts'
import { createLog } from '../platform/log.ts'
import { migrate } from '../platform/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Of this run of the tests. */
    folder: string
    /** What databases of a server begin with that are built once in this run and copied. */
    built: string
    /** Archive of a migrated, empty embedded database. */
    template: string
    /** The server to test on; empty for the embedded database. */
    server: string
    /** A Redis to test with; empty without. */
    redis: string
  }
}

/** Migrates one embedded database and keeps its archive: every test starts from it in under a second. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = process.env.DATABASE_URL ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'inkling-tests-'))
  const template = join(folder, 'migrated.tar')
  if (!server) {
    const log = createLog('silent')
    const database = await openDatabase({ log })
    await migrate(database, log)
    writeFileSync(template, await database.dump())
    await database.close()
  }
  const built = `inkling_built_${randomUUID().slice(0, 8)}`
  provide('folder', folder)
  provide('built', built)
  provide('template', template)
  provide('server', server)
  provide('redis', process.env.REDIS_URL ?? '')
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    if (server) await dropDatabases(server, built)
  }
}

async function dropDatabases(server: string, prefix: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
    [prefix],
  )
  for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  await client.end()
}
