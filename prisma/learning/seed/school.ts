import type { Database } from '../../../platform/database.ts'
import { DEFAULT_TENANT } from '../../../platform/viewer.ts'
import { analyzeRows, lockRows, readOrigin, rowsPresent, writeOrigin } from '../rows/origin.ts'
import type { TableName } from '../rows/tables.ts'
import { createRowWriter } from '../rows/writer.ts'
import { DAY, planCurriculum, writeCurriculum } from './curriculum.ts'
import { createDraws } from './draws.ts'
import { liveThrough } from './life.ts'

export const DEFAULT_LEARNERS = 2_000

export interface Progress {
  readonly done: number
  readonly total: number
  readonly message: string
}

export interface SchoolOptions {
  /** The same seed and moment give the same rows. */
  readonly seed: number
  readonly learners?: number
  /** The moment that dates are relative to: about 400 days of history end there. */
  readonly now: Date
  /** Whose school it is. Other tenants' rows stay. */
  readonly tenant?: string
  readonly onProgress?: (progress: Progress) => void
}

export interface School {
  readonly seed: number
  readonly learners: number
  readonly now: string
  /** Rows written, by table. */
  readonly rows: Readonly<Partial<Record<TableName, number>>>
}

/**
 * Writes a simulated school for a tenant that has no rows yet, in one transaction: after a kill there is all of it or nothing.
 * The generative model is described in docs/simulated-school.md. Throws BAD_USER_INPUT when there are rows already.
 */
export async function seedSchool(
  database: Database,
  { seed, learners = DEFAULT_LEARNERS, now, tenant = DEFAULT_TENANT, onProgress }: SchoolOptions,
): Promise<School> {
  return database.transaction(async (client) => {
    await lockRows(client)
    const origin = await readOrigin(database, tenant)
    if (origin) throw rowsPresent(origin)
    // Every key is made here, and tests on a server check them: not checking again saves 3 of 9 seconds (measured). The
    // embedded session may; a server's user seldom may.
    if (database.embedded) await client.query('SET LOCAL session_replication_role = replica')

    const draws = createDraws(seed)
    const rows = createRowWriter(client, tenant)
    const moment = now.getTime()
    const presentations = planCurriculum(Math.floor(moment / DAY) * DAY, draws.fork(0))
    writeCurriculum(presentations, rows)
    const digits = String(learners).length
    for (let index = 1; index <= learners; index++) {
      const id = `L${String(index).padStart(Math.max(4, digits), '0')}`
      liveThrough(id, presentations, moment, draws.fork(index), rows)
      await rows.drain()
      if (index % 50 === 0 || index === learners)
        onProgress?.({ done: index, total: learners, message: 'simulating learners' })
    }
    await rows.finish()
    await analyzeRows(client)
    await writeOrigin(database, { source: 'simulated', seed, learners, now: now.toISOString() }, tenant)
    const counts = Object.entries(rows.written).map(([table, count]) => [table, count.inserted])
    return { seed, learners, now: now.toISOString(), rows: Object.fromEntries(counts) }
  })
}
