import { byEnum, byFlag, byId, byMoment, byText } from './conditions.ts'
import { bothWays, column, type Relation, table } from './relation.ts'

const id = column('id', 'text')

export const courses: Relation = {
  model: 'Course',
  name: 'Course',
  from: table('Course'),
  isOf: (tenant) => `c."tenant" = ${tenant}`,
  key: [id],
  orders: {
    ...bothWays('CODE', column('code', 'text'), 'code'),
    ...bothWays('TITLE', column('title', 'text'), 'title'),
  },
  defaultOrder: 'CODE_ASC',
  conditions: {
    id: byId('id', 'Only courses with these keys.'),
    code: byText('code', 'Only courses of such a code.'),
    title: byText('title', 'Only courses of such a title.'),
  },
}

export const presentations: Relation = {
  model: 'Presentation',
  name: 'Presentation',
  from: table('Presentation'),
  key: [id],
  orders: {
    ...bothWays('STARTS_AT', column('startsAt', 'timestamptz'), 'first day'),
    ...bothWays('ENDS_AT', column('endsAt', 'timestamptz'), 'last day'),
  },
  defaultOrder: 'STARTS_AT_DESC',
  conditions: {
    code: byText('code', 'Only presentations of such a code.'),
    startsAt: byMoment('startsAt', 'Only presentations that start in this range.'),
    endsAt: byMoment('endsAt', 'Only presentations that end in this range.'),
    isRunning: byFlag((statement, now) => {
      const moment = statement.bind(now, 'timestamptz')
      return `c."startsAt" <= ${moment} AND c."endsAt" > ${moment}`
    }, 'Only presentations that run now, or only those that do not.'),
  },
}

export const objectives: Relation = {
  model: 'Objective',
  name: 'Objective',
  from: table('Objective'),
  key: [id],
  orders: {
    ...bothWays('POSITION', column('position', 'int'), 'position'),
    ...bothWays('DUE_AT', column('dueAt', 'timestamptz', 'nullable'), 'due date'),
    ...bothWays('TITLE', column('title', 'text'), 'title'),
    ...bothWays('WEIGHT', column('weight', 'float8', 'nullable'), 'weight'),
  },
  defaultOrder: 'POSITION_ASC',
  conditions: {
    id: byId('id', 'Only objectives with these keys.'),
    title: byText('title', 'Only objectives of such a title.'),
    type: byEnum('type', 'ObjectiveType', 'Only objectives of this type.'),
    contentType: byEnum('contentType', 'ContentType', 'Only objectives of this content.'),
    complexity: byEnum('complexity', 'Complexity', 'Only objectives of this complexity.'),
    dueAt: byMoment('dueAt', 'Only objectives due in this range.'),
  },
}

/** What an objective requires; the parent is the column "neededBy". */
export const prerequisites: Relation = {
  ...objectives,
  from: () =>
    `(SELECT o.*, r."objectiveId" AS "neededBy" FROM learning."Prerequisite" r JOIN learning."Objective" o ON o."id" = r."requiresId")`,
}

/** What an objective opens the way to; the parent is the column "openedBy". */
export const unlocks: Relation = {
  ...objectives,
  from: () =>
    `(SELECT o.*, r."requiresId" AS "openedBy" FROM learning."Prerequisite" r JOIN learning."Objective" o ON o."id" = r."objectiveId")`,
}

export const exams: Relation = {
  model: 'Exam',
  name: 'Exam',
  from: table('Exam'),
  key: [id],
  orders: bothWays('HELD_AT', column('heldAt', 'timestamptz'), 'date'),
  defaultOrder: 'HELD_AT_ASC',
  conditions: { heldAt: byMoment('heldAt', 'Only exams held in this range.') },
}
