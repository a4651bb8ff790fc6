import { randomUUID } from 'node:crypto'
import type { Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { type Job, toJsonText } from './job.ts'
import { parseInput } from './kind.ts'
import { isUuid, parseCursor } from './list.ts'
import { kindOf, type Parts } from './parts.ts'
import type { NewSchedule, Schedule } from './schedule.ts'
import { cancelAll, enqueueRun, findUnfinished } from './schedules-due.ts'
import { checkRecurrence, nextOccurrences } from './schedules-occurrences.ts'

const LONGEST_NAME = 100

/** Jobs that are enqueued again and again. Times are the database's; workers follow them at every tick. */
export interface Schedules {
  /** Throws BAD_USER_INPUT, and JOB_STATE when the name is taken. */
  create(schedule: NewSchedule, viewer: Viewer): Promise<Schedule>
  /** Those of these ids that the viewer may see, in any order. */
  find(ids: readonly string[], viewer?: Viewer): Promise<Schedule[]>
  /** Oldest first. after: cursor of the schedule to continue after. Throws BAD_USER_INPUT. */
  list(options: { viewer?: Viewer; first?: number; after?: string | undefined }): Promise<{
    schedules: Schedule[]
    hasNext: boolean
  }>
  count(viewer?: Viewer): Promise<number>
  /** Jobs that run go on. Throws NOT_FOUND, like all that follow. */
  pause(id: string, viewer?: Viewer): Promise<Schedule>
  /** Goes on with the next moment from now: the time of a pause was not missed. */
  resume(id: string, viewer?: Viewer): Promise<Schedule>
  /** Enqueues a job now, also of a paused schedule. Throws JOB_STATE where overlap is SKIP and a job is not over, and what `enqueue` throws. */
  trigger(id: string, viewer?: Viewer): Promise<{ schedule: Schedule; job: Job }>
  /** Its jobs stay. */
  remove(id: string, viewer?: Viewer): Promise<Schedule>
  /** The next moments after a moment. Throws BAD_USER_INPUT. */
  preview(recurrence: Pick<Schedule, 'expression' | 'timeZone'>, from: Date, count: number): Date[]
}

export function createSchedules(parts: Parts): Schedules {
  const { database } = parts

  function preview(recurrence: Pick<Schedule, 'expression' | 'timeZone'>, from: Date, count: number): Date[] {
    checkRecurrence(parts.queue, recurrence)
    return count < 1 ? [] : nextOccurrences(parts.queue, recurrence, from, count)
  }

  async function change(
    id: string,
    viewer: Viewer | undefined,
    set: string,
    values: unknown[] = [],
  ): Promise<Schedule> {
    return database.transaction(async (client) => {
      await lock(client, id, viewer)
      const { rows } = await client.query<Schedule>(
        `UPDATE inkling."JobSchedule" SET ${set} WHERE id = $1 RETURNING *`,
        [id, ...values],
      )
      return rows[0]!
    })
  }

  return {
    preview,
    async create(given, viewer) {
      const { name, expression, timeZone = 'UTC', missed = 'ONCE', overlap = 'SKIP' } = given
      if (name.trim() === '' || name.length > LONGEST_NAME || /\p{Cc}/u.test(name) || !name.isWellFormed())
        throw refused(
          `"${name.slice(0, LONGEST_NAME)}" is no name for a schedule.`,
          'Use up to 100 visible characters.',
        )
      const kind = kindOf(parts, given.kind)
      parseInput(kind, given.input)
      const input = toJsonText(given.input)
      if (input !== JSON.stringify(given.input ?? null))
        throw refused('The input holds NUL or half a character.', 'Send well-formed text.')
      const [nextAt] = preview({ expression, timeZone }, await databaseNow(database), 1)
      if (!nextAt)
        throw refused(`"${expression}" in ${timeZone} has no moment to come.`, 'Use a rule that goes on after today.')
      const { rows } = await database.query<Schedule>(
        `INSERT INTO inkling."JobSchedule" (id, tenant, "viewerId", name, kind, input, expression, "timeZone", missed, overlap, "nextAt")
         VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9::inkling."MissedPolicy", $10::inkling."OverlapPolicy", $11)
         ON CONFLICT (tenant, name) DO NOTHING RETURNING *`,
        [randomUUID(), viewer.tenant, viewer.id, name, kind.name, input, expression, timeZone, missed, overlap, nextAt],
      )
      if (rows[0]) return rows[0]
      throw new InklingError(
        'JOB_STATE',
        `There is a schedule called "${name}".`,
        'Delete it first, or use another name.',
      )
    },
    async find(ids, viewer) {
      const { rows } = await database.query<Schedule>(
        'SELECT * FROM inkling."JobSchedule" WHERE id = ANY($1::uuid[]) AND ($2::text IS NULL OR tenant = $2)',
        [ids.filter(isUuid), viewer?.tenant ?? null],
      )
      return rows
    },
    async list({ viewer, first = 20, after }) {
      const [at, id] = after === undefined ? [null, null] : parseCursor(after)
      const { rows } = await database.query<Schedule>(
        `SELECT * FROM inkling."JobSchedule" WHERE ($1::text IS NULL OR tenant = $1)
           AND ($2::timestamptz IS NULL OR ("createdAt", id) > ($2::timestamptz, $3::uuid)) ORDER BY "createdAt", id LIMIT $4`,
        [viewer?.tenant ?? null, at, id, first + 1],
      )
      return { schedules: rows.slice(0, first), hasNext: rows.length > first }
    },
    async count(viewer) {
      const { rows } = await database.query<{ count: number }>(
        'SELECT count(*)::int AS count FROM inkling."JobSchedule" WHERE $1::text IS NULL OR tenant = $1',
        [viewer?.tenant ?? null],
      )
      return rows[0]!.count
    },
    pause: (id, viewer) => change(id, viewer, '"isPaused" = true'),
    async resume(id, viewer) {
      return database.transaction(async (client) => {
        const schedule = await lock(client, id, viewer)
        if (!schedule.isPaused) return schedule
        const [nextAt = null] = preview(schedule, await databaseNow(client), 1)
        return change(id, viewer, '"isPaused" = false, "nextAt" = $2, problem = NULL', [nextAt])
      })
    },
    async trigger(id, viewer) {
      const schedule = await database.transaction((client) => lock(client, id, viewer))
      if (schedule.overlap === 'CANCEL_PREVIOUS')
        await cancelAll(parts, await findUnfinished(database, id), schedule.name)
      return database.transaction(async (client) => {
        const locked = await lock(client, id, viewer)
        const unfinished = await findUnfinished(client, id)
        if (locked.overlap === 'SKIP' && unfinished.length > 0)
          throw new InklingError(
            'JOB_STATE',
            `Job ${unfinished[0]} of schedule "${locked.name}" is not over.`,
            'Wait for it or cancel it; its schedule does not let jobs overlap.',
          )
        const job = await enqueueRun(parts, locked, unfinished)
        const set = '"lastJobId" = $2, "lastAt" = clock_timestamp(), problem = NULL'
        return { job, schedule: await change(id, viewer, set, [job.id]) }
      })
    },
    async remove(id, viewer) {
      return database.transaction(async (client) => {
        const schedule = await lock(client, id, viewer)
        await client.query('DELETE FROM inkling."JobSchedule" WHERE id = $1', [id])
        return schedule
      })
    },
  }
}

/** A missing schedule and another tenant's answer alike. */
async function lock(client: Queryable, id: string, viewer: Viewer | undefined): Promise<Schedule> {
  const { rows } = isUuid(id)
    ? await client.query<Schedule>('SELECT * FROM inkling."JobSchedule" WHERE id = $1 FOR UPDATE', [id])
    : { rows: [] }
  const schedule = rows[0]
  if (schedule && (!viewer || schedule.tenant === viewer.tenant)) return schedule
  throw new InklingError('NOT_FOUND', `There is no schedule ${id}.`, 'List the schedules to find its id.')
}

async function databaseNow(client: Queryable): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now')
  return rows[0]!.now
}

function refused(message: string, hint: string): InklingError {
  return new InklingError('BAD_USER_INPUT', message, hint)
}
