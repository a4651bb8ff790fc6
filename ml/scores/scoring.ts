import { withSpan } from '../../platform/telemetry.ts'
import { interval } from '../../trainer/explainer.ts'
import { abstentionOf } from '../abstention.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import type { ServedVersion } from '../serving.ts'
import type { ScoreBatch } from './store.ts'

export interface ScoredPage {
  readonly batch: ScoreBatch
  /** Those whom the question is not about at that moment, or about whom the model abstains: nothing is stored. */
  readonly notApplicable: readonly KeyValues[]
}

export interface ScoringTask {
  readonly model: Model
  readonly served: ServedVersion
  readonly client: SqlClient
  readonly keys: readonly KeyValues[]
  /** Whose each entity is, shape (keys,): where its score is stored. */
  readonly tenants: readonly string[]
  readonly asOf: Date
  /** What is stored as the moment of the computation, on the wall clock. */
  readonly scoredAt: Date
}

/**
 * Scores entities at one moment: one feature read, one inference, and no object per row. Rejects with FEATURE_READ_FAILED or
 * INFERENCE_FAILED.
 */
export async function scoreKeys(task: ScoringTask): Promise<ScoredPage> {
  const { model, served, client, keys, tenants, asOf, scoredAt } = task
  const { encoder, predictor, explainer, version } = served
  const attributes = { 'inkling.model': model.name, 'inkling.rows': keys.length, 'inkling.version': version.number }
  const pairs = keys.map((key) => ({ key, asOf }))
  const read = await withSpan('inkling.read', attributes, () => model.read(client, pairs))
  const scored: KeyValues[] = []
  const owners: string[] = []
  const notApplicable: KeyValues[] = []
  const rows = new Float32Array(keys.length * encoder.width)
  for (const [index, { eligible, values }] of read.entries()) {
    if (eligible) {
      owners.push(tenants[index]!)
      encoder.write(rows, scored.push(keys[index]!) - 1, values)
    } else notApplicable.push(keys[index]!)
  }
  const probability = await withSpan('inkling.score', attributes, () =>
    predictor.score(rows.subarray(0, scored.length * encoder.width), scored.length),
  )
  const { low, high } = interval(explainer, probability)
  const batch = { model: model.name, version, asOf, scoredAt, keys: scored, tenants: owners, probability, low, high }
  if (!model.abstain) return { batch, notApplicable }
  const kept: number[] = []
  for (const [at, key] of scored.entries()) {
    const row = rows.subarray(at * encoder.width, (at + 1) * encoder.width)
    if (abstentionOf(model, row, low[at]!, high[at]!)) notApplicable.push(key)
    else kept.push(at)
  }
  const keep = (values: ArrayLike<number>) => kept.map((at) => values[at]!)
  const answered = {
    keys: kept.map((at) => scored[at]!),
    tenants: kept.map((at) => owners[at]!),
    probability: keep(probability),
    low: keep(low),
    high: keep(high),
  }
  return { batch: { ...batch, ...answered }, notApplicable }
}
