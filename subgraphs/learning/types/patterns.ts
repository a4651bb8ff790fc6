import type { LearningBuilder } from '../builder.ts'
import { typeOf } from '../builder.ts'

/** Registers PerformanceMetric and BehavioralPattern, which the database derives from what learners did. */
export function registerPatterns(builder: LearningBuilder): void {
  const Objective = typeOf(builder, 'Objective')
  builder.prismaObject('PerformanceMetric', {
    description: 'What a learner did about one objective on one day (UTC).',
    fields: (t) => ({
      day: t.expose('day', { type: 'DateTime', description: 'Midnight UTC of the day.' }),
      attempts: t.exposeInt('attempts', { description: 'Submissions.' }),
      meanScore: t.exposeFloat('meanScore', {
        nullable: true,
        description: 'Mean score, 0..100; null when nothing was scored.',
      }),
      bestScore: t.exposeFloat('bestScore', {
        nullable: true,
        description: 'Highest score, 0..100; null when nothing was scored.',
      }),
      reviews: t.exposeInt('reviews', { description: 'Recalls.' }),
      lapses: t.exposeInt('lapses', { description: 'Recalls that found the objective forgotten.' }),
      objective: t.field({
        type: Objective,
        description: 'What it was about.',
        resolve: ({ objectiveId }, _args, { reads }) => reads.follow('Objective', objectiveId),
      }),
    }),
  })
  builder.prismaObject('BehavioralPattern', {
    description: 'How a learner studied in one ISO week (UTC).',
    fields: (t) => ({
      week: t.expose('week', { type: 'DateTime', description: "Midnight UTC of the week's Monday." }),
      activeDays: t.exposeInt('activeDays', { description: 'Days with a click or a session, 0..7.' }),
      clicks: t.exposeInt('clicks', { description: 'Clicks.' }),
      sessions: t.exposeInt('sessions', { description: 'Study sessions.' }),
      minutes: t.exposeFloat('minutes', { description: 'Minutes in study sessions.' }),
      meanPerformance: t.exposeFloat('meanPerformance', {
        nullable: true,
        description: 'Mean share of exercises solved, 0..100; null when there were none.',
      }),
    }),
  })
}
