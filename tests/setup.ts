import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { openDatabase } from '../platform/database.ts'
import { createLog } from '../platform/log.ts'
import { migrate } from '../platform/migrate.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Archive of a migrated, empty embedded database. */
    template: string
    /** The server to test on; empty for the embedded database. */
    server: string
    /** A Redis to test with; empty without. */
    redis: string
  }
}

/** Migrates one embedded database and keeps its archive: every test starts from it in under a second. */
export default async function setup({ provide }: TestProject): Promise<() => void> {
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
  provide('template', template)
  provide('server', server)
  provide('redis', process.env.REDIS_URL ?? '')
  return () => rmSync(folder, { recursive: true, force: true })
}
