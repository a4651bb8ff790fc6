import type { Queryable } from '../../platform/database.ts'
import { createSketchChanges, dayOf } from '../monitoring/sketches.ts'

/** A label that became known. */
export interface KnownLabel {
  readonly tenant: string
  /** As in Score. */
  readonly key: string
  /** The moment that it is about. */
  readonly at: Date
  readonly label: number
  /** 0: it is kept, and counts for nothing. */
  readonly weight: number
}

interface Labelled {
  readonly tenant: string
  readonly versionId: string | null
  readonly asOf: Date
  readonly probability: number
  readonly threshold: number
  readonly slices: readonly string[]
  readonly label: number
  readonly weight: number
  readonly oldLabel: number | null
  readonly oldWeight: number
}

/**
 * Joins labels to what was served: a label answers the predictions about its key that look from its moment or from up to `withinMs`
 * before it (0: from exactly its moment), unless a nearer outcome did; what rows say
 * (`areRows`) stands over what a viewer recorded, however near. Moves the sketches along. Part of the caller's transaction.
 * Resolves with the number of predictions labelled.
 */
export async function labelPredictions(
  client: Queryable,
  model: string,
  known: readonly KnownLabel[],
  withinMs: number,
  { areRows }: { readonly areRows: boolean },
): Promise<number> {
  if (known.length === 0) return 0
  const { rows } = await client.query<Labelled>(
    `WITH given AS (
       SELECT * FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::smallint[], $6::smallint[]) AS g(tenant, key, at, label, weight)
     ), locked AS (
       SELECT p.id, p.label AS "oldLabel", p.weight AS "oldWeight", g.at, g.label, g.weight
       FROM given g JOIN inkling."Prediction" p ON p.model = $1 AND p.key = g.key AND p.tenant = g.tenant
         AND p."asOf" <= g.at AND p."asOf" >= g.at - $7 * interval '1 ms'
       LEFT JOIN inkling."Outcome" o ON o.tenant = p.tenant AND o.model = p.model AND o.key = p.key AND o.at = p."outcomeAt"
       WHERE CASE WHEN o.source <> $8 THEN $8 = 'DERIVED' ELSE p."outcomeAt" IS NULL OR p."outcomeAt" >= g.at END
       ORDER BY p.id FOR UPDATE OF p
     ), nearest AS (SELECT DISTINCT ON (id) * FROM locked ORDER BY id, at)
     UPDATE inkling."Prediction" p SET label = n.label, weight = n.weight, "outcomeAt" = n.at, "labelledAt" = clock_timestamp()
     FROM nearest n WHERE p.id = n.id
     RETURNING p.tenant, p."versionId", p."asOf", p.probability, p.threshold, p.slices, p.label, p.weight, n."oldLabel", n."oldWeight"`,
    [
      model,
      known.map(({ tenant }) => tenant),
      known.map(({ key }) => key),
      known.map(({ at }) => at.toISOString()),
      known.map(({ label }) => label),
      known.map(({ weight }) => weight),
      withinMs,
      areRows ? 'DERIVED' : 'RECORDED',
    ],
  )
  const changes = createSketchChanges()
  for (const row of rows) {
    const { tenant, versionId, asOf, probability, threshold, slices, label, weight, oldLabel, oldWeight } = row
    for (const slice of ['', ...slices]) {
      const key = { tenant, model, versionId: versionId ?? '', threshold, day: dayOf(asOf), slice }
      if (oldLabel !== null && oldWeight > 0) changes.label(key, probability, oldLabel, -1)
      if (weight > 0) changes.label(key, probability, label, 1)
    }
  }
  await changes.write(client)
  return rows.length
}
