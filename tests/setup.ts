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
    /** Archive of a migrated, empty embedded database; on a server, the name of such a database. */
    template: string
    /** The server to test on; empty for the embedded database. */
    server: string
    /** A Redis to test with; empty without. */
    redis: string
  }
}

/** Migrates one database and keeps it: every test starts from a copy in a fraction of a second. */
export default async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'inkling-compile-cache') // the tenth process compiles nothing anew
  const server = process.env.DATABASE_URL ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'inkling-tests-'))
  const built = `inkling_built_${randomUUID().slice(0, 8)}`
  provide('folder', folder)
  provide('built', built)
  provide('template', server ? await migrateOn(server, `${built}_empty`) : await migrateInto(folder))
  provide('server', server)
  provide('redis', process.env.REDIS_URL ?? '')
  return async () => {
    rmSync(folder, { recursive: true, force: true })
    if (server) await dropDatabases(server, built)
  }
}

async function migrateInto(folder: string): Promise<string> {
  const archive = join(folder, 'migrated.tar')
  const log = createLog('silent')
  const database = await openDatabase({ log })
  await migrate(database, log)
  writeFileSync(archive, await database.dump())
  await database.close()
  return archive
}

async function migrateOn(server: string, name: string): Promise<string> {
  await onServer(server, (client) => client.query(`CREATE DATABASE "${name}"`))
  const url = new URL(server)
  url.pathname = `/${name}`
  const log = createLog('silent')
  const database = await openDatabase({ url: url.href, log })
  await migrate(database, log)
  await database.close() // a database is copied while nobody is connected to it
  return name
}

async function dropDatabases(server: string, prefix: string): Promise<void> {
  await onServer(server, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE starts_with(datname, $1)',
      [prefix],
    )
    for (const { name } of rows) await client.query(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`)
  })
}

async function onServer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await work(client)
  await client.end()
}
