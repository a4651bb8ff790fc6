import type { Queryable } from '../platform/database.ts'
import type { Job, Json } from './job.ts'
import { BOUND, type Parts } from './parts.ts'

export interface Claimed {
  readonly job: Job
  /** The committed steps by name. */
  readonly steps: Readonly<Record<string, Json>>
}

export interface WorkerIdentity {
  readonly name: string
  /** A new one for each life of the worker. */
  readonly incarnation: string
}

/**
 * A ticket claims its job when it is the job's own and the job still waits. The attempt's number is the fencing token. A job that somebody
 * holds, to cancel it perhaps, is not waited for: that somebody may be frozen.
 */
const CLAIM = `
  WITH free AS (
    SELECT id FROM inkling."Job" WHERE "deliveryId" = ANY($1::uuid[]) AND state IN ('QUEUED', 'SCHEDULED', 'RETRYING') FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE inkling."Job" SET state = 'RUNNING', reason = NULL, attempt = attempt + 1, worker = $2, incarnation = $3, "dueAt" = NULL,
      "heartbeatAt" = clock_timestamp(), "startedAt" = coalesce("startedAt", clock_timestamp())
    WHERE id IN (SELECT id FROM free) RETURNING *
  ), opened AS (
    INSERT INTO inkling."JobAttempt" ("jobId", number, worker, "startedAt") SELECT id, attempt, worker, clock_timestamp() FROM claimed
  )
  SELECT to_jsonb(coalesce((SELECT jsonb_object_agg(s.name, s.result) FROM inkling."JobStep" s WHERE s."jobId" = claimed.id), '{}')) AS steps,
    claimed.* FROM claimed ORDER BY priority DESC, rank`

/** Claims up to limit due jobs of a kind, in one transaction with the taking of their tickets. */
export async function claimJobs(parts: Parts, kind: string, limit: number, worker: WorkerIdentity): Promise<Claimed[]> {
  return parts.database.transaction(async (client) => {
    if (!parts.database.embedded) await client.query(`SELECT idle FROM ${BOUND}`)
    const tickets = await parts.queue.take(kind, limit)
    if (tickets.length === 0) return []
    const { rows } = await client.query<Job & { steps: Record<string, Json> }>(CLAIM, [
      tickets,
      worker.name,
      worker.incarnation,
    ])
    const unused = tickets.filter((ticket) => !rows.some((row) => row.deliveryId === ticket))
    if (unused.length > 0) await settleUnused(parts, client, kind, unused)
    return rows.map(({ steps, ...job }) => ({ job, steps }))
  })
}

/** Tickets whose job is held by somebody go back to the queue; those whose job has moved on are no good any more. */
async function settleUnused(parts: Parts, client: Queryable, kind: string, tickets: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ deliveryId: string }>(
    `SELECT "deliveryId" FROM inkling."Job" WHERE "deliveryId" = ANY($1::uuid[]) AND state IN ('QUEUED', 'SCHEDULED', 'RETRYING')`,
    [tickets],
  )
  const held = rows.map((row) => row.deliveryId)
  await parts.queue.giveBack(kind, held)
  await parts.queue.drop(
    kind,
    tickets.filter((ticket) => !held.includes(ticket)),
  )
}
