import type { Database } from '../platform/database.ts'

export type RunState = 'QUEUED' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED'

/** One attempt that may produce a version. */
export interface Run {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly state: RunState
  readonly jobId: string | null
  readonly versionId: string | null
  readonly report: unknown
  readonly createdBy: string
  readonly createdAt: Date
  readonly endedAt: Date | null
}

export interface Runs {
  /** Writes a queued run, and the job that carries it out; joins the caller's transaction. A run that is there already stays. */
  create(run: { id: string; kind: string; name: string; createdBy: string; jobId?: string }): Promise<Run>
  /** Moves the run on. An ended run stays as it ended, but for one that failed or was cancelled and whose job is retried. */
  mark(id: string, state: RunState, change?: { versionId?: string; report?: unknown }): Promise<void>
  find(id: string): Promise<Run | null>
  /** Newest first. */
  list(kind: string, name: string | null, limit: number): Promise<Run[]>
}

const COLUMNS = '"id", "kind", "name", "state", "jobId", "versionId", "report", "createdBy", "createdAt", "endedAt"'

export function createRuns(database: Database): Runs {
  async function find(id: string): Promise<Run | null> {
    const { rows } = await database.query<Run>(`SELECT ${COLUMNS} FROM "inkling"."Run" WHERE "id"::text = $1`, [id])
    return rows[0] ?? null
  }
  return {
    async create({ id, kind, name, createdBy, jobId }) {
      await database.query(
        `INSERT INTO "inkling"."Run" ("id", "kind", "name", "state", "createdBy", "jobId")
         VALUES ($1, $2, $3, 'QUEUED', $4, $5) ON CONFLICT ("id") DO NOTHING`,
        [id, kind, name, createdBy, jobId ?? null],
      )
      return (await find(id))!
    },
    async mark(id, state, change = {}) {
      await database.query(
        `UPDATE "inkling"."Run" SET "state" = $2::"inkling"."RunState", "versionId" = COALESCE($3::uuid, "versionId"),
                "report" = COALESCE($4::jsonb, "report"),
                "endedAt" = CASE WHEN $2 IN ('SUCCEEDED', 'FAILED', 'CANCELLED') THEN clock_timestamp() END
         WHERE "id" = $1 AND ("endedAt" IS NULL OR ($2 = 'RUNNING' AND "state" <> 'SUCCEEDED'))`,
        [id, state, change.versionId ?? null, change.report === undefined ? null : JSON.stringify(change.report)],
      )
    },
    find,
    async list(kind, name, limit) {
      const { rows } = await database.query<Run>(
        `SELECT ${COLUMNS} FROM "inkling"."Run" WHERE "kind" = $1 AND ($2::text IS NULL OR "name" = $2)
         ORDER BY "createdAt" DESC, "id" LIMIT $3`,
        [kind, name, limit],
      )
      return rows
    },
  }
}
