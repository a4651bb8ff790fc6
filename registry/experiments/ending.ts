import type { Queryable } from '../../platform/database.ts'
import type { ExperimentEnd } from './experiment.ts'

/** Ends the experiment of a thing that runs, if one does, and says which. Only inside the lock of the thing's aliases. */
export async function endRunning(
  client: Queryable,
  kind: string,
  name: string,
  { endedBy, outcome, reason }: ExperimentEnd,
): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    `UPDATE "inkling"."Experiment" SET "endedAt" = clock_timestamp(), "endedBy" = $3, "outcome" = $4, "reason" = $5
     WHERE "kind" = $1 AND "name" = $2 AND "endedAt" IS NULL RETURNING "id"`,
    [kind, name, endedBy, outcome, reason],
  )
  return rows[0]?.id ?? null
}
