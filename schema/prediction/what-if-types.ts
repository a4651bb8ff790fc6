import { type Estimate, isPrediction } from '../../ml/prediction.ts'
import type { Goal } from '../../ml/what-if.ts'
import type { AnyBuilder, PredictionContext } from './context.ts'
import { refused } from './refused.ts'
import { needsComputation } from './selection.ts'

const MOST_CHANGES = 3
const MOST_ANSWERS = 10

/** Registers `WhatIf`; returns the field that looks for changes that would help. */
export function registerWhatIf(builder: AnyBuilder) {
  const Wish = builder.enumType('WhatIfGoal', {
    description: 'Which way the probability should go.',
    values: ['LOWER', 'RAISE'],
  })
  const Change = builder.objectRef('FeatureChange').implement({
    description: 'One feature moved within the bounds and steps that the model file declares.',
    fields: (t: AnyBuilder) => ({
      feature: t.exposeString('feature', { description: 'Name of the feature in the model file.' }),
      from: t.exposeFloat('from', { description: 'The value that was read.' }),
      to: t.exposeFloat('to', { description: 'The value that would reach the goal.' }),
      unit: t.exposeString('unit', { nullable: true, description: 'Unit of both.' }),
    }),
  })
  const WhatIf = builder.objectRef('WhatIf').implement({
    description: 'One way to reach the goal.',
    fields: (t: AnyBuilder) => ({
      changes: t.expose('changes', {
        type: [Change],
        description: 'What changes; empty when the goal is reached already.',
      }),
      newProbability: t.exposeFloat('newProbability', {
        description: 'Scored by the same version with the changes made.',
      }),
    }),
  })
  return (t: AnyBuilder) => ({
    whatIf: t.field({
      extensions: needsComputation,
      scopes: ['predictions:explain'],
      type: [WhatIf],
      nullable: true,
      description:
        'The smallest changes of actionable features that reach the goal, smallest first: fewest features, then the shortest way. ' +
        'Empty when none does; null for a stored score and for a rule. It says what the model would answer, not what a change causes.',
      args: {
        goal: t.arg({ type: Wish, required: true, description: 'Which way.' }),
        to: t.arg.float({ required: true, description: 'The probability to reach, 0..1.' }),
        maxChanges: t.arg.int({ defaultValue: 2, description: `At most so many features change, 1..${MOST_CHANGES}.` }),
        first: t.arg.int({
          defaultValue: 1,
          description: `How many ways, each with other features, 1..${MOST_ANSWERS}.`,
        }),
      },
      resolve: (estimate: Estimate, goal: Goal, context: PredictionContext) => {
        if (!(goal.to >= 0 && goal.to <= 1)) throw refused('to must be a probability between 0 and 1.')
        if (!(goal.maxChanges >= 1 && goal.maxChanges <= MOST_CHANGES))
          throw refused(`maxChanges must be between 1 and ${MOST_CHANGES}.`)
        if (!(goal.first >= 1 && goal.first <= MOST_ANSWERS))
          throw refused(`first must be between 1 and ${MOST_ANSWERS}.`)
        return isPrediction(estimate) ? context.predictions(estimate.model.name).whatIf(estimate, goal) : null
      },
    }),
  })
}
