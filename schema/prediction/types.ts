import { GraphQLError, GraphQLScalarType } from 'graphql'
import type { Reason } from '../../ml/explain/reasons.ts'
import type { PredictionLoader } from '../../ml/loaders.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import { type Absence, type Prediction, riskLevels } from '../../ml/prediction.ts'

// biome-ignore lint/suspicious/noExplicitAny: builders differ in their types from subgraph to subgraph
export type AnyBuilder = any

/** What a prediction field needs from the resolvers' context. */
export interface PredictionContext {
  /** The request's loader of a model, by its name. */
  predictions(model: string): PredictionLoader
}

const MOST_REASONS = 100

const featureValueScalar = new GraphQLScalarType<Reason['value'], Reason['value']>({
  name: 'FeatureValue',
  description: 'A feature as it was read: a number, the text of a category, or null when it is missing.',
  serialize: (value) => value as Reason['value'],
  parseValue: () => {
    throw new GraphQLError('FeatureValue is only given out.', { extensions: { code: 'BAD_USER_INPUT' } })
  },
})

/** Registers `Prediction` and what hangs on it; the same type for every model. */
export function registerPredictionTypes(builder: AnyBuilder, modelVersion: AnyBuilder) {
  builder.addScalarType('FeatureValue', featureValueScalar)
  const RiskLevel = builder.enumType('RiskLevel', {
    description: "A probability's band, by the borders that the model file declares.",
    values: riskLevels,
  })
  const Direction = builder.enumType('ReasonDirection', {
    description: 'Whether a feature pushes the probability up or down.',
    values: ['RAISES', 'LOWERS'],
  })
  const ReasonRef = builder.objectRef('Reason').implement({
    description: "One feature's share in a prediction.",
    fields: (t: AnyBuilder) => ({
      feature: t.exposeString('feature', { description: 'Name of the feature in the model file.' }),
      sentence: t.exposeString('sentence', { description: 'The reason in words, for people.' }),
      value: t.expose('value', { type: 'FeatureValue', nullable: true, description: 'The value that was read.' }),
      unit: t.exposeString('unit', { nullable: true, description: 'Unit of the value.' }),
      contribution: t.exposeFloat('contribution', {
        description:
          'Signed share of the log-odds: positive raises the probability. Shares add up with the base value.',
      }),
      direction: t.expose('direction', { type: Direction, description: 'The sign of the contribution.' }),
    }),
  })
  const PredictionRef = builder.objectRef('Prediction').implement({
    description: 'What the serving version of a model says about one entity at one moment.',
    fields: (t: AnyBuilder) => ({
      probability: t.exposeFloat('probability', {
        description: 'Calibrated probability that the answer is yes, 0..1.',
      }),
      confidence: t.exposeFloat('confidence', {
        description: '1 minus the width of the interval that holds the probability; 1 is certain.',
      }),
      riskLevel: t.expose('riskLevel', { type: RiskLevel, description: 'The band of the probability.' }),
      reasons: t.field({
        type: [ReasonRef],
        description: 'What speaks for and against it, strongest first. Computed only when asked.',
        args: { first: t.arg.int({ defaultValue: 5, description: `How many, 0..${MOST_REASONS}.` }) },
        resolve: async (prediction: Prediction, { first }: { first: number }, context: PredictionContext) => {
          if (first < 0 || first > MOST_REASONS)
            throw new GraphQLError(`first must be between 0 and ${MOST_REASONS}.`, {
              extensions: { code: 'BAD_USER_INPUT' },
            })
          return (await context.predictions(prediction.model.name).reasons(prediction)).slice(0, first)
        },
      }),
      modelVersion: t.field({
        type: modelVersion,
        description: 'The version that answered.',
        resolve: (prediction: Prediction): ModelVersion => prediction.version.version,
      }),
      asOf: t.expose('asOf', { type: 'DateTime', description: 'The moment it looks from: nothing later was read.' }),
    }),
  })
  const UnavailableRef = builder.objectRef('UnavailablePrediction').implement({
    description: 'Why there is no prediction. There never is a made-up number instead.',
    fields: (t: AnyBuilder) => ({
      code: t.field({
        type: builder.enumType('UnavailableCode', {
          description: 'The kind of reason.',
          values: Object.fromEntries(unavailableCodes.map(({ name, says }) => [name, { description: says }])),
        }),
        description: 'A stable code for programs.',
        resolve: ({ code }: Absence) => (unavailableCodes.some(({ name }) => name === code) ? code : 'UNAVAILABLE'),
      }),
      message: t.exposeString('message', { description: 'What is the case.' }),
      hint: t.exposeString('hint', { description: 'What to do next.' }),
    }),
  })
  return { PredictionRef, UnavailableRef }
}

const unavailableCodes = [
  { name: 'NOT_APPLICABLE', says: 'The question is not about this entity at that moment.' },
  { name: 'MODEL_NOT_TRAINED', says: 'No version serves yet.' },
  { name: 'FEATURE_MISMATCH', says: 'The model file changed since the serving version was trained.' },
  { name: 'FEATURE_READ_FAILED', says: 'The features could not be read.' },
  { name: 'ARTEFACT_INVALID', says: 'The version that should serve is broken and was taken out of service.' },
  { name: 'INFERENCE_FAILED', says: 'Scoring failed.' },
  { name: 'INFERENCE_OVERLOADED', says: 'Too many rows wait to be scored.' },
  { name: 'UNAVAILABLE', says: 'Something else went wrong.' },
] as const
