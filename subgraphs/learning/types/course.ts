import { entityExtensions } from '../../../schema/federation.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ListField } from '../lists.ts'
import { courses, exams, objectives, presentations } from '../rows/courses.ts'
import { enrollments } from '../rows/people.ts'

const ofPresentation = { column: 'presentationId', key: ({ id }: { id: string }) => id }

/** Registers Course, Presentation and Exam, and the queries that find them. */
export function registerCourse(builder: LearningBuilder, list: ListField): void {
  const Course = typeOf(builder, 'Course')
  const Presentation = typeOf(builder, 'Presentation')
  builder.prismaObject('Course', {
    description: 'Something that is taught again and again.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, { reads }: LearningContext) => reads.find('Course', id),
      ['learning:read'],
    ),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      code: t.exposeString('code', { description: 'Short code, unique.' }),
      title: t.exposeString('title', { description: 'Title.' }),
      presentations: list(t, presentations, {
        description: 'Its runs.',
        below: { column: 'courseId', key: ({ id }: { id: string }) => id },
      }),
    }),
  })
  builder.prismaObject('Presentation', {
    description: 'One run of a course, from a first to a last day.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, { reads }: LearningContext) => reads.find('Presentation', id),
      ['learning:read'],
    ),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      code: t.exposeString('code', { description: 'Short code, unique within the course.' }),
      startsAt: t.expose('startsAt', { type: 'DateTime', description: 'First day.' }),
      endsAt: t.expose('endsAt', { type: 'DateTime', description: 'Last day.' }),
      course: t.field({
        type: Course,
        description: 'What is taught.',
        resolve: ({ courseId }, _args, { reads }) => reads.follow('Course', courseId),
      }),
      objectives: list(t, objectives, { below: ofPresentation, description: 'What is to be learnt and shown.' }),
      enrollments: list(t, enrollments, { below: ofPresentation, description: 'Who takes part.' }),
      exams: list(t, exams, { below: ofPresentation, description: 'Its exams.' }),
    }),
  })
  builder.prismaObject('Exam', {
    description: 'An exam of a presentation.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      title: t.exposeString('title', { description: 'Title.' }),
      heldAt: t.expose('heldAt', { type: 'DateTime', description: 'When it is held.' }),
      presentation: t.field({
        type: Presentation,
        description: 'The presentation that it examines.',
        resolve: ({ presentationId }, _args, { reads }) => reads.follow('Presentation', presentationId),
      }),
    }),
  })
  builder.queryFields((t) => ({
    course: t.field({
      scopes: ['learning:read'],
      type: Course,
      nullable: true,
      description: 'A course by key; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Key of the course.' }) },
      resolve: (_root, { id }, { reads }) => reads.find('Course', id),
    }),
    courses: list(t, courses, { description: 'Courses.' }),
    presentation: t.field({
      scopes: ['learning:read'],
      type: Presentation,
      nullable: true,
      description: 'A presentation by key; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Key of the presentation.' }) },
      resolve: (_root, { id }, { reads }) => reads.find('Presentation', id),
    }),
  }))
}
