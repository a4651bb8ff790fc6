import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { JobEvent } from './event.ts'
import type { Job, JobArtifact, JobAttempt } from './job.ts'
import type { LogLevel } from './kind.ts'
import type { JobState } from './states.ts'

export interface JobFilter {
  readonly kinds?: readonly string[] | undefined
  readonly states?: readonly JobState[] | undefined
  readonly tag?: string | undefined
  readonly parentId?: string | undefined
  readonly scheduleId?: string | undefined
  readonly createdSince?: Date | undefined
}

export interface ListOptions extends JobFilter {
  /** Absent: every tenant's jobs. */
  readonly viewer?: Viewer | undefined
  readonly first?: number | undefined
  /** Cursor of the job to continue after, from `cursorOf`. */
  readonly after?: string | undefined
}

export interface JobPage {
  readonly jobs: readonly Job[]
  readonly hasNext: boolean
}

/** Where a list continues after this job or schedule. Opaque. */
export function cursorOf(row: Pick<Job, 'createdAt' | 'id'>): string {
  return Buffer.from(`${row.createdAt.toISOString()}/${row.id}`).toString('base64url')
}

/** Throws BAD_USER_INPUT. */
export function parseCursor(cursor: string): [string, string] {
  const [at, id] = Buffer.from(cursor, 'base64url').toString().split('/')
  if (!at || !id || Number.isNaN(Date.parse(at)) || !isUuid(id))
    throw new InklingError('BAD_USER_INPUT', 'The cursor is refused.', 'Use one that an earlier page gave out.')
  return [at, id]
}

export function isUuid(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text)
}

/** The conditions of a filter on the alias `j`, with their values appended. */
export function conditionsOf(filter: JobFilter, viewer: Viewer | undefined, values: unknown[]): string[] {
  const conditions: string[] = []
  const add = (sql: (name: string) => string, value: unknown) => {
    if (value !== undefined) conditions.push(sql(`$${values.push(value)}`))
  }
  // What PostgreSQL would refuse to compare is nobody's.
  const ids = [filter.parentId, filter.scheduleId].filter((id) => id !== undefined)
  if (ids.some((id) => !isUuid(id))) return ['false']
  add((name) => `j.tenant = ${name}`, viewer?.tenant)
  add((name) => `j.kind = ANY(${name}::text[])`, filter.kinds)
  add((name) => `j.state = ANY(${name}::inkling."JobState"[])`, filter.states)
  add((name) => `${name} = ANY(j.tags)`, filter.tag)
  add((name) => `j."parentId" = ${name}`, filter.parentId)
  add((name) => `j."scheduleId" = ${name}`, filter.scheduleId)
  add((name) => `j."createdAt" >= ${name}`, filter.createdSince)
  return conditions
}

/** Newest first. */
export async function listJobs(database: Database, options: ListOptions): Promise<JobPage> {
  const { viewer, first = 20, after } = options
  const values: unknown[] = []
  const conditions = conditionsOf(options, viewer, values)
  if (after !== undefined) {
    const [at, id] = parseCursor(after)
    conditions.push(`(j."createdAt", j.id) < ($${values.push(at)}::timestamptz, $${values.push(id)}::uuid)`)
  }
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const { rows } = await database.query<Job>(
    `SELECT j.* FROM inkling."Job" j ${where} ORDER BY j."createdAt" DESC, j.id DESC LIMIT $${values.push(first + 1)}`,
    values,
  )
  return { jobs: rows.slice(0, first), hasNext: rows.length > first }
}

/** How many jobs the filter holds; counting stops at 10,000. */
export async function countJobs(database: Database, options: ListOptions): Promise<number> {
  const values: unknown[] = []
  const conditions = conditionsOf(options, options.viewer, values)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM (SELECT 1 FROM inkling."Job" j ${where} LIMIT 10000) j`,
    values,
  )
  return rows[0]!.count
}

/** The jobs of these ids that the viewer may see, in any order. */
export async function findJobs(database: Database, ids: readonly string[], viewer?: Viewer): Promise<Job[]> {
  const { rows } = await database.query<Job>(
    'SELECT * FROM inkling."Job" WHERE id = ANY($1::uuid[]) AND ($2::text IS NULL OR tenant = $2)',
    [ids.filter(isUuid), viewer?.tenant ?? null],
  )
  return rows
}

/** Of many jobs at once, in order of their number. */
export async function listAttempts(database: Database, jobIds: readonly string[]): Promise<JobAttempt[]> {
  const { rows } = await database.query<JobAttempt>(
    'SELECT * FROM inkling."JobAttempt" WHERE "jobId" = ANY($1::uuid[]) ORDER BY "jobId", number',
    [jobIds],
  )
  return rows
}

export async function listArtifacts(database: Database, jobIds: readonly string[]): Promise<JobArtifact[]> {
  const { rows } = await database.query<JobArtifact>(
    `SELECT "jobId", name, "mediaType", length(bytes) AS size, "createdAt" FROM inkling."JobArtifact"
     WHERE "jobId" = ANY($1::uuid[]) ORDER BY "jobId", name`,
    [jobIds],
  )
  return rows
}

/** The bytes of an artifact, or a stretch of them. Throws NOT_FOUND. */
export async function readArtifact(
  database: Database,
  jobId: string,
  name: string,
  stretch?: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const { rows } = await database.query<{ bytes: Buffer }>(
    `SELECT CASE WHEN $3::int IS NULL THEN bytes ELSE substring(bytes FROM $3::int + 1 FOR $4::int) END AS bytes
     FROM inkling."JobArtifact" WHERE "jobId" = $1 AND name = $2`,
    [jobId, name, stretch?.offset ?? null, stretch?.length ?? null],
  )
  if (rows[0]) return rows[0].bytes
  throw new InklingError('NOT_FOUND', `Job ${jobId} has no artifact "${name}".`, 'List its artifacts.')
}

export interface EventPageOptions {
  readonly first?: number | undefined
  readonly after?: number | undefined
  /** Only lines of the log, and of these only the given levels. */
  readonly levels?: readonly LogLevel[] | undefined
}

/** The stored events of one job, oldest first. */
export async function listEvents(
  database: Database,
  jobId: string,
  { first = 100, after = 0, levels }: EventPageOptions,
): Promise<{ events: JobEvent[]; hasNext: boolean }> {
  const { rows } = await database.query<JobEvent>(
    `SELECT "jobId", sequence, at, type, data FROM inkling."JobEvent" WHERE "jobId" = $1 AND sequence > $2
       AND ($3::text[] IS NULL OR (type = 'LOG' AND data ->> 'level' = ANY($3))) ORDER BY sequence LIMIT $4`,
    [jobId, after, levels ?? null, first + 1],
  )
  return { events: rows.slice(0, first), hasNext: rows.length > first }
}
