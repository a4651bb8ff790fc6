import type { Database, Queryable } from '../../platform/database.ts'

/** A scoring that ran to its end. */
export interface Scoring {
  readonly jobId: string
  readonly model: string
  readonly versionId: string
  readonly versionNumber: number
  /** The moment that its scores look from, on the data's clock. */
  readonly asOf: Date
  readonly startedAt: Date
  readonly completedAt: Date
  /** Every entity that the question is about, rather than some. */
  readonly isWhole: boolean
  readonly scored: number
  /** Whom the question was not about, or about whom the model abstained. */
  readonly notApplicable: number
  /** Whose entities were scored; null: everybody's. */
  readonly tenant: string | null
}

export async function recordScoring(client: Queryable, scoring: Omit<Scoring, 'completedAt'>): Promise<void> {
  const { jobId, model, versionId, versionNumber, asOf, startedAt, isWhole, scored, notApplicable, tenant } = scoring
  await client.query(
    `INSERT INTO inkling."Scoring" ("jobId", model, "versionId", "versionNumber", "asOf", "startedAt", "completedAt", "isWhole", scored,
       "notApplicable", tenant) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
    [jobId, model, versionId, versionNumber, asOf, startedAt, isWhole, scored, notApplicable, tenant],
  )
}

/** The newest scoring of everybody's entities, or of at least those of a tenant; null before the first. */
export async function newestScoring(database: Database, model: string, tenant?: string): Promise<Scoring | null> {
  const { rows } = await database.query<Scoring>(
    `SELECT * FROM inkling."Scoring" WHERE model = $1 AND "isWhole" AND (tenant IS NULL OR tenant = $2)
     ORDER BY "completedAt" DESC LIMIT 1`,
    [model, tenant ?? null],
  )
  return rows[0] ?? null
}
