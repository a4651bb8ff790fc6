import type { Database, Queryable } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import { hasScope, type Viewer } from '../../platform/viewer.ts'
import type { KeyValues, Model } from '../define.ts'
import { keyOfText, keyText } from '../scores/key.ts'
import { labelPredictions } from './labelling.ts'
import type { RecordedOutcome } from './store.ts'

/** What one viewer may say about one model. Whoever may train models is trusted: such a viewer decides what is learned anyway. */
export interface OutcomeCaps {
  /** Outcomes that a viewer may record in an hour. */
  readonly perHour: number
  /** Of those of the last day, how many count. */
  readonly weighedPerDay: number
}

export const defaultCaps: OutcomeCaps = { perHour: 1000, weighedPerDay: 100 }

export interface OutcomeRequest {
  readonly model: Model
  readonly key: KeyValues
  readonly at: Date
  readonly label: boolean
  readonly viewer: Viewer
  /** On the data's clock: nothing is known of what is still to come. */
  readonly now: Date
}

export interface RecordedAnswer {
  readonly outcome: RecordedOutcome
  /** Whether the same was recorded before. */
  readonly isRepeated: boolean
  /** Served predictions that it answers. */
  readonly predictions: number
}

/** An outcome answers predictions that look from up to so long before it, where the model file says nothing. */
export const WITHIN_MS = 30 * 86_400_000

export const withinOf = (model: Model) => (model.outcomes ? model.outcomes.withinDays * 86_400_000 : WITHIN_MS)

/**
 * Records what became of an entity; the same again changes nothing, another label is a correction. One transaction: once it answers,
 * nothing is lost. Throws BAD_USER_INPUT, RATE_LIMITED, and OUTCOME_DERIVED where the customer's own rows say otherwise.
 */
export function recordOutcome(
  database: Database,
  request: OutcomeRequest,
  caps: OutcomeCaps = defaultCaps,
): Promise<RecordedAnswer> {
  const { model, at, viewer, now } = request
  const key = checkedKey(model, request.key)
  const label = request.label ? 1 : 0
  if (at > now)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${at.toISOString()} is still to come: it is ${now.toISOString()}.`,
      'Record an outcome once it is known.',
    )
  return database.transaction(async (client) => {
    const { tenant } = viewer
    const [found] = await findOutcome(client, tenant, model, key, at)
    if (found?.label === label) return { outcome: found, isRepeated: true, predictions: 0 }
    if (found?.source === 'DERIVED') throw derived(model, found)
    const weight = await weigh(client, request, caps)
    const outcome = await writeOutcome(client, { tenant, model, key, at, label, weight, viewerId: viewer.id })
    // Another process recorded the same in between.
    if (!outcome) {
      const [first] = await findOutcome(client, tenant, model, key, at)
      if (first?.label !== label) throw derived(model, first!)
      return { outcome: first, isRepeated: true, predictions: 0 }
    }
    const known = { tenant, key, at, label, weight }
    return {
      outcome,
      isRepeated: false,
      predictions: await labelPredictions(client, model.name, [known], withinOf(model), { areRows: false }),
    }
  })
}

/** The key's text. Throws BAD_USER_INPUT unless it has the model's fields and no others. */
function checkedKey(model: Model, key: KeyValues): string {
  const given = Object.keys(key)
  const isKey = given.length === model.key.length && model.key.every((field) => Object.hasOwn(key, field))
  if (isKey && given.every((field) => String(key[field]).length <= LONGEST_VALUE)) return keyText(key)
  throw new InklingError(
    'BAD_USER_INPUT',
    `A key of ${model.entity} has other fields, or a value is longer than ${LONGEST_VALUE} characters.`,
    `A key of ${model.entity} has the fields ${model.key.join(', ')}.`,
  )
}

const LONGEST_VALUE = 200

async function findOutcome(
  client: Queryable,
  tenant: string,
  model: Model,
  key: string,
  at: Date,
): Promise<RecordedOutcome[]> {
  const { rows } = await client.query<Omit<RecordedOutcome, 'key'> & { key: string }>(
    'SELECT * FROM inkling."Outcome" WHERE tenant = $1 AND model = $2 AND key = $3 AND at = $4 FOR UPDATE',
    [tenant, model.name, key, at],
  )
  return rows.map((row) => ({ ...row, key: keyOfText(model.key, row.key) }))
}

/** Counts what is said; the counter's row is the lock behind which the share is looked at. What is refused is not counted. */
async function weigh(client: Queryable, { model, viewer }: OutcomeRequest, caps: OutcomeCaps): Promise<0 | 1> {
  const counter = [viewer.tenant, model.name, viewer.id]
  const { rows: counted } = await client.query<{ said: number }>(
    `INSERT INTO inkling."OutcomeCount" AS c (tenant, model, "viewerId", hour, said, weighed)
     VALUES ($1, $2, $3, date_trunc('hour', now()), 1, 0)
     ON CONFLICT (tenant, model, "viewerId", hour) DO UPDATE SET said = c.said + 1 RETURNING said`,
    counter,
  )
  if (hasScope(viewer, 'models:train')) return 1
  if (counted[0]!.said > caps.perHour)
    throw new InklingError(
      'RATE_LIMITED',
      `${viewer.id} has recorded ${caps.perHour} outcomes of ${model.name} within the hour.`,
      'Record more in the next hour, or with the scope models:train.',
    )
  const { rowCount } = await client.query(
    `UPDATE inkling."OutcomeCount" SET weighed = weighed + 1
     WHERE tenant = $1 AND model = $2 AND "viewerId" = $3 AND hour = date_trunc('hour', now())
       AND $4 > (SELECT sum(d.weighed) FROM inkling."OutcomeCount" d
         WHERE d.tenant = $1 AND d.model = $2 AND d."viewerId" = $3 AND d.hour > now() - interval '1 day')`,
    [...counter, caps.weighedPerDay],
  )
  return rowCount > 0 ? 1 : 0
}

interface NewOutcome {
  readonly tenant: string
  readonly model: Model
  readonly key: string
  readonly at: Date
  readonly label: number
  readonly weight: number
  readonly viewerId: string
}

/** Null where the same label, or one that came from the customer's rows, is there already. */
async function writeOutcome(client: Queryable, given: NewOutcome): Promise<RecordedOutcome | null> {
  const { tenant, model, key, at, label, weight, viewerId } = given
  const { rows } = await client.query<Omit<RecordedOutcome, 'key'> & { key: string }>(
    `WITH written AS (
       INSERT INTO inkling."Outcome" AS o (tenant, model, key, at, label, source, "viewerId", weight)
       VALUES ($1, $2, $3, $4, $5, 'RECORDED', $6, $7)
       ON CONFLICT (tenant, model, key, at) DO UPDATE SET label = EXCLUDED.label, "viewerId" = EXCLUDED."viewerId",
         weight = EXCLUDED.weight, revision = o.revision + 1, "recordedAt" = clock_timestamp()
       WHERE o.label <> EXCLUDED.label AND o.source = 'RECORDED' RETURNING *)
     SELECT * FROM written`,
    [tenant, model.name, key, at, label, viewerId, weight],
  )
  const row = rows[0]
  if (!row) return null
  await client.query(
    `INSERT INTO inkling."OutcomeRevision" (tenant, model, key, at, revision, label, source, "viewerId", weight, "recordedAt")
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [tenant, model.name, key, at, row.revision, label, row.source, viewerId, weight, row.recordedAt],
  )
  return { ...row, key: keyOfText(model.key, row.key) }
}

function derived(model: Model, { at, label }: RecordedOutcome): InklingError {
  return new InklingError(
    'OUTCOME_DERIVED',
    `The rows themselves say ${label === 1 ? 'yes' : 'no'} to "${model.question}" at ${at.toISOString()}.`,
    'Correct the rows that the model file reads its labels from.',
  )
}
