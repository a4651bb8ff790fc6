import type { LearningBuilder } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { Enums } from './enums.ts'

/** Registers Review, Activity and StudySession: what learners did besides submitting. */
export function registerStudy(builder: LearningBuilder, enums: Enums): void {
  const Learner = typeOf(builder, 'Learner')
  const Objective = typeOf(builder, 'Objective')
  const Presentation = typeOf(builder, 'Presentation')
  builder.prismaObject('Review', {
    description: 'A recall of an objective studied before.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      reviewedAt: t.expose('reviewedAt', { type: 'DateTime', description: 'When it took place.' }),
      rating: t.exposeInt('rating', { description: '1 forgotten, 2 hard, 3 good, 4 easy.' }),
      isLapse: t.boolean({
        description: 'Whether the objective was found forgotten.',
        resolve: ({ rating }) => rating === 1,
      }),
      learner: t.field({
        type: Learner,
        description: 'Who recalled it.',
        resolve: ({ learnerId }, _args, { reads }) => reads.follow('Learner', learnerId),
      }),
      objective: t.field({
        type: Objective,
        description: 'What was recalled.',
        resolve: ({ objectiveId }, _args, { reads }) => reads.follow('Objective', objectiveId),
      }),
    }),
  })
  builder.prismaObject('Activity', {
    description: 'Clicks of one learner in one presentation on one day, by kind.',
    fields: (t) => ({
      day: t.expose('day', { type: 'DateTime', description: 'Midnight UTC of the day.' }),
      kind: t.expose('kind', { type: enums.ActivityKind, description: 'What was clicked on.' }),
      clicks: t.exposeInt('clicks', { description: 'How many clicks.' }),
      presentation: t.field({
        type: Presentation,
        description: 'Where it took place.',
        resolve: ({ presentationId }, _args, { reads }) => reads.follow('Presentation', presentationId),
      }),
    }),
  })
  builder.prismaObject('StudySession', {
    description: 'One sitting of a learner.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
      minutes: t.exposeFloat('minutes', { description: 'How long it took.' }),
      contentType: t.expose('contentType', {
        type: enums.ContentType,
        nullable: true,
        description: 'The material worked with; null when unknown.',
      }),
      performance: t.exposeFloat('performance', {
        nullable: true,
        description: 'Share of exercises solved, 0..100; null when there were none.',
      }),
    }),
  })
}
