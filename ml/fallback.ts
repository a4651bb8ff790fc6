import type { ErrorCode } from '../platform/errors.ts'
import type { FeatureRow, Model, Pair } from './define.ts'
import { type Absence, type Answer, type Estimate, isPrediction, type Outcome, riskLevelOf } from './prediction.ts'

/** Failures that something may stand in for. An abstention and a question that does not apply are answers, not failures. */
const failures: ReadonlySet<ErrorCode> = new Set([
  'MODEL_NOT_TRAINED',
  'FEATURE_MISMATCH',
  'FEATURE_READ_FAILED',
  'ARTEFACT_INVALID',
  'INFERENCE_FAILED',
  'INFERENCE_OVERLOADED',
  'UNAVAILABLE',
])

/** What the fallbacks of one pair are made from, fetched only when it comes to that. */
export interface Substitutes {
  stored(pair: Pair): Promise<Estimate | null>
  features(pair: Pair): Promise<FeatureRow | Absence>
}

/** The outcome itself, or the first of the model's declared fallbacks that has an answer; else the outcome's own reason. */
export async function withFallback(
  model: Model,
  pair: Pair,
  outcome: Outcome,
  substitutes: Substitutes,
): Promise<Answer> {
  if (isPrediction(outcome) || !failures.has(outcome.code)) return outcome
  for (const way of model.fallback ?? []) {
    const estimate = way === 'STORED' ? await substitutes.stored(pair) : await ruled(model, pair, substitutes)
    if (estimate) return estimate
  }
  return outcome
}

async function ruled(model: Model, pair: Pair, substitutes: Substitutes): Promise<Estimate | null> {
  const read = await substitutes.features(pair)
  if (!('values' in read) || !model.rule) return null
  if (!read.eligible) return null
  const values = Object.fromEntries(model.features.map(({ name }, index) => [name, read.values[index] ?? null]))
  const probability = model.rule(values)
  if (probability === null || !(probability >= 0 && probability <= 1)) return null
  return {
    model,
    key: pair.key,
    asOf: pair.asOf,
    source: 'RULE',
    probability,
    // A rule of thumb knows nothing of its own error.
    low: 0,
    high: 1,
    confidence: 0,
    riskLevel: riskLevelOf(probability, model.bands),
    versionId: null,
    scoredAt: null,
  }
}
