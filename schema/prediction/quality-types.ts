import { type Estimate, isPrediction, type Prediction } from '../../ml/prediction.ts'
import { type Quality, qualityOf } from '../../ml/quality.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'
import { shown } from './precision.ts'
import { needsComputation } from './selection.ts'

interface Source extends Quality {
  readonly prediction: Prediction
}

/** Registers `PredictionQuality`; returns the field that gives it. */
export function registerQuality(builder: AnyBuilder) {
  const scopes = ['predictions:explain'] // what was read about somebody, and not only what came of it
  const Interval = builder.objectRef('ProbabilityInterval').implement({
    description: 'Where the probability lies, by how often the version was right about rows like this.',
    fields: (t: AnyBuilder) => ({
      low: t.float({
        description: '0..1.',
        resolve: ({ low }: Quality['interval'], _args: object, { viewer }: PredictionContext) => shown(low, viewer),
      }),
      high: t.float({
        description: '0..1.',
        resolve: ({ high }: Quality['interval'], _args: object, { viewer }: PredictionContext) => shown(high, viewer),
      }),
    }),
  })
  const Age = builder.objectRef('FeatureAge').implement({
    description: 'How old the rows behind a feature are.',
    fields: (t: AnyBuilder) => ({
      feature: t.exposeString('feature', { description: 'Name of the feature in the model file.' }),
      days: t.exposeFloat('days', { description: 'Days between the newest of its rows and the moment looked from.' }),
    }),
  })
  const QualityRef = builder.objectRef('PredictionQuality').implement({
    description: 'How good the ground is that a prediction stands on.',
    fields: (t: AnyBuilder) => ({
      missing: t.exposeStringList('missing', {
        scopes,
        nullable: true,
        description: 'Features that were not known; null without the scope predictions:explain, as the next two.',
      }),
      unknown: t.exposeStringList('unknown', {
        scopes,
        nullable: true,
        description: 'Features with a value that training never saw; scored as missing.',
      }),
      outOfRange: t.exposeStringList('outOfRange', {
        scopes,
        nullable: true,
        description: 'Features outside the range that training saw.',
      }),
      ages: t.field({
        scopes,
        type: [Age],
        nullable: true,
        description:
          'How old the rows behind each feature are, where rows have a time; null for a model that cannot tell. Costs a statement.',
        resolve: async ({ prediction }: Source, _args: object, context: PredictionContext) => {
          const { model } = prediction
          const ages = model.ages ? await context.predictions(model.name).ages(prediction) : null
          return (
            ages &&
            model.features.flatMap(({ name }, index) => {
              const days = ages[index] ?? null
              return days === null ? [] : [{ feature: name, days }]
            })
          )
        },
      }),
      interval: t.expose('interval', { type: Interval, description: 'The interval that holds the probability.' }),
    }),
  })
  return (t: AnyBuilder) => ({
    quality: t.field({
      extensions: needsComputation,
      type: QualityRef,
      nullable: true,
      description: 'What was known about the entity; null for a stored score and for a rule.',
      resolve: (estimate: Estimate) =>
        isPrediction(estimate) ? { ...qualityOf(estimate), prediction: estimate } : null,
    }),
  })
}
