import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inject } from 'vitest'
import { type Database, openDatabase } from '../../platform/database.ts'
import { copyServerDatabase, openTestDatabase, silent } from '../harness.ts'

const LONGEST_BUILD_MS = 240_000

/**
 * A database as `build` leaves it, built once in a run of the tests and copied for every file that asks: seeding a school and training
 * its models takes most of the time of a file that needs them.
 */
export async function openBuilt(name: string, build: (database: Database) => Promise<void>): Promise<Database> {
  const server = inject('server')
  const done = join(inject('folder'), `${name}.${server ? 'done' : 'tar'}`)
  const original = `${inject('built')}_${name}`
  if (await claims(done)) {
    const database = await openTestDatabase(original)
    await build(database)
    if (!server) writeFileSync(`${done}.part`, await database.dump())
    else writeFileSync(`${done}.part`, '')
    await database.close()
    renameSync(`${done}.part`, done)
  }
  return server ? copyServerDatabase(server, original) : openDatabase({ log: silent, template: readFileSync(done) })
}

/** Whether to build: the first who asks does, everybody else waits for it. */
async function claims(done: string): Promise<boolean> {
  try {
    writeFileSync(`${done}.claim`, '', { flag: 'wx' })
    return true
  } catch {
    const until = Date.now() + LONGEST_BUILD_MS
    while (!existsSync(done)) {
      if (Date.now() > until) throw new Error(`Whoever builds ${done} does not end`)
      await pause(100)
    }
    return false
  }
}
