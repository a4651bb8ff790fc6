import { randomUUID } from 'node:crypto'
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
  /** Writes a queued run; joins the caller's transaction. */
  create(run: { kind: string; name: string; createdBy: string }): Promise<Run>
  /** Ties the run to the job that carries it out. */
  attach(id: string, jobId: string): Promise<void>
  /** Moves the run on; an ended run stays as it ended. */
  mark(id: string, state: RunState, change?: { versionId?: string; report?: unknown }): Promise<void>
  find(id: string): Promise<Run | null>
  /** Newest first. */
  list(kind: string, name: string | null, limit: number): Promise<Run[]>
}

const COLUMNS = '"id", "kind", "name", "state", "jobId", "versionId", "report", "createdBy", "createdAt", "endedAt"'

export function createRuns(database: Database): Runs {
  return {
    async create({ kind, name, createdBy }) {
      const { rows } = await database.query<Run>(
        `INSERT INTO "inkling"."Run" ("id", "kind", "name", "state", "createdBy")
         VALUES ($1, $2, $3, 'QUEUED', $4) RETURNING ${COLUMNS}`,
        [randomUUID(), kind, name, createdBy],
      )
      return rows[0]!
    },
    async attach(id, jobId) {
      await database.query('UPDATE "inkling"."Run" SET "jobId" = $2 WHERE "id" = $1', [id, jobId])
    },
    async mark(id, state, change = {}) {
      await database.query(
        `UPDATE "inkling"."Run" SET "state" = $2::"inkling"."RunState", "versionId" = COALESCE($3::uuid, "versionId"),
                "report" = COALESCE($4::jsonb, "report"),
                "endedAt" = CASE WHEN $2 IN ('SUCCEEDED', 'FAILED', 'CANCELLED') THEN clock_timestamp() END
         WHERE "id" = $1 AND "endedAt" IS NULL`,
        [id, state, change.versionId ?? null, change.report === undefined ? null : JSON.stringify(change.report)],
      )
    },
    async find(id) {
      const { rows } = await database.query<Run>(`SELECT ${COLUMNS} FROM "inkling"."Run" WHERE "id"::text = $1`, [id])
      return rows[0] ?? null
    },
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
