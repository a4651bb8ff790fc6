import type { Database } from '../../platform/database.ts'
import { DEFAULT_TENANT } from '../../platform/viewer.ts'
import type { KeyValues } from '../define.ts'
import type { FreshScores } from '../stored.ts'
import { readFresh } from './fresh.ts'
import { keyText, keyTexts } from './key.ts'

/** A score as it was stored. */
export interface StoredScore {
  readonly key: KeyValues
  readonly versionId: string
  readonly versionNumber: number
  /** Calibrated, 0..1. */
  readonly probability: number
  /** An interval that holds the probability, 0..1. */
  readonly low: number
  readonly high: number
  /** The moment that it looks from, on the data's clock. */
  readonly asOf: Date
  /** When it was computed, on the wall clock. */
  readonly scoredAt: Date
}

/** Scores of one model by one version, all computed at once. */
export interface ScoreBatch {
  readonly model: string
  readonly version: { readonly id: string; readonly number: number }
  readonly asOf: Date
  readonly scoredAt: Date
  /** No key twice. */
  readonly keys: readonly KeyValues[]
  /** Whose each entity is, shape (keys,); the default tenant's when absent. */
  readonly tenants?: readonly string[]
  /** Shape (keys,), as are low and high. */
  readonly probability: ArrayLike<number>
  readonly low: ArrayLike<number>
  readonly high: ArrayLike<number>
}

export interface ScoreStore extends FreshScores {
  /**
   * The newest score of each key, in the order of the keys; null where none is stored. With `asOf`: the one that was the newest at
   * that moment of the data's clock. One statement.
   */
  latest(model: string, keys: readonly KeyValues[], asOf?: Date): Promise<(StoredScore | null)[]>
  /** Every score of each key whose `asOf` lies between `from` and `to`, both included; oldest first. One statement. */
  history(model: string, keys: readonly KeyValues[], from: Date, to: Date): Promise<StoredScore[][]>
  /** Appends to the history and replaces what is older. One statement; joins the caller's transaction. */
  write(batch: ScoreBatch): Promise<void>
  /** Takes the newest scores of these keys away (the question is no longer about them); the history stays. */
  remove(model: string, keys: readonly KeyValues[]): Promise<number>
  /** Takes away the newest scores (of a tenant) that were computed before a moment of the wall clock. Resolves with their number. */
  removeBefore(model: string, moment: Date, tenant?: string): Promise<number>
  /** Deletes history that looks from before a moment of the data's clock. Resolves with the number of rows. */
  forget(before: Date): Promise<number>
}

const COLUMNS = 's."versionId", s."versionNumber", s.probability, s.low, s.high, s."asOf", s."scoredAt"'

/** Stored scores of every model, in inkling."Score" (the newest) and inkling."ScoreHistory" (all). */
export function createScoreStore(database: Database): ScoreStore {
  type Row = Omit<StoredScore, 'key'> & { readonly place: string }

  return {
    async latest(model, keys, asOf) {
      if (keys.length === 0) return []
      const from = asOf
        ? `JOIN LATERAL (
             SELECT * FROM inkling."ScoreHistory" h WHERE h.model = $1 AND h.key = u.key AND h."asOf" <= $3
             ORDER BY h."asOf" DESC, h."scoredAt" DESC LIMIT 1
           ) s ON true`
        : 'JOIN inkling."Score" s ON s.model = $1 AND s.key = u.key'
      const { rows } = await database.query<Row>(
        `SELECT u.place, ${COLUMNS} FROM unnest($2::text[]) WITH ORDINALITY u(key, place) ${from}`,
        [model, keyTexts(keys), ...(asOf ? [asOf] : [])],
      )
      const found: (StoredScore | null)[] = keys.map(() => null)
      for (const { place, ...score } of rows) found[Number(place) - 1] = { key: keys[Number(place) - 1]!, ...score }
      return found
    },
    fresh: (model, keys, age) => readFresh(database, model, keys, age),
    async history(model, keys, from, to) {
      const found: StoredScore[][] = keys.map(() => [])
      if (keys.length === 0) return found
      const { rows } = await database.query<Row>(
        `SELECT u.place, ${COLUMNS} FROM unnest($2::text[]) WITH ORDINALITY u(key, place)
         JOIN inkling."ScoreHistory" s ON s.model = $1 AND s.key = u.key AND s."asOf" BETWEEN $3 AND $4
         ORDER BY u.place, s."asOf", s."scoredAt"`,
        [model, keyTexts(keys), from, to],
      )
      for (const { place, ...score } of rows)
        found[Number(place) - 1]!.push({ key: keys[Number(place) - 1]!, ...score })
      return found
    },
    async write({ model, version, asOf, scoredAt, keys, tenants, probability, low, high }) {
      if (keys.length === 0) return
      await database.query(
        `WITH scored AS (
           SELECT $1::text AS model, u.key, u.probability, u.low, u.high, u.tenant, $6::uuid AS "versionId", $7::int AS "versionNumber",
                  $8::timestamptz AS "asOf", $9::timestamptz AS "scoredAt"
           FROM unnest($2::text[], $3::float8[], $4::float8[], $5::float8[], $10::text[]) u(key, probability, low, high, tenant)
         ), kept AS (
           INSERT INTO inkling."ScoreHistory" (model, key, "asOf", "scoredAt", probability, low, high, "versionId", "versionNumber", tenant)
           SELECT model, key, "asOf", "scoredAt", probability, low, high, "versionId", "versionNumber", tenant FROM scored
           ON CONFLICT DO NOTHING
         )
         INSERT INTO inkling."Score" AS s (model, key, probability, low, high, "versionId", "versionNumber", "asOf", "scoredAt", tenant)
         SELECT model, key, probability, low, high, "versionId", "versionNumber", "asOf", "scoredAt", tenant FROM scored
         ON CONFLICT (model, key) DO UPDATE SET
           tenant = EXCLUDED.tenant, probability = EXCLUDED.probability, low = EXCLUDED.low, high = EXCLUDED.high, "versionId" = EXCLUDED."versionId",
           "versionNumber" = EXCLUDED."versionNumber", "asOf" = EXCLUDED."asOf", "scoredAt" = EXCLUDED."scoredAt"
         WHERE s."scoredAt" <= EXCLUDED."scoredAt"`,
        [
          model,
          keys.map(keyText),
          Array.from(probability),
          Array.from(low),
          Array.from(high),
          version.id,
          version.number,
          asOf,
          scoredAt,
          tenants ?? keys.map(() => DEFAULT_TENANT),
        ],
      )
    },
    async remove(model, keys) {
      if (keys.length === 0) return 0
      const { rowCount } = await database.query(
        'DELETE FROM inkling."Score" WHERE model = $1 AND key = ANY($2::text[])',
        [model, keys.map(keyText)],
      )
      return rowCount
    },
    async removeBefore(model, moment, tenant) {
      const { rowCount } = await database.query(
        'DELETE FROM inkling."Score" WHERE model = $1 AND "scoredAt" < $2 AND ($3::text IS NULL OR tenant = $3)',
        [model, moment, tenant ?? null],
      )
      return rowCount
    },
    async forget(before) {
      const { rowCount } = await database.query('DELETE FROM inkling."ScoreHistory" WHERE "asOf" < $1', [before])
      return rowCount
    },
  }
}
