import type { Queryable } from '../platform/database.ts'
import { isInklingError, messageOf } from '../platform/errors.ts'
import { cancelJob } from './control.ts'
import { enqueue } from './enqueue.ts'
import type { Job } from './job.ts'
import { FINAL, type Parts } from './parts.ts'
import type { Schedule } from './schedule.ts'
import { type Occurrence, planDue } from './schedules-occurrences.ts'

/** Schedules looked at in one tick. */
const MOST_DUE = 500
/** Jobs of one schedule that are not over; further occurrences wait in the schedule. */
const MOST_UNFINISHED = 100

interface DueSchedule extends Schedule {
  readonly nextAt: Date
}

/**
 * Enqueues what is due, whichever process comes first: the row of a schedule is locked, and its next moment moves on, in the transaction
 * that writes the job, whose idempotency key is the occurrence. Moments are compared by the database's clock. Returns how many jobs.
 */
export async function runDueSchedules(parts: Parts): Promise<number> {
  const { rows } = await parts.database.query<DueSchedule & { unfinished: string[] }>(
    `SELECT s.*, ARRAY(SELECT j.id FROM inkling."Job" j WHERE j."scheduleId" = s.id AND j.state NOT IN ${FINAL}) AS unfinished
     FROM inkling."JobSchedule" s WHERE NOT s."isPaused" AND s."nextAt" <= now() AND s.kind = ANY($1::text[])
     ORDER BY s."nextAt" LIMIT ${MOST_DUE}`,
    [[...parts.kinds.keys()]],
  )
  let count = 0
  for (const { unfinished, ...schedule } of rows) {
    try {
      // These are the predecessors for certain: in the look that found them, the occurrence had not started its job yet.
      if (schedule.overlap === 'CANCEL_PREVIOUS') await cancelAll(parts, unfinished, schedule.name)
      count += await parts.database.transaction((client) => runDue(parts, client, schedule))
    } catch (error) {
      parts.log.warn({ event: 'schedule not followed', scheduleId: schedule.id, error: messageOf(error) })
    }
  }
  return count
}

/** Outside of a transaction: each job and its children end in one of their own. */
export async function cancelAll(parts: Parts, jobIds: readonly string[], name: string): Promise<void> {
  for (const id of jobIds) {
    try {
      await cancelJob(parts, id, undefined, `The next run of schedule "${name}" took its place.`)
    } catch (error) {
      if (!isInklingError(error)) throw error // it ended first
    }
  }
}

export async function findUnfinished(client: Queryable, scheduleId: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT id FROM inkling."Job" WHERE "scheduleId" = $1 AND state NOT IN ${FINAL} ORDER BY "createdAt"`,
    [scheduleId],
  )
  return rows.map((row) => row.id)
}

/** Enqueues a job of a schedule behind those that are not over. Throws what `enqueue` throws. */
export function enqueueRun(
  parts: Parts,
  schedule: Schedule,
  unfinished: readonly string[],
  key?: string,
): Promise<Job> {
  const { id, kind, input, tenant, viewerId } = schedule
  return enqueue(parts, kind, input, {
    viewer: { id: viewerId, tenant, scopes: [] },
    scheduleId: id,
    afterEnd: unfinished,
    idempotencyKey: key,
  })
}

/** What came of one occurrence. WAITS: it must be tried again, so the schedule stays where it is. */
type Outcome = { readonly job: Job } | { readonly problem: string; readonly waits?: true }

async function runDue(parts: Parts, client: Queryable, seen: DueSchedule): Promise<number> {
  const { rows } = await client.query<DueSchedule & { now: Date }>(
    `SELECT *, clock_timestamp() AS now FROM inkling."JobSchedule" WHERE id = $1 AND "nextAt" = $2 AND NOT "isPaused" FOR UPDATE SKIP LOCKED`,
    [seen.id, seen.nextAt],
  )
  const schedule = rows[0]
  if (!schedule) return 0 // another process was first
  const { runs, nextAt, problem: unreadable } = tryPlan(parts, schedule, schedule.now)
  let [next, problem, last]: [Date | null, string | null, Job | null] = [nextAt, unreadable, null]
  let count = 0
  for (const run of runs) {
    const outcome = await runOccurrence(parts, client, schedule, run)
    if ('job' in outcome) {
      last = outcome.job
      count += 1
      continue
    }
    problem = outcome.problem
    if (!outcome.waits) continue
    next = run.at
    break
  }
  if (problem) parts.log.warn({ event: 'schedule started no job', scheduleId: schedule.id, problem })
  await client.query(
    `UPDATE inkling."JobSchedule" SET "nextAt" = $2, problem = $3, "lastJobId" = coalesce($4, "lastJobId"),
       "lastAt" = CASE WHEN $4::uuid IS NULL THEN "lastAt" ELSE clock_timestamp() END WHERE id = $1`,
    [schedule.id, next, problem, last?.id ?? null],
  )
  return count
}

/** A rule that became unreadable, such as one of a time zone that is no more, stops and says why. */
function tryPlan(
  parts: Parts,
  schedule: DueSchedule,
  now: Date,
): ReturnType<typeof planDue> & { problem: string | null } {
  try {
    return { ...planDue(parts.queue, schedule, now), problem: null }
  } catch (error) {
    if (!isInklingError(error)) throw error
    return { runs: [], nextAt: null, problem: error.message }
  }
}

async function runOccurrence(parts: Parts, client: Queryable, schedule: Schedule, run: Occurrence): Promise<Outcome> {
  const at = run.at.toISOString()
  const unfinished = await findUnfinished(client, schedule.id)
  const mayOverlap = schedule.overlap !== 'SKIP' || (run.isMissed && schedule.missed === 'ALL')
  if (unfinished.length > 0 && !mayOverlap)
    return { problem: `The run of ${at} was left out: job ${unfinished[0]} was not over.` }
  if (unfinished.length >= MOST_UNFINISHED)
    return { problem: `The run of ${at} waits: ${unfinished.length} jobs before it are not over.`, waits: true }
  try {
    return { job: await enqueueRun(parts, schedule, unfinished, `${schedule.id}@${at}`) }
  } catch (error) {
    if (!isInklingError(error)) throw error
    if (error.code === 'TOO_MANY_JOBS') return { problem: `The run of ${at} waits: ${error.message}`, waits: true }
    return { problem: `The run of ${at} was left out: ${error.message}` }
  }
}
