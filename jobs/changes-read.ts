import type { Queryable } from '../platform/database.ts'
import type { Viewer } from '../platform/viewer.ts'
import { type EventKey, type Position, unknownCursor } from './changes-position.ts'
import type { Job } from './job.ts'
import { conditionsOf, type JobFilter } from './list.ts'

/** An event with the row of its job. */
export interface ChangeRow {
  readonly job: Job
  readonly key: EventKey
  readonly type: string
  readonly data: Readonly<Record<string, unknown>>
}

/** What was said between moves and is not progress belongs to the events of one job, not to a list. */
const LISTED = `e.type NOT IN ('LOG', 'STEP', 'ARTIFACT')`

/** What is committed now. */
export async function takeSnapshot(client: Queryable): Promise<string> {
  const { rows } = await client.query<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot')
  return rows[0]!.snapshot
}

/**
 * Up to `limit` changes that `to` shows and `seen` does not, after the last one given. Within the difference they go by time; events of one
 * job keep their order even where the clock went back. Throws BAD_USER_INPUT for a snapshot that is not of this database.
 */
export async function readChanges(
  client: Queryable,
  { seen, within }: Position,
  to: string,
  limit: number,
): Promise<ChangeRow[]> {
  try {
    const { rows } = await client.query<
      Job & { type: string; data: Record<string, unknown>; sequence: number; orderAt: Date }
    >(
      `WITH fresh AS MATERIALIZED (
         SELECT e.*, max(e.at) OVER (PARTITION BY e."jobId" ORDER BY e.sequence) AS "orderAt" FROM inkling."JobEvent" e
         WHERE e.transaction >= pg_snapshot_xmin($1::pg_snapshot)::text::bigint AND ${LISTED}
           AND NOT pg_visible_in_snapshot(e.transaction::text::xid8, $1::pg_snapshot)
           AND pg_visible_in_snapshot(e.transaction::text::xid8, $2::pg_snapshot)
       )
       SELECT j.*, f.type, f.data, f.sequence, f."orderAt" FROM fresh f JOIN inkling."Job" j ON j.id = f."jobId"
       WHERE $3::timestamptz IS NULL OR (f."orderAt", f."jobId", f.sequence) > ($3::timestamptz, $4::uuid, $5::int)
       ORDER BY f."orderAt", f."jobId", f.sequence LIMIT $6`,
      [seen, to, within?.at ?? null, within?.jobId ?? null, within?.sequence ?? null, limit],
    )
    return rows.map(({ type, data, sequence, orderAt, ...job }) => ({
      job,
      key: { at: orderAt.toISOString(), jobId: job.id, sequence },
      type,
      data,
    }))
  } catch (error) {
    if ((error as { code?: string }).code === '22P02') throw unknownCursor() // looks like a snapshot and is none
    throw error
  }
}

/** The newest jobs of a filter, and the snapshot that shows exactly them: one statement. */
export async function listWithSnapshot(
  client: Queryable,
  filter: JobFilter,
  viewer: Viewer | undefined,
  first: number,
): Promise<{ snapshot: string; jobs: Job[] }> {
  const values: unknown[] = []
  const conditions = conditionsOf(filter, viewer, values)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const { rows } = await client.query<Job & { snapshot: string }>(
    `SELECT s.snapshot, l.* FROM (SELECT pg_current_snapshot()::text AS snapshot) s LEFT JOIN LATERAL (
       SELECT j.* FROM inkling."Job" j ${where} ORDER BY j."createdAt" DESC, j.id DESC LIMIT $${values.push(first)}
     ) l ON true ORDER BY l."createdAt" DESC, l.id DESC`,
    values,
  )
  const jobs = rows.flatMap(({ snapshot: _snapshot, ...job }) => (job.id === null ? [] : [job]))
  return { snapshot: rows[0]!.snapshot, jobs }
}
