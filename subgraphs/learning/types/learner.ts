import { entityExtensions } from '../../../schema/federation.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ListField } from '../lists.ts'
import {
  activities,
  attempts,
  behavioralPatterns,
  performanceMetrics,
  reviews,
  studySessions,
} from '../rows/happenings.ts'
import { cancellations, payments, subscriptions } from '../rows/payments.ts'
import { enrollments, learners } from '../rows/people.ts'
import { progress } from '../rows/progress.ts'

const below = { column: 'learnerId', key: ({ id }: { id: string }) => id }

/** Registers Learner and the queries that find learners. */
export function registerLearner(builder: LearningBuilder, list: ListField): void {
  const Learner = typeOf(builder, 'Learner')
  builder.prismaObject('Learner', {
    description: 'A person who learns, and who may pay for it.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, { reads }: LearningContext) => reads.find('Learner', id),
      ['learning:read'],
    ),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      name: t.exposeString('name', { description: 'Name.' }),
      gender: t.exposeString('gender', { nullable: true, description: 'Gender as declared; null when unknown.' }),
      country: t.exposeString('country', { nullable: true, description: 'Country; null when unknown.' }),
      region: t.exposeString('region', { nullable: true, description: 'Region; null when unknown.' }),
      joinedAt: t.expose('joinedAt', { type: 'DateTime', description: 'The moment of joining.' }),
      progress: list(t, progress, {
        below,
        description: 'Objectives of all enrolments; what comes next stands first.',
      }),
      enrollments: list(t, enrollments, { below, description: 'Presentations enrolled in.' }),
      attempts: list(t, attempts, { below, description: 'Submissions.' }),
      reviews: list(t, reviews, { below, description: 'Recalls of what was learnt before.' }),
      activities: list(t, activities, { below, description: 'Clicks per presentation, day and kind.' }),
      studySessions: list(t, studySessions, { below, description: 'Sittings.' }),
      performanceMetrics: list(t, performanceMetrics, { below, description: 'Figures per objective and day.' }),
      behavioralPatterns: list(t, behavioralPatterns, { below, description: 'Figures per week.' }),
      subscriptions: list(t, subscriptions, { below, description: 'Periods paid for.' }),
      payments: list(t, payments, { below, description: 'Payments.' }),
      cancellations: list(t, cancellations, { below, description: 'When the learner said that they will leave.' }),
    }),
  })
  builder.queryFields((t) => ({
    learner: t.field({
      scopes: ['learning:read'],
      type: Learner,
      nullable: true,
      description: 'A learner by key; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Key of the learner.' }) },
      resolve: (_root, { id }, { reads }) => reads.find('Learner', id),
    }),
    learners: list(t, learners, { description: 'Learners.' }),
  }))
}
