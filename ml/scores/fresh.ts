import type { Database } from '../../platform/database.ts'
import type { KeyValues, Model } from '../define.ts'
import type { Age } from '../stored.ts'
import { changedOf, type Note, SOME_NOTES } from './changes.ts'
import { keyTexts } from './key.ts'
import type { StoredScore } from './store.ts'

/**
 * Scores that have all but their numbers in common: those of one page of one scoring. A thousand scores are a handful of rows of these,
 * each with its scores packed into bytes, where a row for each would cost more to parse than everything else that is done with them.
 */
interface Packed extends Pick<StoredScore, 'versionId' | 'versionNumber' | 'asOf' | 'scoredAt'> {
  /** Places among the keys, from 1: 4 bytes each. */
  readonly places: Buffer
  /** Probability, low and high: 8 bytes each. */
  readonly numbers: Buffer
}

/** The row of the notes: there is none where nothing changed. */
interface Noted {
  readonly places: null
  readonly count: number
  readonly notes: readonly Note[]
}

// The notes and the scores are of one snapshot: a note is gone only where the score that it was about is replaced.
const SQL = `
SELECT s."versionId", s."versionNumber", s."asOf", s."scoredAt", string_agg(int4send(u.place::int), '') AS places,
  string_agg(float8send(s.probability) || float8send(s.low) || float8send(s.high), '') AS numbers, NULL::int AS count, NULL::json AS notes
FROM unnest($2::text[]) WITH ORDINALITY u(key, place)
JOIN inkling."Score" s ON s.model = $1 AND s.key = u.key AND s."scoredAt" >= $3 AND s."asOf" BETWEEN $4 AND $5
  AND ($6::text IS NULL OR s.tenant = $6)
GROUP BY s."versionId", s."versionNumber", s."asOf", s."scoredAt"
UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, n.count, n.notes FROM (${SOME_NOTES}) n WHERE n.count > 0`

/** The newest score of each key that is young enough, of an entity without noted changes; null for every other key. One statement. */
export async function readFresh(
  database: Database,
  model: Model,
  keys: readonly KeyValues[],
  { scoredSince, asOfFrom, asOfTo, tenant }: Age,
): Promise<(StoredScore | null)[]> {
  const found: (StoredScore | null)[] = new Array(keys.length).fill(null)
  if (keys.length === 0) return found
  const { rows } = await database.query<Packed | Noted>(SQL, [
    model.name,
    keyTexts(keys),
    scoredSince,
    asOfFrom,
    asOfTo,
    tenant ?? null,
  ])
  let hasChanged: ((key: KeyValues) => boolean) | null = null
  for (const row of rows) if (row.places === null) hasChanged = changedOf(row.count, row.notes)
  for (const row of rows) {
    if (row.places === null) continue
    const { versionId, versionNumber, asOf, scoredAt, places, numbers } = row
    for (let at = 0; at * 4 < places.length; at++) {
      const place = places.readInt32BE(at * 4) - 1
      const key = keys[place]!
      if (hasChanged?.(key)) continue
      const probability = numbers.readDoubleBE(at * 24)
      const low = numbers.readDoubleBE(at * 24 + 8)
      const high = numbers.readDoubleBE(at * 24 + 16)
      found[place] = { key, versionId, versionNumber, probability, low, high, asOf, scoredAt }
    }
  }
  return found
}
