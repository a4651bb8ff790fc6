import { type Batching, MOST_PAIRS } from './batching.ts'
import type { KeyValues, Model, SqlClient } from './define.ts'
import { outcomesOf } from './outcomes.ts'
import { isPrediction, type Prediction } from './prediction.ts'
import type { ServedVersion } from './served-version.ts'
import { tenantsOf } from './tenants.ts'

/** One entity as two versions see it. */
export interface Dispute {
  readonly first: Prediction
  readonly second: Prediction
  /** |first - second|. */
  readonly difference: number
}

export interface Disagreement {
  /** Entities that both versions answered for. */
  readonly compared: number
  /** Whether that was everybody that the question is about. */
  readonly isComplete: boolean
  readonly meanDifference: number
  /** The largest differences, largest first; equal ones in the order of the keys. */
  readonly disputes: readonly Dispute[]
}

/** Compares two versions over the entities that the question is about, page by page, from one feature read each. */
export async function findDisagreement(options: {
  readonly model: Model
  readonly client: SqlClient
  /** Whose entities; everybody's when absent. */
  readonly tenant?: string
  readonly batching: Batching
  readonly versions: readonly [ServedVersion, ServedVersion]
  readonly asOf: Date
  /** Disputes to keep. */
  readonly first: number
  /** Entities to look at, at most. */
  readonly among: number
  readonly signal?: AbortSignal | undefined
}): Promise<Disagreement> {
  const { model, client, tenant, batching, versions, asOf, first, among, signal } = options
  let disputes: Dispute[] = []
  let compared = 0
  let sum = 0
  let seen = 0
  let after: KeyValues | undefined
  let isComplete = false
  while (seen < among && !isComplete && model.candidates) {
    signal?.throwIfAborted()
    const limit = Math.min(MOST_PAIRS, among - seen)
    const found = await model.candidates(client, {
      asOf,
      limit,
      ...(after ? { after } : {}),
      ...(tenant === undefined ? {} : { tenant }),
    })
    isComplete = found.length < limit
    if (found.length === 0) break
    after = found.at(-1)!
    seen += found.length
    const owners = tenant === undefined ? [] : await tenantsOf(model, client, found)
    const keys = model.tenants && tenant !== undefined ? found.filter((_, index) => owners[index] === tenant) : found
    const slots = keys.map((key, index) => ({ id: String(index), key, asOf }))
    const read = await batching.read(model, slots)
    const [ones, others] = await Promise.all(
      versions.map((served) =>
        outcomesOf(model, served, slots, read, (rows, n) => batching.score(model, served, rows, n)),
      ),
    )
    for (const [index, one] of ones!.entries()) {
      const other = others![index]!
      if (!isPrediction(one) || !isPrediction(other)) continue
      const difference = Math.abs(one.probability - other.probability)
      compared++
      sum += difference
      disputes.push({ first: one, second: other, difference })
    }
    disputes = disputes.sort((a, b) => b.difference - a.difference).slice(0, first)
  }
  return { compared, isComplete, meanDifference: compared > 0 ? sum / compared : 0, disputes }
}
