import type { LearningBuilder } from '../builder.ts'
import { typeOf } from '../builder.ts'

/** Registers Attempt. */
export function registerAttempt(builder: LearningBuilder): void {
  const Learner = typeOf(builder, 'Learner')
  const Objective = typeOf(builder, 'Objective')
  const Enrollment = typeOf(builder, 'Enrollment')
  builder.prismaObject('Attempt', {
    description: 'One submission for an objective.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      submittedAt: t.expose('submittedAt', { type: 'DateTime', description: 'When it was submitted.' }),
      score: t.exposeFloat('score', { nullable: true, description: '0..100; null when it was never scored.' }),
      durationMinutes: t.exposeFloat('durationMinutes', {
        nullable: true,
        description: 'How long it took; null when unknown.',
      }),
      isBanked: t.exposeBoolean('isBanked', { description: 'Carried over from an earlier presentation.' }),
      learner: t.field({
        type: Learner,
        description: 'Who submitted it.',
        resolve: ({ learnerId }, _args, { reads }) => reads.follow('Learner', learnerId),
      }),
      objective: t.field({
        type: Objective,
        description: 'What it was submitted for.',
        resolve: ({ objectiveId }, _args, { reads }) => reads.follow('Objective', objectiveId),
      }),
      enrollment: t.field({
        type: Enrollment,
        description: 'The enrolment that it belongs to.',
        resolve: ({ enrollmentId }, _args, { reads }) => reads.follow('Enrollment', enrollmentId),
      }),
    }),
  })
}
