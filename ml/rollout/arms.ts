import type { Database } from '../../platform/database.ts'
import type { Experiment } from '../../registry/experiments/experiment.ts'
import { type Arm, CLIP, type ExperimentMetric } from './sequential.ts'

/** The labelled answers of both sides of an experiment so far. */
export type ReadArms = (
  experiment: Pick<Experiment, 'name' | 'baselineId' | 'challengerId' | 'startedAt'>,
  metric: ExperimentMetric,
) => Promise<{ readonly baseline: Arm; readonly challenger: Arm }>

const P = `LEAST(${1 - CLIP}, GREATEST(${CLIP}, "probability"))`
const LOSS: Readonly<Record<ExperimentMetric, string>> = {
  logLoss: `-ln(CASE WHEN "label" > 0 THEN ${P} ELSE 1 - ${P} END)`,
  brier: '("probability" - "label") ^ 2',
  error: '((("probability" >= "threshold")::int <> "label"))::int',
}
const NONE: Arm = { keys: 0, mean: 0, variance: 0 }

/**
 * From the log of served predictions. A key counts once, by the first answer of which the truth became known: keys were drawn to sides, and
 * many answers about one key are not many pieces of evidence.
 */
export function createReadArms(database: Database): ReadArms {
  return async ({ name, baselineId, challengerId, startedAt }, metric) => {
    const { rows } = await database.query<Arm & { versionId: string }>(
      `SELECT "versionId", count(*)::int AS "keys", avg("loss") AS "mean", COALESCE(var_samp("loss"), 0) AS "variance"
       FROM (SELECT DISTINCT ON ("tenant", "key") "versionId", (${LOSS[metric]})::float8 AS "loss"
             FROM "inkling"."Prediction"
             WHERE "model" = $1 AND "servedAt" >= $2 AND "labelledAt" >= $2 AND "label" IS NOT NULL AND "weight" > 0
               AND "source" = 'MODEL' AND "versionId" IN ($3::uuid, $4::uuid)
             ORDER BY "tenant", "key", "labelledAt", "id") first
       GROUP BY "versionId"`,
      [name, startedAt, baselineId, challengerId],
    )
    const armOf = (id: string) => rows.find(({ versionId }) => versionId === id) ?? NONE
    return { baseline: armOf(baselineId), challenger: armOf(challengerId) }
  }
}
