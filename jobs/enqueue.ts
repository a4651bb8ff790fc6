import { randomUUID } from 'node:crypto'
import type { Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { type Job, toJsonText } from './job.ts'
import { parseInput } from './kind.ts'
import { BOUND, FINAL, kindOf, type Parts } from './parts.ts'
import { isFinal, type JobState } from './states.ts'

export interface EnqueueOptions {
  readonly viewer: Viewer
  /** The same key of the same tenant and kind gives the job that is already there. */
  readonly idempotencyKey?: string | undefined
  /** -100..100, higher first. */
  readonly priority?: number | undefined
  readonly startAfter?: Date | undefined
  readonly parentId?: string | undefined
  readonly scheduleId?: string | undefined
  readonly tags?: readonly string[] | undefined
  /** Jobs that must succeed first; when one does not, this job is cancelled. */
  readonly after?: readonly string[] | undefined
  /** Jobs that must be over first, however they end. */
  readonly afterEnd?: readonly string[] | undefined
}

/**
 * Writes a job and its ticket in one transaction, the caller's where there is one. The input is kept as it was given.
 * Throws BAD_USER_INPUT, JOB_UNKNOWN or JOB_STATE (a bad `after`), TOO_MANY_JOBS.
 */
export async function enqueue(parts: Parts, kindName: string, input: unknown, options: EnqueueOptions): Promise<Job> {
  const kind = kindOf(parts, kindName)
  parseInput(kind, input)
  const text = JSON.stringify(input ?? null)
  if (
    text !== toJsonText(input) ||
    options.idempotencyKey?.includes('\0') ||
    options.tags?.some((tag) => tag.includes('\0'))
  )
    throw new InklingError('BAD_USER_INPUT', 'The input holds NUL or half a character.', 'Send well-formed text.')
  const priority = options.priority ?? 0
  if (!Number.isInteger(priority) || Math.abs(priority) > 100)
    throw new InklingError(
      'BAD_USER_INPUT',
      `The priority ${priority} is refused.`,
      'Use a whole number from -100 to 100.',
    )
  return parts.database.transaction(async (client) => {
    const known = await findByKey(client, kindName, options)
    if (known) return known
    // Rows before the tenant: a parent that makes a child holds its own row when it comes to the tenant.
    const awaited = await lockAwaited(client, options.after ?? [])
    const open = (await lockUnfinished(client, options.afterEnd ?? [])).filter((id) => !awaited.includes(id))
    await checkQuota(parts, client, options.viewer)
    const isBlocked = awaited.length + open.length > 0
    const job = await insertJob(client, kindName, text, priority, kind.retry.attempts, isBlocked, options)
    if (!job) return (await findByKey(client, kindName, options))! // another transaction was first
    if (isBlocked)
      await client.query(
        `INSERT INTO inkling."JobDependency" ("jobId", "onId", "anyEnd")
         SELECT $1, id, id = ANY($3::uuid[]) FROM unnest($2::uuid[] || $3::uuid[]) AS id`,
        [job.id, awaited, open],
      )
    const { id: jobId, rank, dueAt, deliveryId } = job
    if (deliveryId) await parts.queue.send({ id: deliveryId, jobId, kind: kindName, priority, rank, dueAt })
    return job
  })
}

async function findByKey(client: Queryable, kind: string, { viewer, idempotencyKey }: EnqueueOptions) {
  if (idempotencyKey === undefined) return undefined
  const { rows } = await client.query<Job>(
    'SELECT * FROM inkling."Job" WHERE tenant = $1 AND kind = $2 AND "idempotencyKey" = $3',
    [viewer.tenant, kind, idempotencyKey],
  )
  return rows[0]
}

/** Transactions do not see each other's new jobs, so those of one tenant wait for each other; a statement of its own, to see what came before. */
async function checkQuota(parts: Parts, client: Queryable, viewer: Viewer): Promise<void> {
  await client.query(
    `SELECT pg_advisory_xact_lock(hashtextextended('inkling jobs of ' || $1, 0)), idle FROM ${BOUND}`,
    [viewer.tenant],
  )
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM inkling."Job" WHERE tenant = $1 AND state NOT IN ${FINAL} LIMIT $2) j`,
    [viewer.tenant, parts.quota],
  )
  if (rows[0]!.count >= parts.quota)
    throw new InklingError(
      'TOO_MANY_JOBS',
      `You have ${parts.quota} unfinished jobs, which is the most allowed.`,
      'Wait until some have ended, or cancel some.',
    )
}

/** The jobs that still have to end. Share-locked, so that none ends between this look and the commit. */
async function lockAwaited(client: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const { rows } = await client.query<{ id: string; state: JobState }>(
    'SELECT id, state FROM inkling."Job" WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE',
    [ids],
  )
  const missing = ids.find((id) => !rows.some((row) => row.id === id))
  if (missing) throw new InklingError('JOB_UNKNOWN', `There is no job ${missing} to wait for.`, 'Enqueue it first.')
  const lost = rows.find((row) => row.state === 'FAILED' || row.state === 'CANCELLED')
  if (lost)
    throw new InklingError(
      'JOB_STATE',
      `Job ${lost.id} is ${lost.state}: waiting for it is in vain.`,
      'Retry it first.',
    )
  return rows.filter((row) => !isFinal(row.state)).map((row) => row.id)
}

/** Those of the jobs that are not over. Share-locked like the above; one that is gone is over. */
async function lockUnfinished(client: Queryable, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return []
  const { rows } = await client.query<{ id: string; state: JobState }>(
    'SELECT id, state FROM inkling."Job" WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE',
    [ids],
  )
  return rows.filter((row) => !isFinal(row.state)).map((row) => row.id)
}

/**
 * Turns between tenants are start-time fair queueing: a job's rank is the turn being served, or one after its tenant's last waiting
 * job. A tenant with ten thousand jobs waiting delays another's first job by at most the jobs of one turn.
 */
const INSERT_JOB = `
  INSERT INTO inkling."Job" (id, kind, tenant, "viewerId", state, input, priority, "maxAttempts", "idempotencyKey", "parentId",
    "scheduleId", tags, "deliveryId", "dueAt", rank)
  SELECT $1, $2, $3, $4, (CASE WHEN $12 THEN 'BLOCKED' WHEN $13::timestamptz > now() THEN 'SCHEDULED' ELSE 'QUEUED' END)::inkling."JobState",
    $5::jsonb, $6, $7, $8, $9, $10, $11::text[], CASE WHEN $12 THEN NULL ELSE $14::uuid END, $13::timestamptz,
    greatest(
      coalesce((SELECT min(rank) FROM inkling."Job" WHERE kind = $2 AND state IN ('QUEUED', 'RETRYING')), 0),
      coalesce((SELECT max(rank) + 1 FROM inkling."Job" WHERE kind = $2 AND tenant = $3 AND state IN ('QUEUED', 'RETRYING')), 0))
  ON CONFLICT (tenant, kind, "idempotencyKey") DO NOTHING
  RETURNING *`

async function insertJob(
  client: Queryable,
  kind: string,
  input: string,
  priority: number,
  attempts: number,
  isBlocked: boolean,
  options: EnqueueOptions,
): Promise<(Job & { rank: number }) | undefined> {
  const { viewer, idempotencyKey = null, parentId = null, scheduleId = null, tags = [], startAfter = null } = options
  const { rows } = await client.query<Job & { rank: number }>(INSERT_JOB, [
    randomUUID(),
    kind,
    viewer.tenant,
    viewer.id,
    input,
    priority,
    attempts,
    idempotencyKey,
    parentId,
    scheduleId,
    tags,
    isBlocked,
    startAfter,
    randomUUID(),
  ])
  return rows[0]
}
