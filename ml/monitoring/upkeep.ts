import type { Queryable } from '../../platform/database.ts'

/** Sums and resolved alerts are small, and charts of a year are wished for. */
const SKETCH_DAYS = 800
const BATCH = 10_000

/** Deletes what is old, a batch at a time, so that no statement holds its locks for long. keepDays: of single predictions. */
export async function forgetOldObservations(database: Queryable, keepDays: number): Promise<void> {
  for (;;) {
    const { rowCount } = await database.query(
      `DELETE FROM inkling."Prediction" WHERE id IN (
         SELECT id FROM inkling."Prediction" WHERE "servedAt" < now() - $1 * interval '1 day' ORDER BY "servedAt" LIMIT ${BATCH})`,
      [keepDays],
    )
    if (rowCount < BATCH) break
  }
  for (const table of ['PredictionSketch', 'FeatureSketch'])
    await database.query(`DELETE FROM inkling."${table}" WHERE day < now() - $1 * interval '1 day'`, [SKETCH_DAYS])
  await database.query(`DELETE FROM inkling."OutcomeCount" WHERE hour < now() - interval '2 days'`)
  await database.query(`DELETE FROM inkling."ForgottenKey" WHERE "forgottenAt" < now() - interval '1 hour'`)
  await database.query(
    `DELETE FROM inkling."Alert" WHERE state = 'RESOLVED' AND "resolvedAt" < now() - $1 * interval '1 day'`,
    [SKETCH_DAYS],
  )
}
