import { entityExtensions } from '../../../schema/federation.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ListField } from '../lists.ts'
import { attempts } from '../rows/happenings.ts'
import { enrollments } from '../rows/people.ts'
import { progress } from '../rows/progress.ts'

const below = { column: 'enrollmentId', key: ({ id }: { id: string }) => id }

/** Registers Enrollment and the queries that find enrolments. */
export function registerEnrollment(builder: LearningBuilder, list: ListField): void {
  const Enrollment = typeOf(builder, 'Enrollment')
  const Learner = typeOf(builder, 'Learner')
  const Presentation = typeOf(builder, 'Presentation')
  builder.prismaObject('Enrollment', {
    description: 'A learner in a presentation. What was declared at registration never changes afterwards.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, { reads }: LearningContext) => reads.find('Enrollment', id),
      ['learning:read'],
    ),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      registeredAt: t.expose('registeredAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the learner registered; null when unknown.',
      }),
      withdrawnAt: t.expose('withdrawnAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When the learner left; null while they stay.',
      }),
      finalResult: t.exposeString('finalResult', { nullable: true, description: 'How it ended; null while it runs.' }),
      education: t.exposeString('education', { nullable: true, description: 'Highest education as declared.' }),
      ageBand: t.exposeString('ageBand', { nullable: true, description: 'Age as declared.' }),
      deprivationBand: t.exposeString('deprivationBand', {
        nullable: true,
        description: "The place's index of multiple deprivation.",
      }),
      hasDisability: t.exposeBoolean('hasDisability', { nullable: true, description: 'Whether one was declared.' }),
      previousAttempts: t.exposeInt('previousAttempts', {
        nullable: true,
        description: 'How often the learner took the course before.',
      }),
      studiedCredits: t.exposeInt('studiedCredits', {
        nullable: true,
        description: 'Credits that the learner studies for at the same time.',
      }),
      clicksBeforeStart: t.exposeInt('clicksBeforeStart', {
        nullable: true,
        description: "Clicks in the course's pages before its first day.",
      }),
      learner: t.field({
        type: Learner,
        description: 'Who takes part.',
        resolve: ({ learnerId }, _args, { reads }) => reads.follow('Learner', learnerId),
      }),
      presentation: t.field({
        type: Presentation,
        description: 'What they take part in.',
        resolve: ({ presentationId }, _args, { reads }) => reads.follow('Presentation', presentationId),
      }),
      progress: list(t, progress, { below, description: 'Its objectives; what comes next stands first.' }),
      attempts: list(t, attempts, { below, description: 'Submissions.' }),
    }),
  })
  builder.queryFields((t) => ({
    enrollment: t.field({
      scopes: ['learning:read'],
      type: Enrollment,
      nullable: true,
      description: 'An enrolment by key; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Key of the enrolment.' }) },
      resolve: (_root, { id }, { reads }) => reads.find('Enrollment', id),
    }),
    enrollments: list(t, enrollments, { description: 'Enrolments.' }),
  }))
}
