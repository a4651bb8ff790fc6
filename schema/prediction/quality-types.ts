import { type Estimate, isPrediction, type Prediction } from '../../ml/prediction.ts'
import { type Quality, qualityOf } from '../../ml/quality.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'

interface Source extends Quality {
  readonly prediction: Prediction
}

/** Registers `PredictionQuality`; returns the field that gives it. */
export function registerQuality(builder: AnyBuilder) {
  const Interval = builder.objectRef('ProbabilityInterval').implement({
    description: 'Where the probability lies, by how often the version was right about rows like this.',
    fields: (t: AnyBuilder) => ({
      low: t.exposeFloat('low', { description: '0..1.' }),
      high: t.exposeFloat('high', { description: '0..1.' }),
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
      missing: t.exposeStringList('missing', { description: 'Features that were not known.' }),
      unknown: t.exposeStringList('unknown', {
        description: 'Features with a value that training never saw; scored as missing.',
      }),
      outOfRange: t.exposeStringList('outOfRange', { description: 'Features outside the range that training saw.' }),
      ages: t.field({
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
      type: QualityRef,
      nullable: true,
      description: 'What was known about the entity; null for a stored score and for a rule.',
      resolve: (estimate: Estimate) =>
        isPrediction(estimate) ? { ...qualityOf(estimate), prediction: estimate } : null,
    }),
  })
}
