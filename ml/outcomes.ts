import { interval } from '../trainer/explainer.ts'
import { abstentionOf } from './abstention.ts'
import type { FeatureRow, FeatureValue, KeyValues, Model, Pair } from './define.ts'
import { type Absence, type Outcome, type Prediction, type RiskLevel, riskLevelOf } from './prediction.ts'
import type { ServedVersion } from './served-version.ts'

interface Numbers {
  readonly values: readonly FeatureValue[]
  readonly rows: Float32Array
  readonly at: number
  readonly probability: number
  readonly low: number
  readonly high: number
}

/** One of many that were scored together. Its row is cut out of theirs when it is asked for, which is seldom. */
class Scored implements Prediction {
  readonly model: Model
  readonly key: KeyValues
  readonly asOf: Date
  readonly source = 'MODEL'
  readonly probability: number
  readonly low: number
  readonly high: number
  readonly confidence: number
  readonly riskLevel: RiskLevel
  readonly versionId: string
  readonly scoredAt = null
  readonly version: ServedVersion
  readonly values: readonly FeatureValue[]
  readonly #rows: Float32Array
  readonly #at: number

  constructor(model: Model, { key, asOf }: Pair, version: ServedVersion, numbers: Numbers) {
    const { probability, low, high, values, rows, at } = numbers
    this.model = model
    this.key = key
    this.asOf = asOf
    this.probability = probability
    this.low = low
    this.high = high
    this.confidence = 1 - (high - low)
    this.riskLevel = riskLevelOf(probability, model.bands)
    this.versionId = version.version.id
    this.version = version
    this.values = values
    this.#rows = rows
    this.#at = at
  }

  get row(): Float32Array {
    const { width } = this.version.encoder
    return this.#rows.subarray(this.#at * width, (this.#at + 1) * width)
  }
}

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
  const { encoder, explainer } = served
  const { width } = encoder
  const eligible: number[] = []
  for (let index = 0; index < read.length; index++) if (read[index]!.eligible) eligible.push(index)
  const rows = new Float32Array(eligible.length * width)
  for (let at = 0; at < eligible.length; at++) encoder.write(rows, at, read[eligible[at]!]!.values)
  const probabilities = await score(rows, eligible.length)
  const { low, high } = interval(explainer, probabilities)
  const outcomes: Outcome[] = []
  let answered = 0
  for (let at = 0, index = 0; index < pairs.length; index++) {
    if (index !== eligible[at]) {
      outcomes.push(notApplicable(model, pairs[index]!))
      continue
    }
    const scored = new Scored(model, pairs[index]!, served, {
      values: read[index]!.values,
      rows,
      at,
      probability: probabilities[at]!,
      low: low[at]!,
      high: high[at]!,
    })
    at++
    const abstention = model.abstain ? abstentionOf(model, scored.row, scored.low, scored.high) : null
    if (!abstention) answered++
    outcomes.push(abstention ?? scored)
  }
  served.coverage.asked += eligible.length
  served.coverage.answered += answered
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
