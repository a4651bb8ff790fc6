import type { Database } from '../../platform/database.ts'

/** What a shadow would have answered beside one served version, in one hour. */
export interface ShadowSums {
  readonly model: string
  readonly servedId: string
  readonly shadowId: string
  readonly hour: Date
  rows: number
  /** Rows of the same risk level. */
  agreed: number
  /** Rows whose probabilities lie at least 0.1 apart. */
  disagreed: number
  /** Rows that the shadow could not score. */
  failed: number
  /** Rows that were not compared because too many waited. */
  dropped: number
  /** Sums of shadow - served, of its size and of its square; and the largest size. */
  difference: number
  distance: number
  squares: number
  largest: number
}

const SUMMED = ['rows', 'agreed', 'disagreed', 'failed', 'dropped', 'difference', 'distance', 'squares'] as const
const NAMES = SUMMED.map((name) => `"${name}"`).join(', ')

/** Adds to the sums that this and other processes have stored. */
export async function addComparisons(database: Database, sums: readonly ShadowSums[]): Promise<void> {
  for (const row of sums)
    await database.query(
      `INSERT INTO "inkling"."ShadowComparison" AS s ("model", "servedId", "shadowId", "hour", "largest", ${NAMES})
       VALUES ($1, $2, $3, $4, $5, ${SUMMED.map((_, at) => `$${at + 6}`).join(', ')})
       ON CONFLICT ("model", "servedId", "shadowId", "hour") DO UPDATE SET
         "largest" = GREATEST(s."largest", EXCLUDED."largest"),
         ${SUMMED.map((name) => `"${name}" = s."${name}" + EXCLUDED."${name}"`).join(', ')}`,
      [row.model, row.servedId, row.shadowId, row.hour, row.largest, ...SUMMED.map((name) => row[name])],
    )
}

/** Newest hour first. */
export async function listComparisons(database: Database, model: string, limit: number): Promise<ShadowSums[]> {
  const { rows } = await database.query<ShadowSums>(
    `SELECT "model", "servedId", "shadowId", "hour", "rows"::int, "agreed"::int, "disagreed"::int, "failed"::int, "dropped"::int,
            "difference", "distance", "squares", "largest"
     FROM "inkling"."ShadowComparison" WHERE "model" = $1 ORDER BY "hour" DESC, "servedId", "shadowId" LIMIT $2`,
    [model, limit],
  )
  return rows
}
