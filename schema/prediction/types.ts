import type { ModelVersion } from '../../ml/model-version.ts'
import { type Estimate, isPrediction, riskLevels, sources } from '../../ml/prediction.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'
import { shown } from './precision.ts'
import { registerQuality } from './quality-types.ts'
import { registerReasons } from './reason-types.ts'
import { registerTrend } from './trend-types.ts'
import { registerUnavailable } from './unavailable.ts'
import { registerWhatIf } from './what-if-types.ts'

export type { AnyBuilder, PredictionContext } from './context.ts'

const ROUNDED = 'Three digits without the scope predictions:explain.'

const saysOfSource = {
  MODEL: 'Computed now by a version of the model.',
  STORED: 'A score that was stored earlier: see `scoredAt`.',
  RULE: 'The rule of thumb in the model file.',
} as const

/** Registers `Prediction` and what hangs on it; the same type for every model. */
export function registerPredictionTypes(builder: AnyBuilder, modelVersion: AnyBuilder) {
  const RiskLevel = builder.enumType('RiskLevel', {
    description: "A probability's band, by the borders that the model file declares.",
    values: riskLevels,
  })
  const Source = builder.enumType('PredictionSource', {
    description: 'Where a probability comes from.',
    values: Object.fromEntries(sources.map((source) => [source, { description: saysOfSource[source] }])),
  })
  const UnavailableRef = registerUnavailable(builder)
  const parts = [
    registerReasons(builder, UnavailableRef),
    ...[registerWhatIf, registerQuality, registerTrend].map((register) => register(builder)),
  ]
  const PredictionRef = builder.objectRef('Prediction').implement({
    description: 'What a model says about one entity at one moment.',
    fields: (t: AnyBuilder) => ({
      probability: t.float({
        description: `Calibrated probability that the answer is yes, 0..1. ${ROUNDED}`,
        resolve: ({ probability }: Estimate, _args: object, { viewer }: PredictionContext) =>
          shown(probability, viewer),
      }),
      confidence: t.float({
        description: '1 minus the width of the interval that holds the probability; 1 is certain.',
        resolve: ({ confidence }: Estimate, _args: object, { viewer }: PredictionContext) => shown(confidence, viewer),
      }),
      riskLevel: t.expose('riskLevel', { type: RiskLevel, description: 'The band of the probability.' }),
      source: t.expose('source', { type: Source, description: 'Whether the model answered or something stood in.' }),
      ...Object.assign({}, ...parts.map((fields) => fields(t))),
      modelVersion: t.field({
        type: modelVersion,
        nullable: true,
        description: 'The version that answered; null for a rule.',
        resolve: (estimate: Estimate, _args: object, context: PredictionContext) => versionOf(estimate, context),
      }),
      asOf: t.expose('asOf', { type: 'DateTime', description: 'The moment it looks from: nothing later was read.' }),
      scoredAt: t.expose('scoredAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When a stored score was computed; null for what was computed now.',
      }),
    }),
  })
  return { PredictionRef, UnavailableRef }
}

export type PredictionRefs = ReturnType<typeof registerPredictionTypes>

function versionOf(estimate: Estimate, context: PredictionContext): ModelVersion | null | Promise<ModelVersion | null> {
  if (isPrediction(estimate)) return estimate.version.version
  return estimate.versionId ? context.versionById(estimate.versionId) : null
}
