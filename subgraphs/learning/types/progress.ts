import { entityExtensions } from '../../../schema/federation.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ProgressKey, ProgressRow } from '../rows/progress.ts'
import type { Enums } from './enums.ts'

/** Registers Progress and the query that finds one. */
export function registerProgress(builder: LearningBuilder, enums: Enums): void {
  const Progress = typeOf(builder, 'Progress')
  const Learner = typeOf(builder, 'Learner')
  const Objective = typeOf(builder, 'Objective')
  const Enrollment = typeOf(builder, 'Enrollment')
  builder.prismaObject('Progress', {
    description: 'How a learner stands with an objective: an enrolment x an objective of its presentation, as of now.',
    directives: { key: { fields: 'learnerId objectiveId' } } as never,
    extensions: entityExtensions(
      (key: ProgressKey, { reads }: LearningContext) => reads.findProgress(key),
      ['learning:read'],
    ),
    fields: (t) => ({
      learnerId: t.exposeID('learnerId', { description: 'Key of the learner.' }),
      objectiveId: t.exposeID('objectiveId', { description: 'Key of the objective.' }),
      state: t.field({
        type: enums.ProgressState,
        description: 'How the learner stands with it.',
        resolve: (row) => (row as ProgressRow).state,
      }),
      dueAt: t.expose('dueAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the objective is due; null when it never is.',
      }),
      attempts: t.exposeInt('attempts', { description: 'How many submissions there were.' }),
      lastScore: t.exposeFloat('lastScore', {
        nullable: true,
        description: 'Score of the last scored submission, 0..100; null before the first.',
      }),
      bestScore: t.exposeFloat('bestScore', {
        nullable: true,
        description: 'Highest score, 0..100; null before the first.',
      }),
      firstScoredAt: t.expose('firstScoredAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the first scored submission came in.',
      }),
      lastSubmittedAt: t.expose('lastSubmittedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the last submission came in.',
      }),
      learner: t.field({
        type: Learner,
        description: 'Who learns.',
        resolve: ({ learnerId }, _args, { reads }) => reads.follow('Learner', learnerId),
      }),
      objective: t.field({
        type: Objective,
        description: 'What is to be learnt.',
        resolve: ({ objectiveId }, _args, { reads }) => reads.follow('Objective', objectiveId),
      }),
      enrollment: t.field({
        type: Enrollment,
        description: 'The enrolment that it belongs to.',
        resolve: ({ enrollmentId }, _args, { reads }) => reads.follow('Enrollment', enrollmentId),
      }),
    }),
  })
  builder.queryFields((t) => ({
    progress: t.field({
      scopes: ['learning:read'],
      type: Progress,
      nullable: true,
      description: 'How a learner stands with an objective; null when they are not enrolled for it.',
      args: {
        learnerId: t.arg.id({ required: true, description: 'Key of the learner.' }),
        objectiveId: t.arg.id({ required: true, description: 'Key of the objective.' }),
      },
      resolve: (_root, key, { reads }) => reads.findProgress(key),
    }),
  }))
}
