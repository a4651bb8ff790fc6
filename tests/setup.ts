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
  const { template, forget } = server ? await templateOn(server) : await templateArchive()
  provide('template', template)
  provide('server', server)
  provide('redis', process.env.REDIS_URL ?? '')
  return forget
}

interface Template {
  readonly template: string
  forget(): Promise<void>
}

async function templateArchive(): Promise<Template> {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-tests-'))
  const template = join(folder, 'migrated.tar')
  const log = createLog('silent')
  const database = await openDatabase({ log })
  await migrate(database, log)
  writeFileSync(template, await database.dump())
  await database.close()
  return { template, forget: async () => rmSync(folder, { recursive: true, force: true }) }
}

async function templateOn(server: string): Promise<Template> {
  const template = `inkling_template_${randomUUID().replaceAll('-', '')}`
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(`CREATE DATABASE "${template}"`)
  const url = new URL(server)
  url.pathname = `/${template}`
  const log = createLog('silent')
  const database = await openDatabase({ url: url.href, log })
  await migrate(database, log)
  await database.close() // a database is copied while nobody is connected to it
  return {
    template,
    async forget() {
      await client.query(`DROP DATABASE "${template}" WITH (FORCE)`)
      await client.end()
    },
  }
}
