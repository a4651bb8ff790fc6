import type { Database } from '../../platform/database.ts'
import type { Model, SqlClient } from '../define.ts'
import type { ServedVersion } from '../serving.ts'
import { keyText } from './key.ts'
import { scoreKeys } from './scoring.ts'
import { createScoreStore, type StoredScore } from './store.ts'

export interface RefreshOptions {
  readonly database: Database
  readonly client: SqlClient
  readonly model: Model
  /** Whose scores they are. */
  readonly tenant: string
  readonly served: ServedVersion
  /** The moment to look from, on the data's clock. */
  readonly asOf: Date
  /** Scores computed before this moment of the wall clock, or by another version, are computed again. */
  readonly before: Date
}

/**
 * Scores again what is out of date among these, stores it, and gives all back in their order; null for whom the question is no longer
 * about. One feature read, one inference and one write, or none.
 */
export async function refreshScores<Score extends StoredScore>(
  scores: readonly Score[],
  options: RefreshOptions,
): Promise<(Score | null)[]> {
  const { database, client, model, tenant, served, asOf, before } = options
  const isOutdated = (score: Score) => score.scoredAt < before || score.versionId !== served.version.id
  const outdated = scores.filter(isOutdated)
  if (outdated.length === 0) return [...scores]
  const keys = outdated.map(({ key }) => key)
  const { batch, notApplicable } = await scoreKeys({
    model,
    served,
    client,
    keys,
    tenants: keys.map(() => tenant),
    asOf,
    scoredAt: new Date(),
  })
  const store = createScoreStore(database)
  await database.transaction(async () => {
    await store.write(batch)
    await store.remove(model.name, notApplicable)
  })
  const { id: versionId, number: versionNumber } = served.version
  const places = new Map(batch.keys.map((key, place) => [keyText(key), place]))
  return scores.map((score) => {
    if (!isOutdated(score)) return score
    const place = places.get(keyText(score.key))
    if (place === undefined) return null
    const [probability, low, high] = [batch.probability, batch.low, batch.high].map((values) => values[place]!)
    return { ...score, versionId, versionNumber, asOf, scoredAt: batch.scoredAt, probability, low, high } as Score
  })
}
