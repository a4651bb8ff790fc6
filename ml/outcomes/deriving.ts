import type { Database } from '../../platform/database.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import { keyOfText, keyText } from '../scores/key.ts'
import { type KnownLabel, labelPredictions } from './labelling.ts'
import { withinOf } from './recording.ts'

const PAGE = 1000

export interface Derivation {
  readonly database: Database
  /** Reads labels: the customer's own client. */
  readonly client: SqlClient
  readonly model: Model
  /** On the data's clock. */
  readonly now: Date
  readonly signal?: AbortSignal | undefined
}

/**
 * Labels what was served from the customer's own rows, once the label's window is over. Rows are the truth: what a viewer recorded about
 * the same moment gives way. May be repeated, also after a crash in the middle. Resolves with the number of predictions labelled.
 */
export function deriveOutcomes(derivation: Derivation): Promise<number> {
  return derivation.model.labelsAt ? deriveExactly(derivation) : deriveFromLabels(derivation)
}

interface Due {
  readonly id: string
  readonly tenant: string
  readonly key: string
  readonly asOf: Date
}

/** Predictions that no outcome of their own moment answers yet. */
const UNDERIVED = `inkling."Prediction" p WHERE p.model = $1 AND p."outcomeAt" IS DISTINCT FROM p."asOf"`
/** Predictions that a viewer's outcome of their own moment answers: it gives way. */
const RECORDED = `inkling."Outcome" o
  JOIN inkling."Prediction" p ON p.model = o.model AND p.key = o.key AND p.tenant = o.tenant AND p."asOf" = o.at AND p."outcomeAt" = o.at
  WHERE o.model = $1 AND o.source = 'RECORDED'`

/** A model of the kit can tell the label of any pair: each prediction gets that of its own moment. */
async function deriveExactly(derivation: Derivation): Promise<number> {
  return (await deriveDue(derivation, UNDERIVED)) + (await deriveDue(derivation, RECORDED))
}

async function deriveDue({ database, client, model, now, signal }: Derivation, due: string): Promise<number> {
  const until = new Date(now.getTime() - (model.labelWindowMs ?? 0))
  let after: Due | undefined
  let labelled = 0
  for (;;) {
    signal?.throwIfAborted()
    const { rows } = await database.query<Due>(
      `SELECT p.id, p.tenant, p.key, p."asOf" FROM ${due} AND p."asOf" <= $2
         AND ($3::timestamptz IS NULL OR (p."asOf", p.id) > ($3::timestamptz, $4::bigint)) ORDER BY p."asOf", p.id LIMIT ${PAGE}`,
      [model.name, until, after?.asOf ?? null, after?.id ?? null],
    )
    if (rows.length === 0) return labelled
    after = rows.at(-1)!
    const labels = await model.labelsAt!(
      client,
      rows.map(({ key, asOf }) => ({ key: keyOfText(model.key, key), asOf })),
    )
    const known = rows.flatMap(({ tenant, key, asOf }, index): KnownLabel[] => {
      const label = labels[index]!
      return label === null ? [] : [{ tenant, key, at: asOf, label, weight: 1 }]
    })
    labelled += await keep(database, model, known, 0)
  }
}

/** Nothing is known of it, or only what a viewer recorded. */
const UNANSWERED = `(p.label IS NULL OR EXISTS (SELECT FROM inkling."Outcome" o WHERE o.tenant = p.tenant AND o.model = p.model
  AND o.key = p.key AND o.at = p."outcomeAt" AND o.source = 'RECORDED'))`

/** Own SQL gives labels of moments of its own: each answers the predictions shortly before it. */
async function deriveFromLabels({ database, client, model, now, signal }: Derivation): Promise<number> {
  const { rows } = await database.query<{ from: Date | null }>(
    `SELECT min(p."asOf") AS "from" FROM inkling."Prediction" p WHERE p.model = $1 AND ${UNANSWERED}`,
    [model.name],
  )
  const from = rows[0]?.from
  if (!from) return 0
  const within = withinOf(model)
  let labelled = 0
  for await (const page of model.labels(client, { now, from, pageSize: PAGE, ...(signal ? { signal } : {}) })) {
    signal?.throwIfAborted()
    labelled += await keep(database, model, await servedAmong(database, model, page, within), within)
  }
  return labelled
}

/** Of a page of labels those that answer something served: the others are no outcome of any prediction. */
async function servedAmong(
  database: Database,
  model: Model,
  page: readonly { readonly key: KeyValues; readonly asOf: Date; readonly label: number }[],
  within: number,
): Promise<KnownLabel[]> {
  const { rows } = await database.query<{ tenant: string; place: string }>(
    `SELECT DISTINCT p.tenant, g.place FROM unnest($2::text[], $3::timestamptz[]) WITH ORDINALITY AS g(key, at, place)
     JOIN inkling."Prediction" p ON p.model = $1 AND p.key = g.key AND ${UNANSWERED}
       AND p."asOf" <= g.at AND p."asOf" >= g.at - $4 * interval '1 ms'`,
    [model.name, page.map(({ key }) => keyText(key)), page.map(({ asOf }) => asOf.toISOString()), within],
  )
  return rows.map(({ tenant, place }) => {
    const { key, asOf, label } = page[Number(place) - 1]!
    return { tenant, key: keyText(key), at: asOf, label: label > 0 ? 1 : 0, weight: 1 }
  })
}

/** Writes outcomes, their revisions, and the labels that they give, in one transaction. */
async function keep(database: Database, model: Model, known: readonly KnownLabel[], within: number): Promise<number> {
  if (known.length === 0) return 0
  const once = [...new Map(known.map((one) => [`${one.tenant} ${one.key} ${one.at.getTime()}`, one])).values()]
  const sorted = once.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.at.getTime() - b.at.getTime()))
  return database.transaction(async (client) => {
    await client.query(
      `WITH written AS (
         INSERT INTO inkling."Outcome" AS o (tenant, model, key, at, label, source, "viewerId", weight)
         SELECT g.tenant, $1, g.key, g.at, g.label, 'DERIVED', 'labels', 1
         FROM unnest($2::text[], $3::text[], $4::timestamptz[], $5::smallint[]) AS g(tenant, key, at, label)
         ON CONFLICT (tenant, model, key, at) DO UPDATE SET label = EXCLUDED.label, source = 'DERIVED', "viewerId" = 'labels', weight = 1,
           revision = o.revision + 1, "recordedAt" = clock_timestamp()
         WHERE o.label <> EXCLUDED.label OR o.source <> 'DERIVED'
         RETURNING *)
       INSERT INTO inkling."OutcomeRevision" (tenant, model, key, at, revision, label, source, "viewerId", weight, "recordedAt")
       SELECT tenant, model, key, at, revision, label, source, "viewerId", weight, "recordedAt" FROM written`,
      [
        model.name,
        sorted.map(({ tenant }) => tenant),
        sorted.map(({ key }) => key),
        sorted.map(({ at }) => at.toISOString()),
        sorted.map(({ label }) => label),
      ],
    )
    return labelPredictions(client, model.name, sorted, within, { areRows: true })
  })
}
