import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { cancelWaiting } from './ending.ts'
import type { Job } from './job.ts'
import { FINAL, lockJob, type Parts, sendTicket, unknownJob } from './parts.ts'
import { isFinal } from './states.ts'

/** A missing job and another tenant's answer alike. */
function own(job: Job | undefined, id: string, viewer: Viewer | undefined): Job {
  if (!job || (viewer && job.tenant !== viewer.tenant)) throw unknownJob(id)
  return job
}

/**
 * Asks a job to end. One that waits is CANCELLED at once, one that runs is CANCELLING until its work has stopped; its children follow.
 * Throws JOB_UNKNOWN, and JOB_STATE when it ended otherwise before.
 */
export async function cancelJob(parts: Parts, id: string, viewer?: Viewer, reason?: string): Promise<Job> {
  const why = reason ?? (viewer ? `Cancelled by ${viewer.id}.` : 'Cancelled.')
  const cancelled = await parts.database.transaction(async (client) => {
    const job = own(await lockJob(client, id), id, viewer)
    if (job.state === 'CANCELLED' || job.state === 'CANCELLING') return job
    if (isFinal(job.state))
      throw new InklingError('JOB_STATE', `Job ${id} is ${job.state} already.`, 'Nothing is left to cancel.')
    if (job.state !== 'RUNNING') return cancelWaiting(parts, client, job, why)
    const { rows } = await client.query<Job>(
      `UPDATE inkling."Job" SET state = 'CANCELLING', reason = $2 WHERE id = $1 RETURNING *`,
      [id, why],
    )
    return rows[0]!
  })
  await cancelChildren(parts, id)
  return cancelled
}

/** In transactions of their own: a child that ends locks itself and then its parent, so holding the parent here could deadlock. */
async function cancelChildren(parts: Parts, parentId: string): Promise<void> {
  const { rows } = await parts.database.query<{ id: string }>(
    `SELECT id FROM inkling."Job" WHERE "parentId" = $1 AND state NOT IN ${FINAL}`,
    [parentId],
  )
  for (const { id } of rows) {
    try {
      await cancelJob(parts, id, undefined, `Its parent ${parentId} was cancelled.`)
    } catch (error) {
      if (!(error instanceof InklingError)) throw error // it ended first
    }
  }
}

/**
 * Queues a FAILED or CANCELLED job again; it continues after its last step, with all its attempts before it. A RETRYING one need not wait
 * any longer. Throws JOB_UNKNOWN or JOB_STATE.
 */
export async function retryJob(parts: Parts, id: string, viewer?: Viewer): Promise<Job> {
  return parts.database.transaction(async (client) => {
    const job = own(await lockJob(client, id), id, viewer)
    if (job.state !== 'FAILED' && job.state !== 'CANCELLED' && job.state !== 'RETRYING')
      throw new InklingError(
        'JOB_STATE',
        `Job ${id} is ${job.state}.`,
        'Only a FAILED or CANCELLED job can be retried.',
      )
    if (job.deliveryId) await parts.queue.drop(job.kind, [job.deliveryId])
    const { rows } = await client.query<Job>(
      `UPDATE inkling."Job" SET state = 'QUEUED', reason = $2, failures = 0, "dueAt" = NULL, "endedAt" = NULL WHERE id = $1 RETURNING *`,
      [id, viewer ? `Retried by ${viewer.id}.` : 'Retried.'],
    )
    await sendTicket(parts, client, rows[0]!)
    return rows[0]!
  })
}

export interface RedriveFilter {
  readonly kind?: string | undefined
  readonly viewer?: Viewer | undefined
  readonly limit?: number | undefined
}

/** Retries the FAILED jobs, which are the dead letters, oldest first. Returns how many. */
export async function redrive(parts: Parts, { kind, viewer, limit = 100 }: RedriveFilter): Promise<number> {
  const { rows } = await parts.database.query<{ id: string }>(
    `SELECT id FROM inkling."Job" WHERE state = 'FAILED' AND ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR tenant = $2)
     ORDER BY "endedAt" LIMIT $3`,
    [kind ?? null, viewer?.tenant ?? null, limit],
  )
  let count = 0
  for (const { id } of rows) {
    try {
      await retryJob(parts, id, viewer)
      count += 1
    } catch (error) {
      if (!(error instanceof InklingError)) throw error // somebody else was first
    }
  }
  return count
}
