import DataLoader from 'dataloader'
import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import { withSpan } from '../platform/telemetry.ts'
import { interval } from '../trainer/explainer.ts'
import type { FeatureValue, KeyValues, Model, Pair, SqlClient } from './define.ts'
import { type Reason, reasonsOf } from './explain/reasons.ts'
import { absenceOf, type Outcome, type Prediction, riskLevelOf } from './prediction.ts'
import type { ServedVersion, Serving } from './serving.ts'

/** Pairs read in one statement. */
const MOST_PAIRS = 5000

export interface PredictionLoader {
  /** One outcome per pair; equal pairs are loaded once, whatever the aliases. Never rejects for one row's sake. */
  load(pair: Pair): Promise<Outcome>
  /** Every reason, strongest first; computed only for the predictions that are asked, all in one batch. */
  reasons(prediction: Prediction): Promise<readonly Reason[]>
}

/** The predictions of one model in one request: one feature read and one inference for everything asked in a tick. */
export function createPredictionLoader(options: {
  readonly model: Model
  readonly serving: Serving
  readonly client: SqlClient
  /** Which versions serve. */
  readonly instant: Date
}): PredictionLoader {
  const { model, serving, client, instant } = options

  async function predictAll(pairs: readonly Pair[]): Promise<Outcome[]> {
    try {
      return await predict(model, serving.championAt(model, instant), client, pairs)
    } catch (error) {
      if (!isInklingError(error)) throw error
      return pairs.map(() => absenceOf(error))
    }
  }
  const outcomes = new DataLoader<Pair, Outcome, string>(predictAll, {
    cacheKeyFn: ({ key, asOf }) => `${model.key.map((field) => JSON.stringify(key[field])).join()}@${asOf.getTime()}`,
    maxBatchSize: MOST_PAIRS,
  })
  const reasons = new DataLoader<Prediction, readonly Reason[]>(async (predictions) =>
    withSpan('inkling.explain', { 'inkling.model': model.name, 'inkling.rows': predictions.length }, async () =>
      reasonsOf(predictions),
    ),
  )
  return {
    load: (pair) => outcomes.load(pair),
    reasons: (prediction) => reasons.load(prediction),
  }
}

/** Reads the features of all pairs in one statement and scores the eligible ones in one inference. Throws what no row survives. */
export async function predict(
  model: Model,
  served: ServedVersion,
  client: SqlClient,
  pairs: readonly Pair[],
): Promise<Outcome[]> {
  const attributes = { 'inkling.model': model.name, 'inkling.rows': pairs.length }
  const read = await withSpan('inkling.read', attributes, () => readFeatures(model, client, pairs))
  const eligible = read.flatMap((row, index) => (row.eligible ? [index] : []))
  const { encoder, predictor, explainer, version } = served
  const rows = new Float32Array(eligible.length * encoder.width)
  for (const [at, index] of eligible.entries()) encoder.write(rows, at, read[index]!.values)
  const probabilities = await withSpan('inkling.score', { ...attributes, 'inkling.version': version.number }, () =>
    predictor.score(rows, eligible.length),
  )
  const { low, high } = interval(explainer, probabilities)
  const outcomes: Outcome[] = pairs.map((pair) => notApplicable(model, pair))
  for (const [at, index] of eligible.entries()) {
    const pair = pairs[index]!
    const probability = probabilities[at]!
    outcomes[index] = {
      model,
      version: served,
      key: pair.key,
      asOf: pair.asOf,
      probability,
      low: low[at]!,
      high: high[at]!,
      confidence: 1 - (high[at]! - low[at]!),
      riskLevel: riskLevelOf(probability, model.bands),
      values: read[index]!.values,
      row: rows.subarray(at * encoder.width, (at + 1) * encoder.width),
    }
  }
  return outcomes
}

type FeatureRow = { readonly eligible: boolean; readonly values: readonly FeatureValue[] }

async function readFeatures(model: Model, client: SqlClient, pairs: readonly Pair[]): Promise<readonly FeatureRow[]> {
  try {
    return await model.read(client, pairs)
  } catch (error) {
    if (isInklingError(error)) throw error
    throw new InklingError(
      'FEATURE_READ_FAILED',
      `The features of ${model.name} could not be read.`,
      'Try again; the log has the cause.',
      { cause: new Error(messageOf(error)) },
    )
  }
}

function notApplicable(model: Model, pair: Pair) {
  return {
    code: 'NOT_APPLICABLE' as const,
    message: `"${model.question}" is not a question about ${model.entity} ${describeKey(pair.key)} at that moment.`,
    hint: 'Nothing to do: the model file says whom the question is about (`eligible`).',
  }
}

function describeKey(key: KeyValues): string {
  return Object.values(key).join(' / ')
}
