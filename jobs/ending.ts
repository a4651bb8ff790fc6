import type { Queryable } from '../platform/database.ts'
import { messageOf } from '../platform/errors.ts'
import { type Job, type JobError, type Json, toJsonText } from './job.ts'
import { BOUND, FINAL, type Parts, sendTicket } from './parts.ts'
import { isFinal, type JobOutcome, type JobState } from './states.ts'

/** How an attempt ended. */
export type Ending =
  | { readonly outcome: 'SUCCEEDED'; readonly result: Json | undefined }
  | {
      readonly outcome: 'FAILED' | 'TIMED_OUT' | 'CRASHED'
      readonly error: JobError
      /** False: trying again would end the same way. */
      readonly isRetryable: boolean
    }
  | { readonly outcome: 'CANCELLED' }
  | { readonly outcome: 'RELEASED'; readonly reason: string }
  | { readonly outcome: 'SUSPENDED'; readonly childIds: readonly string[] }

const END_ATTEMPT = `UPDATE inkling."JobAttempt" SET "endedAt" = clock_timestamp(), outcome = $3::inkling."JobOutcome", error = $4::jsonb
  WHERE "jobId" = $1 AND number = $2 AND "endedAt" IS NULL`

const END_JOB = `
  UPDATE inkling."Job" SET state = $2::inkling."JobState", reason = $3, error = $4::jsonb, result = $5::jsonb, failures = $6,
    "dueAt" = clock_timestamp() + $7 * interval '1 ms', "endedAt" = CASE WHEN $8 THEN clock_timestamp() END,
    "deliveryId" = NULL, incarnation = NULL, "heartbeatAt" = NULL
  WHERE id = $1 RETURNING *`

/**
 * Ends an attempt and moves its job on, all in one transaction: state, attempt, ticket, event, whoever waits, and the kind's own `ended`.
 * Answers null, and writes nothing, when the attempt is no longer the current one.
 */
export async function endAttempt(
  parts: Parts,
  { id, attempt }: Pick<Job, 'id' | 'attempt'>,
  ending: Ending,
): Promise<Job | null> {
  return parts.database.transaction(async (client) => {
    const { rows } = await client.query<Job>(
      `SELECT j.* FROM inkling."Job" j, ${BOUND}
       WHERE j.id = $1 AND j.attempt = $2 AND j.state IN ('RUNNING', 'CANCELLING') FOR UPDATE OF j`,
      [id, attempt],
    )
    const job = rows[0]
    if (!job) return null
    return moveOn(parts, client, job, ending)
  })
}

async function moveOn(parts: Parts, client: Queryable, job: Job, ending: Ending): Promise<Job> {
  const waitsFor = ending.outcome === 'SUSPENDED' ? await addDependencies(client, job.id, ending.childIds) : 0
  const { state, outcome } = nextOf(job, ending, waitsFor)
  const error = 'error' in ending ? ending.error : null
  const isFailure = outcome === 'FAILED' || outcome === 'CRASHED' || outcome === 'TIMED_OUT'
  const failures = job.failures + (isFailure ? 1 : 0)
  await client.query(END_ATTEMPT, [job.id, job.attempt, outcome, jsonOf(error)])
  const { rows } = await client.query<Job>(END_JOB, [
    job.id,
    state,
    reasonOf(job, ending, state),
    jsonOf(state === 'SUCCEEDED' ? null : (error ?? job.error)),
    ending.outcome === 'SUCCEEDED' ? jsonOf(ending.result ?? null) : null,
    failures,
    state === 'RETRYING' ? backoffMs(parts, job.kind, failures) : null,
    isFinal(state),
  ])
  const moved = rows[0]!
  if (state === 'RETRYING' || state === 'QUEUED') await sendTicket(parts, client, moved)
  if (isFinal(state)) await finish(parts, client, moved)
  return moved
}

function nextOf(job: Job, ending: Ending, waitsFor: number): { state: JobState; outcome: JobOutcome } {
  if (ending.outcome === 'SUCCEEDED') return { state: 'SUCCEEDED', outcome: 'SUCCEEDED' }
  if (job.state === 'CANCELLING') return { state: 'CANCELLED', outcome: 'CANCELLED' }
  switch (ending.outcome) {
    case 'RELEASED':
      return { state: 'QUEUED', outcome: 'RELEASED' }
    case 'SUSPENDED':
      return { state: waitsFor > 0 ? 'BLOCKED' : 'QUEUED', outcome: 'SUSPENDED' }
    case 'CANCELLED': // nobody asked for it: the work called itself cancelled
      return { state: 'FAILED', outcome: 'FAILED' }
    default: {
      const isLast = !ending.isRetryable || job.failures + 1 >= job.maxAttempts
      return { state: isLast ? 'FAILED' : 'RETRYING', outcome: ending.outcome }
    }
  }
}

function reasonOf(job: Job, ending: Ending, state: JobState): string | null {
  if (state === 'CANCELLED') return job.reason
  if (ending.outcome === 'RELEASED') return ending.reason
  if (ending.outcome === 'SUSPENDED') return 'It waits for its children.'
  if ('error' in ending) return ending.error.message
  return null
}

/** Doubles with each failure; half of it is chance, so that many that failed together do not return together. */
function backoffMs(parts: Parts, kind: string, failures: number): number {
  const { delayMs, maxDelayMs } = parts.kinds.get(kind)?.retry ?? { delayMs: 1000, maxDelayMs: 60_000 }
  return Math.min(maxDelayMs, delayMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2)
}

/** Children that are still to end are waited for. Share-locked: none can end unseen before this commits. */
async function addDependencies(client: Queryable, jobId: string, childIds: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ id: string; state: JobState }>(
    'SELECT id, state FROM inkling."Job" WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE',
    [childIds],
  )
  const open = rows.filter((row) => !isFinal(row.state))
  for (const { id } of open)
    await client.query('INSERT INTO inkling."JobDependency" ("jobId", "onId", "anyEnd") VALUES ($1, $2, true)', [
      jobId,
      id,
    ])
  return open.length
}

/** What follows from a job being over. Part of the transaction that ends it. */
export async function finish(parts: Parts, client: Queryable, job: Job): Promise<void> {
  await tellKind(parts, client, job)
  await wakeWaiters(parts, client, job)
}

/** A kind whose `ended` fails must not keep its job from ending: what it wrote is undone, and the log says so. */
async function tellKind(parts: Parts, client: Queryable, job: Job): Promise<void> {
  const kind = parts.kinds.get(job.kind)
  if (!kind?.ended) return
  await client.query('SAVEPOINT ended')
  try {
    await kind.ended(job, client)
  } catch (error) {
    await client.query('ROLLBACK TO SAVEPOINT ended')
    parts.log.error({ event: 'end of job not followed', jobId: job.id, kind: job.kind, error: messageOf(error) })
  }
  await client.query('RELEASE SAVEPOINT ended')
}

async function wakeWaiters(parts: Parts, client: Queryable, ended: Job): Promise<void> {
  // Locked first: of two awaited jobs that end at once, the second then sees that the first is gone.
  const { rows: waiters } = await client.query<Job & { anyEnd: boolean }>(
    `SELECT j.*, d."anyEnd" FROM inkling."JobDependency" d JOIN inkling."Job" j ON j.id = d."jobId"
     WHERE d."onId" = $1 AND j.state = 'BLOCKED' ORDER BY j.id FOR UPDATE OF j`,
    [ended.id],
  )
  for (const waiter of waiters) {
    await client.query('DELETE FROM inkling."JobDependency" WHERE "jobId" = $1 AND "onId" = $2', [waiter.id, ended.id])
    if (ended.state !== 'SUCCEEDED' && !waiter.anyEnd) {
      await cancelWaiting(parts, client, waiter, `It waited for job ${ended.id}, which ended ${ended.state}.`)
      continue
    }
    const { rows } = await client.query('SELECT 1 FROM inkling."JobDependency" WHERE "jobId" = $1 LIMIT 1', [waiter.id])
    if (rows.length > 0) continue
    const { rows: queued } = await client.query<Job>(
      `UPDATE inkling."Job" SET state = 'QUEUED', reason = NULL WHERE id = $1 RETURNING *`,
      [waiter.id],
    )
    await sendTicket(parts, client, queued[0]!)
  }
}

/** Ends a job that no attempt is running. The caller holds its lock. */
export async function cancelWaiting(parts: Parts, client: Queryable, job: Job, reason: string): Promise<Job> {
  const { rows } = await client.query<Job>(
    `UPDATE inkling."Job" SET state = 'CANCELLED', reason = $2, "endedAt" = clock_timestamp(), "dueAt" = NULL, "deliveryId" = NULL
     WHERE id = $1 AND state NOT IN ${FINAL} RETURNING *`,
    [job.id, reason],
  )
  const cancelled = rows[0]
  if (!cancelled) return job
  if (job.deliveryId) await parts.queue.drop(job.kind, [job.deliveryId])
  await finish(parts, client, cancelled)
  return cancelled
}

function jsonOf(value: Json | JobError): string | null {
  return value === null ? null : toJsonText(value)
}

/** A crash seen from outside: the worker no longer says that it lives. */
export function crashed(worker: string | null): Ending {
  const error = {
    code: 'UNAVAILABLE',
    message: `Worker ${worker ?? 'unknown'} went silent.`,
    hint: 'The next attempt continues after the last committed step.',
  }
  return { outcome: 'CRASHED', error, isRetryable: true }
}
