import { interval } from '../trainer/explainer.ts'
import { abstentionOf } from './abstention.ts'
import type { FeatureRow, KeyValues, Model, Pair } from './define.ts'
import { type Absence, type Outcome, riskLevelOf } from './prediction.ts'
import type { ServedVersion } from './served-version.ts'

/** Scores rows of float32, shape (n, width), to probabilities, shape (n,). */
export type ScoreRows = (rows: Float32Array, n: number) => Promise<Float32Array>

/** One outcome per pair: the eligible rows encoded into one array, scored in one inference, each within its interval. */
export async function outcomesOf(
  model: Model,
  served: ServedVersion,
  pairs: readonly Pair[],
  read: readonly FeatureRow[],
  score: ScoreRows,
): Promise<Outcome[]> {
  const eligible = read.flatMap((row, index) => (row.eligible ? [index] : []))
  const { encoder, explainer, version } = served
  const rows = new Float32Array(eligible.length * encoder.width)
  for (const [at, index] of eligible.entries()) encoder.write(rows, at, read[index]!.values)
  const probabilities = await score(rows, eligible.length)
  const { low, high } = interval(explainer, probabilities)
  const outcomes: Outcome[] = []
  served.coverage.asked += eligible.length
  for (const [at, index] of eligible.entries()) {
    const { key, asOf } = pairs[index]!
    const probability = probabilities[at]!
    const row = rows.subarray(at * encoder.width, (at + 1) * encoder.width)
    const abstention = abstentionOf(model, row, low[at]!, high[at]!)
    if (abstention) {
      outcomes[index] = abstention
      continue
    }
    served.coverage.answered++
    outcomes[index] = {
      model,
      key,
      asOf,
      source: 'MODEL',
      probability,
      low: low[at]!,
      high: high[at]!,
      confidence: 1 - (high[at]! - low[at]!),
      riskLevel: riskLevelOf(probability, model.bands),
      versionId: version.id,
      scoredAt: null,
      version: served,
      values: read[index]!.values,
      row,
    }
  }
  for (const [index, pair] of pairs.entries()) outcomes[index] ??= notApplicable(model, pair)
  return outcomes
}

function notApplicable(model: Model, pair: Pair): Absence {
  return {
    code: 'NOT_APPLICABLE',
    message: `"${model.question}" is not a question about ${model.entity} ${describeKey(pair.key)} at that moment.`,
    hint: 'Nothing to do: the model file says whom the question is about (`eligible`).',
  }
}

export function describeKey(key: KeyValues): string {
  return Object.values(key).join(' / ')
}
