import type { Job, Json } from './job.ts'
import type { Parts } from './parts.ts'

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

/** A ticket claims its job when it is the job's own and the job still waits. The attempt's number is the fencing token. */
const CLAIM = `
  WITH claimed AS (
    UPDATE inkling."Job" SET state = 'RUNNING', reason = NULL, attempt = attempt + 1, worker = $2, incarnation = $3, "dueAt" = NULL,
      "heartbeatAt" = clock_timestamp(), "startedAt" = coalesce("startedAt", clock_timestamp())
    WHERE "deliveryId" = ANY($1::uuid[]) AND state IN ('QUEUED', 'SCHEDULED', 'RETRYING')
    RETURNING *
  ), opened AS (
    INSERT INTO inkling."JobAttempt" ("jobId", number, worker, "startedAt") SELECT id, attempt, worker, clock_timestamp() FROM claimed
  )
  SELECT to_jsonb(coalesce((SELECT jsonb_object_agg(s.name, s.result) FROM inkling."JobStep" s WHERE s."jobId" = claimed.id), '{}')) AS steps,
    claimed.* FROM claimed ORDER BY priority DESC, rank`

/** Claims up to limit due jobs of a kind, in one transaction with the taking of their tickets. */
export async function claimJobs(parts: Parts, kind: string, limit: number, worker: WorkerIdentity): Promise<Claimed[]> {
  return parts.database.transaction(async (client) => {
    const tickets = await parts.queue.take(kind, limit)
    if (tickets.length === 0) return []
    const { rows } = await client.query<Job & { steps: Record<string, Json> }>(CLAIM, [
      tickets,
      worker.name,
      worker.incarnation,
    ])
    const stale = tickets.filter((ticket) => !rows.some((row) => row.deliveryId === ticket))
    await parts.queue.drop(kind, stale)
    return rows.map(({ steps, ...job }) => ({ job, steps }))
  })
}
