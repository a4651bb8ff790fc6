import { entityExtensions } from '../../../schema/federation.ts'
import type { LearningBuilder, LearningContext } from '../builder.ts'
import { typeOf } from '../builder.ts'
import type { ListField } from '../lists.ts'
import { prerequisites, unlocks } from '../rows/courses.ts'
import { attempts } from '../rows/happenings.ts'
import { progress } from '../rows/progress.ts'
import type { Enums } from './enums.ts'

const key = ({ id }: { id: string }) => id

/** Registers Objective and the query that finds one. */
export function registerObjective(builder: LearningBuilder, list: ListField, enums: Enums): void {
  const Objective = typeOf(builder, 'Objective')
  const Presentation = typeOf(builder, 'Presentation')
  builder.prismaObject('Objective', {
    description: 'Something to be learnt and shown: an objective of a lesson, a quiz, an assignment or an exam.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, { reads }: LearningContext) => reads.find('Objective', id),
      ['learning:read'],
    ),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Key.' }),
      title: t.exposeString('title', { description: 'Title.' }),
      type: t.expose('type', { type: enums.ObjectiveType, description: 'What kind of thing it is.' }),
      contentType: t.expose('contentType', {
        type: enums.ContentType,
        nullable: true,
        description: 'The material to work with; null when unknown.',
      }),
      complexity: t.expose('complexity', {
        type: enums.Complexity,
        nullable: true,
        description: 'How demanding it is; null when unknown.',
      }),
      weight: t.exposeFloat('weight', {
        nullable: true,
        description: 'Share of the final mark, 0..100; null when unknown.',
      }),
      position: t.exposeInt('position', { description: 'Place in its presentation, from 1.' }),
      dueAt: t.expose('dueAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When it is due; null when it never is.',
      }),
      expectedMinutes: t.exposeInt('expectedMinutes', {
        nullable: true,
        description: 'How long it should take; null when unknown.',
      }),
      presentation: t.field({
        type: Presentation,
        description: 'The presentation that it belongs to.',
        resolve: ({ presentationId }, _args, { reads }) => reads.follow('Presentation', presentationId),
      }),
      prerequisites: list(t, prerequisites, {
        below: { column: 'neededBy', key },
        description: 'What should be learnt before.',
      }),
      unlocks: list(t, unlocks, { below: { column: 'openedBy', key }, description: 'What it is a prerequisite of.' }),
      attempts: list(t, attempts, { below: { column: 'objectiveId', key }, description: 'Submissions of everybody.' }),
      progress: list(t, progress, {
        below: { column: 'objectiveId', key },
        description: 'How everybody who enrolled stands with it.',
      }),
    }),
  })
  builder.queryFields((t) => ({
    objective: t.field({
      scopes: ['learning:read'],
      type: Objective,
      nullable: true,
      description: 'An objective by key; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Key of the objective.' }) },
      resolve: (_root, { id }, { reads }) => reads.find('Objective', id),
    }),
  }))
}
