import type { Estimate } from '../../ml/prediction.ts'
import { trendOf } from '../../ml/trend.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'
import { refused } from './refused.ts'

const MOST_DAYS = 3660

/** Registers `Trend`; returns the field that gives it. */
export function registerTrend(builder: AnyBuilder) {
  const Direction = builder.enumType('TrendDirection', {
    description: 'Where stored scores are heading; a change of less than 0.01 over the window is STEADY.',
    values: ['RISING', 'FALLING', 'STEADY'],
  })
  const Window = builder.inputType('TrendWindow', {
    description: 'How far back to look.',
    fields: (t: AnyBuilder) => ({
      days: t.int({ required: true, description: `Days before the moment of the prediction, 1..${MOST_DAYS}.` }),
    }),
  })
  const TrendRef = builder.objectRef('Trend').implement({
    description: 'Where the stored scores of an entity are heading.',
    fields: (t: AnyBuilder) => ({
      slopePerDay: t.exposeFloat('slopePerDay', {
        description: 'Change of the probability per day, by least squares.',
      }),
      direction: t.expose('direction', { type: Direction, description: 'The sign of the slope.' }),
      scores: t.exposeInt('scores', { description: 'Stored scores that it rests on.' }),
      from: t.expose('from', { type: 'DateTime', description: 'Moment of the first of them.' }),
      to: t.expose('to', { type: 'DateTime', description: 'Moment of the last of them.' }),
    }),
  })
  return (t: AnyBuilder) => ({
    trend: t.field({
      type: TrendRef,
      nullable: true,
      description: 'Slope and sign over the scores stored in a window; null with fewer than two moments.',
      args: { window: t.arg({ type: Window, defaultValue: { days: 30 }, description: 'How far back to look.' }) },
      resolve: async (estimate: Estimate, { window }: { window: { days: number } }, context: PredictionContext) => {
        if (!(window.days >= 1 && window.days <= MOST_DAYS)) throw refused(`days must be between 1 and ${MOST_DAYS}.`)
        if (Object.keys(estimate.key).length === 0) return null
        return trendOf(await context.predictions(estimate.model.name).history(estimate, window.days))
      },
    }),
  })
}
