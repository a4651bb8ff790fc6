import { randomUUID } from 'node:crypto'
import type { Database, Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Job } from './job.ts'
import type { AnyJobKind } from './kind.ts'
import type { Queue } from './queue.ts'

/** What every part of the engine is given. */
export interface Parts {
  readonly database: Database
  readonly queue: Queue
  readonly log: Log
  readonly kinds: ReadonlyMap<string, AnyJobKind>
  /** Unfinished jobs that one tenant may have. */
  readonly quota: number
}

/**
 * A row source that bounds, on a server, how long a transaction may hold its locks while its process says nothing: a frozen process would
 * keep its jobs from everybody else. Joined to the statement that takes the first lock, it costs no round trip.
 */
export const BOUND = `(SELECT set_config('idle_in_transaction_session_timeout', '10000', true)) AS bound(idle)`

export const FINAL = `('SUCCEEDED', 'FAILED', 'CANCELLED')`

/** Throws BAD_USER_INPUT for a kind that this process was not given. */
export function kindOf(parts: Parts, name: string): AnyJobKind {
  const kind = parts.kinds.get(name)
  if (kind) return kind
  throw new InklingError(
    'BAD_USER_INPUT',
    `There is no kind of job called "${name}".`,
    `Use one of: ${[...parts.kinds.keys()].join(', ')}.`,
  )
}

/** Gives a job that waits for its next attempt a new ticket. Part of the caller's transaction. */
export async function sendTicket(parts: Parts, client: Queryable, job: Job): Promise<void> {
  const id = randomUUID()
  const { rows } = await client.query<{ rank: number }>(
    'UPDATE inkling."Job" SET "deliveryId" = $2 WHERE id = $1 RETURNING rank',
    [job.id, id],
  )
  const { kind, priority, dueAt } = job
  await parts.queue.send({ id, jobId: job.id, kind, priority, rank: rows[0]!.rank, dueAt })
}

/** The row, locked until the transaction ends. */
export async function lockJob(client: Queryable, id: string): Promise<Job | undefined> {
  const { rows } = await client.query<Job>(
    `SELECT j.* FROM inkling."Job" j, ${BOUND} WHERE j.id = $1 FOR UPDATE OF j`,
    [id],
  )
  return rows[0]
}

export function unknownJob(id: string): InklingError {
  return new InklingError(
    'JOB_UNKNOWN',
    `There is no job ${id}.`,
    'List the jobs to find its id; old ones are deleted.',
  )
}
