import { GraphQLError, GraphQLScalarType } from 'graphql'
import { hasReasons, type Reason } from '../../ml/explain/reasons.ts'
import { NO_REASONS } from '../../ml/origin.ts'
import { type Estimate, isPrediction, type Prediction } from '../../ml/prediction.ts'
import type { ServedVersion } from '../../ml/served-version.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'
import { refused } from './refused.ts'
import { needsComputation } from './selection.ts'

const MOST_REASONS = 100

const featureValueScalar = new GraphQLScalarType<Reason['value'], Reason['value']>({
  name: 'FeatureValue',
  description: 'A feature as it was read: a number, the text of a category, or null when it is missing.',
  serialize: (value) => value as Reason['value'],
  parseValue: () => {
    throw new GraphQLError('FeatureValue is only given out.', { extensions: { code: 'BAD_USER_INPUT' } })
  },
})

function scaleOf({ explainer }: ServedVersion): 'CALIBRATED' | 'UNCALIBRATED' {
  return explainer.model.calibration?.kind === 'isotonic' ? 'UNCALIBRATED' : 'CALIBRATED'
}

function explains(estimate: Estimate): estimate is Prediction {
  return isPrediction(estimate) && hasReasons(estimate.version)
}

/** Registers `Reason`; returns the fields that give a prediction's reasons. */
export function registerReasons(builder: AnyBuilder, Unavailable: AnyBuilder) {
  builder.addScalarType('FeatureValue', featureValueScalar)
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
          'Signed share of the log-odds: positive raises the probability. All shares and `baseLogOdds` add up to the log-odds.',
      }),
      direction: t.expose('direction', { type: Direction, description: 'The sign of the contribution.' }),
    }),
  })
  const Scale = builder.enumType('ReasonScale', {
    description: 'Which log-odds the reasons add up to.',
    values: {
      CALIBRATED: { description: 'Those of the probability that is shown.' },
      UNCALIBRATED: { description: 'Those before an isotonic calibration, which no sum can follow.' },
    },
  })
  return (t: AnyBuilder) => ({
    reasonScale: t.field({
      extensions: needsComputation,
      scopes: ['predictions:explain'],
      type: Scale,
      nullable: true,
      description: 'Which log-odds the reasons add up to; null without reasons.',
      resolve: (estimate: Estimate) => (explains(estimate) ? scaleOf(estimate.version) : null),
    }),
    reasons: t.field({
      extensions: needsComputation,
      scopes: ['predictions:explain'],
      type: [ReasonRef],
      nullable: true, // null, with an error, for whom the probability has to be enough
      description:
        'What speaks for and against it, strongest first. Computed only when asked; empty for a stored score, a rule and a version trained elsewhere; null without the scope predictions:explain.',
      args: { first: t.arg.int({ defaultValue: 5, description: `How many, 0..${MOST_REASONS}.` }) },
      resolve: async (estimate: Estimate, { first }: { first: number }, context: PredictionContext) => {
        if (first < 0 || first > MOST_REASONS) throw refused(`first must be between 0 and ${MOST_REASONS}.`)
        if (!isPrediction(estimate)) return []
        return (await context.predictions(estimate.model.name).reasons(estimate)).slice(0, first)
      },
    }),
    reasonsUnavailable: t.field({
      type: Unavailable,
      nullable: true,
      description: 'Why there are no reasons, where the version that answered cannot give any.',
      resolve: (estimate: Estimate) => (isPrediction(estimate) && !hasReasons(estimate.version) ? NO_REASONS : null),
    }),
    baseLogOdds: t.float({
      extensions: needsComputation,
      scopes: ['predictions:explain'],
      nullable: true,
      description: 'What the contributions of all reasons are added to: the log-odds before anything is known.',
      resolve: (estimate: Estimate) => (explains(estimate) ? estimate.version.shares.base : null),
    }),
  })
}
