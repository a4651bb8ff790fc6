import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../platform/database.ts'
import { createLog } from '../platform/log.ts'
import { migrate } from '../platform/migrate.ts'

export const silent = createLog('silent')

/** A migrated, empty database of its own: embedded and in memory, or a fresh one on DATABASE_URL's server; one with a name stays there. */
export async function openTestDatabase(name?: string): Promise<Database> {
  const server = inject('server')
  if (!server) return openDatabase({ log: silent, template: readFileSync(inject('template')) })
  const { url, drop } = await createServerDatabase(server, { name })
  const database = await openDatabase({ url, log: silent })
  await migrate(database, silent)
  return name ? database : droppedAtEnd(database, drop)
}

/** A copy of a database of the server that nobody is connected to. */
export async function copyServerDatabase(server: string, original: string): Promise<Database> {
  const { url, drop } = await createServerDatabase(server, { original })
  return droppedAtEnd(await openDatabase({ url, log: silent }), drop)
}

function droppedAtEnd(database: Database, drop: () => Promise<void>): Database {
  return {
    ...database,
    async close() {
      await database.close()
      await drop()
    },
  }
}

/** Creates a database on the server; `drop` ends its connections and removes it. */
export async function createServerDatabase(
  server: string,
  options: { readonly name?: string | undefined; readonly original?: string } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const { name = `inkling_test_${randomUUID().replaceAll('-', '')}`, original } = options
  await onServer(server, `CREATE DATABASE "${name}"${original ? ` TEMPLATE "${original}"` : ''}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => onServer(server, `DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`) }
}

async function onServer(server: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(sql)
  await client.end()
}
