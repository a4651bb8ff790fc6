import type { Job, Json } from './job.ts'
import type { Parts } from './parts.ts'
import { QUEUE_SCHEMA } from './queue.ts'

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
 * The best tickets that are due, each with the job it belongs to, in one statement: nothing is held while the worker thinks, and the
 * claim costs one round trip (pg-boss's own fetch needs a transaction around it: five). A ticket or a job that somebody holds, to cancel
 * it perhaps, is passed over: that somebody may be frozen. The attempt's number is the fencing token. `state::text` keeps the planner
 * from reading the whole partial index of waiting jobs.
 */
const CLAIM = `
  WITH next AS (
    SELECT t.id AS ticket, j.id FROM ${QUEUE_SCHEMA}.job t JOIN inkling."Job" j ON j."deliveryId" = t.id
    WHERE t.name = $1 AND t.state < 'active' AND NOT t.blocked AND t.start_after <= now() AND j.state::text IN ('QUEUED', 'SCHEDULED', 'RETRYING')
    ORDER BY t.priority DESC, t.created_on LIMIT $2 FOR UPDATE OF t, j SKIP LOCKED
  ), taken AS (
    DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND id IN (SELECT ticket FROM next)
  ), claimed AS (
    UPDATE inkling."Job" SET state = 'RUNNING', reason = NULL, attempt = attempt + 1, worker = $3, incarnation = $4, "dueAt" = NULL,
      "heartbeatAt" = clock_timestamp(), "startedAt" = coalesce("startedAt", clock_timestamp())
    WHERE id IN (SELECT id FROM next) RETURNING *
  ), opened AS (
    INSERT INTO inkling."JobAttempt" ("jobId", number, worker, "startedAt") SELECT id, attempt, worker, clock_timestamp() FROM claimed
  )
  SELECT to_jsonb(coalesce((SELECT jsonb_object_agg(s.name, s.result) FROM inkling."JobStep" s WHERE s."jobId" = claimed.id), '{}')) AS steps,
    claimed.* FROM claimed ORDER BY priority DESC, rank`

/** Claims up to limit due jobs of a kind, best first, and takes their tickets. Not for use inside a transaction. */
export async function claimJobs(
  { database }: Parts,
  kind: string,
  limit: number,
  worker: WorkerIdentity,
): Promise<Claimed[]> {
  // Planned once per connection: planning takes a quarter of it.
  const values = [kind, limit, worker.name, worker.incarnation]
  const { rows } = await database.pool.query<Job & { steps: Record<string, Json> }>({
    name: 'inkling claim',
    text: CLAIM,
    values,
  })
  return rows.map(({ steps, ...job }) => ({ job, steps }))
}
