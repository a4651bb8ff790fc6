import type { Queryable } from '../platform/database.ts'
import { crashed, endAttempt } from './ending.ts'
import type { Job } from './job.ts'
import { FINAL, type Parts, sendTicket } from './parts.ts'
import { QUEUE_SCHEMA } from './queue.ts'

const BATCH = 500

/**
 * Ends the attempts whose worker has been silent, so that others take over. mine: jobs that this worker is running, whose heartbeat may
 * only be late. Returns how many.
 */
export async function reapSilent(parts: Parts, silentMs: number, mine: readonly string[]): Promise<number> {
  const { rows } = await parts.database.query<Pick<Job, 'id' | 'attempt' | 'worker'>>(
    `SELECT id, attempt, worker FROM inkling."Job" WHERE state IN ('RUNNING', 'CANCELLING') AND kind = ANY($3::text[])
       AND "heartbeatAt" < clock_timestamp() - $1 * interval '1 ms' AND NOT id = ANY($2::uuid[]) LIMIT ${BATCH}`,
    [silentMs, mine, [...parts.kinds.keys()]],
  )
  return endCrashed(parts, rows, silentMs)
}

/** Ends the attempts of this worker's earlier life, or of everybody where nobody else can be alive. Returns how many. */
export async function reclaimOwn(parts: Parts, worker: string | null): Promise<number> {
  const { rows } = await parts.database.query<Pick<Job, 'id' | 'attempt' | 'worker'>>(
    `SELECT id, attempt, worker FROM inkling."Job" WHERE state IN ('RUNNING', 'CANCELLING') AND ($1::text IS NULL OR worker = $1)`,
    [worker],
  )
  return endCrashed(parts, rows, null)
}

async function endCrashed(
  parts: Parts,
  jobs: readonly Pick<Job, 'id' | 'attempt' | 'worker'>[],
  silentMs: number | null,
): Promise<number> {
  let ended = 0
  for (const job of jobs) {
    const next = await parts.database.transaction(async (client) => {
      if (silentMs !== null && !(await isSilent(client, job.id, silentMs))) return null
      return endAttempt(parts, job, crashed(job.worker))
    })
    if (!next) continue
    ended += 1
    parts.log.warn({ event: 'job taken from silent worker', jobId: job.id, worker: job.worker, state: next.state })
  }
  return ended
}

/** Asked again under the lock: it may have beaten since, or be in another worker's hands. */
async function isSilent(client: Queryable, id: string, silentMs: number): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT 1 FROM inkling."Job" WHERE id = $1 AND "heartbeatAt" < clock_timestamp() - $2 * interval '1 ms' FOR UPDATE SKIP LOCKED`,
    [id, silentMs],
  )
  return rows.length > 0
}

/** Moves jobs whose moment has come from SCHEDULED to QUEUED, and answers which kinds have something to take. */
export async function promoteDue(parts: Parts): Promise<string[]> {
  await parts.database.query(
    `UPDATE inkling."Job" SET state = 'QUEUED' WHERE id IN (
       SELECT id FROM inkling."Job" WHERE state = 'SCHEDULED' AND "dueAt" <= now() ORDER BY "dueAt" LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
  )
  const { rows } = await parts.database.query<{ kind: string }>(
    `SELECT k.kind FROM unnest($1::text[]) AS k(kind) WHERE EXISTS (
       SELECT 1 FROM inkling."Job" j WHERE j.kind = k.kind AND j.state IN ('QUEUED', 'RETRYING') AND (j."dueAt" IS NULL OR j."dueAt" <= now()))`,
    [[...parts.kinds.keys()]],
  )
  return rows.map((row) => row.kind)
}

/** Milliseconds until the next waiting job is due, at most so many: who sleeps no longer starts it on time. */
export async function untilDue(parts: Parts, mostMs: number): Promise<number> {
  const { rows } = await parts.database.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM min("dueAt") - clock_timestamp()) * 1000)::float8 AS ms FROM inkling."Job"
     WHERE state IN ('SCHEDULED', 'QUEUED', 'RETRYING') AND "dueAt" > now() AND "dueAt" < now() + $2 * interval '1 ms' AND kind = ANY($1::text[])`,
    [[...parts.kinds.keys()], mostMs],
  )
  return Math.min(mostMs, Math.max(1, Math.ceil(rows[0]?.ms ?? mostMs)))
}

/** Deletes jobs that ended longer ago than kept, with all that hangs on them, oldest first and a batch at a time. Returns how many. */
export async function forgetOld(parts: Parts, keepDays: number): Promise<number> {
  const { rowCount } = await parts.database.query(
    `DELETE FROM inkling."Job" WHERE id IN (
       SELECT id FROM inkling."Job" WHERE state IN ${FINAL} AND "endedAt" < now() - $1 * interval '1 day' ORDER BY "endedAt" LIMIT ${BATCH})`,
    [keepDays],
  )
  return rowCount
}

/**
 * Gives a new ticket to every waiting job whose ticket the queue no longer holds (it was emptied by hand, or kept it too long) and removes
 * tickets that are no job's any more (they could not be dropped while a claim looked at them). Returns how many jobs were given one.
 */
export async function repairTickets(parts: Parts): Promise<number> {
  return parts.database.transaction(async (client) => {
    const { rows } = await client.query<Job>(
      `SELECT j.* FROM inkling."Job" j WHERE j.state IN ('SCHEDULED', 'QUEUED', 'RETRYING') AND j.kind = ANY($1::text[])
         AND NOT EXISTS (SELECT 1 FROM ${QUEUE_SCHEMA}.job t WHERE t.id = j."deliveryId" AND t.state IN ('created', 'retry'))
       LIMIT ${BATCH} FOR UPDATE OF j SKIP LOCKED`,
      [[...parts.kinds.keys()]],
    )
    for (const job of rows) await sendTicket(parts, client, job)
    await client.query(
      `DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = ANY($1::text[]) AND id IN (
         SELECT t.id FROM ${QUEUE_SCHEMA}.job t WHERE t.name = ANY($1::text[]) AND t.created_on < now() - interval '1 minute'
           AND NOT EXISTS (SELECT 1 FROM inkling."Job" j WHERE j."deliveryId" = t.id) LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
      [[...parts.kinds.keys()]],
    )
    return rows.length
  })
}
