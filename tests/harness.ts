import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import pg from 'pg'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../platform/database.ts'
import { createLog } from '../platform/log.ts'

export const silent = createLog('silent')

/** A migrated, empty database of its own: embedded and in memory, or a fresh one on DATABASE_URL's server; one with a name stays there. */
export async function openTestDatabase(name?: string): Promise<Database> {
  const server = inject('server')
  if (!server) return openDatabase({ log: silent, template: readFileSync(inject('template')) })
  const { url, drop } = await createServerDatabase(server, { name })
  const database = await openDatabase({ url, log: silent })
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

/** A migrated, empty embedded database in a folder, for a process of its own: making one from nothing takes seconds. */
export function fillTestFolder(folder: string): void {
  mkdirSync(folder, { recursive: true })
  execFileSync('tar', ['-xf', inject('template'), '-C', folder])
}

/** A migrated, empty database on the server, or a copy of another; `drop` ends its connections and removes it. */
export async function createServerDatabase(
  server: string,
  options: { readonly name?: string | undefined; readonly original?: string } = {},
): Promise<{ url: string; drop(): Promise<void> }> {
  const { name = `inkling_test_${randomUUID().replaceAll('-', '')}`, original = inject('template') } = options
  await onServer(server, `CREATE DATABASE "${name}" TEMPLATE "${original}"`)
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
