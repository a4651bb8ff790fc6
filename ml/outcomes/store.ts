import type { Database } from '../../platform/database.ts'
import type { KeyValues, Model } from '../define.ts'
import { keyOfText, keyText } from '../scores/key.ts'

/** A label as it stands about one entity at one moment. */
export interface RecordedOutcome {
  readonly tenant: string
  readonly model: string
  readonly key: KeyValues
  /** The moment that it is about, on the data's clock. */
  readonly at: Date
  readonly label: 0 | 1
  /** RECORDED by a viewer, or DERIVED by the model's own labels from the customer's rows. */
  readonly source: 'RECORDED' | 'DERIVED'
  readonly viewerId: string
  /** Whether it counts: 0 beyond a viewer's share. */
  readonly weight: 0 | 1
  /** 1, and one more for each correction. */
  readonly revision: number
  readonly recordedAt: Date
  /** Its place in the order of recording. */
  readonly sequence: string
}

/** A served prediction whose outcome is known. */
export interface LabelledPrediction {
  readonly versionId: string
  readonly key: KeyValues
  readonly probability: number
  readonly label: 0 | 1
  /** The moment that the prediction looked from. */
  readonly at: Date
}

export interface OutcomeStore {
  /** Predictions whose label became known at or after a moment of the wall clock, oldest first; only those that count. */
  outcomesOf(options: {
    readonly model: Pick<Model, 'name' | 'key'>
    readonly since: Date
    readonly tenant?: string
    readonly limit?: number
  }): Promise<LabelledPrediction[]>
  /** Newest first. before: the sequence of the outcome to go on after. */
  list(options: {
    readonly model: Pick<Model, 'name' | 'key'>
    readonly tenant: string
    readonly first: number
    readonly before?: string | undefined
  }): Promise<RecordedOutcome[]>
  /** Every label that an outcome has had, oldest first. */
  revisions(
    outcome: RecordedOutcome,
  ): Promise<Pick<RecordedOutcome, 'label' | 'viewerId' | 'revision' | 'recordedAt'>[]>
  /** How many that count became known at or after a moment of the wall clock. */
  countSince(model: string, since: Date): Promise<number>
}

const MOST_LABELLED = 100_000

/** What became known about entities, in inkling."Outcome"; joined to what was served in inkling."Prediction". */
export function createOutcomeStore(database: Database): OutcomeStore {
  return {
    async outcomesOf({ model, since, tenant, limit = MOST_LABELLED }) {
      const { rows } = await database.query<Omit<LabelledPrediction, 'key'> & { key: string }>(
        `SELECT "versionId", key, probability, label, "asOf" AS at FROM inkling."Prediction"
         WHERE model = $1 AND "labelledAt" >= $2 AND label IS NOT NULL AND weight > 0 AND "versionId" IS NOT NULL
           AND ($3::text IS NULL OR tenant = $3) ORDER BY "labelledAt", id LIMIT $4`,
        [model.name, since, tenant ?? null, limit],
      )
      return rows.map((row) => ({ ...row, key: keyOfText(model.key, row.key) }))
    },
    async list({ model, tenant, first, before }) {
      const { rows } = await database.query<Omit<RecordedOutcome, 'key'> & { key: string }>(
        `SELECT * FROM inkling."Outcome" WHERE tenant = $1 AND model = $2 AND ($3::bigint IS NULL OR sequence < $3)
         ORDER BY sequence DESC LIMIT $4`,
        [tenant, model.name, before ?? null, first],
      )
      return rows.map((row) => ({ ...row, key: keyOfText(model.key, row.key) }))
    },
    async revisions({ tenant, model, key, at }) {
      const { rows } = await database.query<Pick<RecordedOutcome, 'label' | 'viewerId' | 'revision' | 'recordedAt'>>(
        `SELECT label, "viewerId", revision, "recordedAt" FROM inkling."OutcomeRevision"
         WHERE tenant = $1 AND model = $2 AND key = $3 AND at = $4 ORDER BY revision`,
        [tenant, model, keyText(key), at],
      )
      return rows
    },
    async countSince(model, since) {
      const { rows } = await database.query<{ n: number }>(
        'SELECT count(*)::int AS n FROM inkling."Outcome" WHERE model = $1 AND "recordedAt" >= $2 AND weight > 0',
        [model, since],
      )
      return rows[0]!.n
    },
  }
}
