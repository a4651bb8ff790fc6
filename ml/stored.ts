import type { KeyValues, Model, Pair } from './define.ts'
import { type Absence, type Estimate, riskLevelOf } from './prediction.ts'

/** A score as it was stored; what an estimate needs of it. */
export interface PastScore {
  readonly versionId: string
  readonly probability: number
  readonly low: number
  readonly high: number
  /** The moment that it looks from, on the data's clock. */
  readonly asOf: Date
  /** When it was computed. */
  readonly scoredAt: Date
}

/** Where stored scores are found; `ml/scores` keeps them. */
export interface PastScores {
  /** The newest score of each key (with `asOf`: the newest at that moment), null where none is stored. */
  latest(model: string, keys: readonly KeyValues[], asOf?: Date): Promise<readonly (PastScore | null)[]>
  /** Every score of each key that looks from between two moments, oldest first. */
  history(model: string, keys: readonly KeyValues[], from: Date, to: Date): Promise<readonly (readonly PastScore[])[]>
}

/** Which stored scores are young enough: computed since a moment of the wall clock, looking from a range of the data's. */
export interface Age {
  readonly scoredSince: Date
  readonly asOfFrom: Date
  readonly asOfTo: Date
  /** Only those that were stored as this tenant's. */
  readonly tenant?: string
}

/** Where scores are found that may stand for a computation. */
export interface FreshScores {
  /** The newest score of each key that is young enough and whose entity has no noted change since; null for every other key. */
  fresh(model: Model, keys: readonly KeyValues[], age: Age): Promise<readonly (PastScore | null)[]>
}

export function estimateOf(model: Model, key: KeyValues, score: PastScore): Estimate {
  const { probability, low, high, asOf, scoredAt, versionId } = score
  return {
    model,
    key,
    asOf,
    source: 'STORED',
    probability,
    low,
    high,
    confidence: 1 - (high - low),
    riskLevel: riskLevelOf(probability, model.bands),
    versionId,
    scoredAt,
  }
}

export function notStored(model: Model, asOf: Date): Absence {
  return {
    code: 'NOT_STORED',
    message: `No score of ${model.name} was stored for this entity by ${asOf.toISOString()}.`,
    hint: 'Leave `asServed` out to compute it, or store scores regularly.',
  }
}

/** Asks once per moment among the pairs and puts the answers back in their order. */
export async function byMoment<T>(
  asked: readonly Pair[],
  ask: (keys: KeyValues[], asOf: Date) => Promise<readonly T[]>,
): Promise<T[]> {
  const moments = Map.groupBy(
    asked.map((pair, index) => ({ pair, index })),
    ({ pair }) => pair.asOf.getTime(),
  )
  const answers: T[] = []
  for (const [time, group] of moments) {
    const found = await ask(
      group.map(({ pair }) => pair.key),
      new Date(time),
    )
    for (const [at, { index }] of group.entries()) answers[index] = found[at]!
  }
  return answers
}
