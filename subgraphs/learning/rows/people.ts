import { byFlag, byId, byLink, byMoment, byText } from './conditions.ts'
import { bothWays, column, type Relation, table } from './relation.ts'

const id = column('id', 'text')

export const learners: Relation = {
  model: 'Learner',
  name: 'Learner',
  from: table('Learner'),
  isOf: (tenant) => `c."tenant" = ${tenant}`,
  key: [id],
  orders: {
    ...bothWays('NAME', column('name', 'text'), 'name'),
    ...bothWays('JOINED_AT', column('joinedAt', 'timestamptz'), 'the moment of joining'),
    ...bothWays('COUNTRY', column('country', 'text', 'nullable'), 'country'),
    ...bothWays('ID', id, 'key'),
  },
  defaultOrder: 'NAME_ASC',
  conditions: {
    id: byId('id', 'Only learners with these keys.'),
    name: byText('name', 'Only learners of such a name.'),
    country: byText('country', 'Only learners of such a country.'),
    region: byText('region', 'Only learners of such a region.'),
    joinedAt: byMoment('joinedAt', 'Only learners who joined in this range.'),
    hasRunningSubscription: byFlag((statement, now) => {
      const moment = statement.bind(now, 'timestamptz')
      return `EXISTS (SELECT FROM learning."Subscription" s WHERE s."learnerId" = c."id"
  AND s."startsAt" <= ${moment} AND (s."endsAt" IS NULL OR s."endsAt" > ${moment}))`
    }, 'Only learners who pay now, or only those who do not.'),
    enrolledIn: byLink(
      (key) =>
        `EXISTS (SELECT FROM learning."Enrollment" e WHERE e."learnerId" = c."id" AND e."presentationId" = ${key})`,
      'Only learners who enrolled in the presentation with this key.',
    ),
    enrolledInCourse: byLink(
      (
        key,
      ) => `EXISTS (SELECT FROM learning."Enrollment" e JOIN learning."Presentation" p ON p."id" = e."presentationId"
  WHERE e."learnerId" = c."id" AND p."courseId" = ${key})`,
      'Only learners who enrolled in a presentation of the course with this key.',
    ),
  },
}

export const enrollments: Relation = {
  model: 'Enrollment',
  name: 'Enrollment',
  from: table('Enrollment'),
  isOf: (tenant) => `EXISTS (SELECT FROM learning."Learner" l WHERE l."id" = c."learnerId" AND l."tenant" = ${tenant})`,
  key: [id],
  orders: {
    ...bothWays('REGISTERED_AT', column('registeredAt', 'timestamptz', 'nullable'), 'the moment of registration'),
    ...bothWays('WITHDRAWN_AT', column('withdrawnAt', 'timestamptz', 'nullable'), 'the moment of withdrawal'),
    ...bothWays('ID', id, 'key'),
  },
  defaultOrder: 'REGISTERED_AT_DESC',
  conditions: {
    id: byId('id', 'Only enrolments with these keys.'),
    learnerId: byId('learnerId', 'Only enrolments of these learners.'),
    presentationId: byId('presentationId', 'Only enrolments in these presentations.'),
    registeredAt: byMoment('registeredAt', 'Only enrolments registered in this range.'),
    withdrawnAt: byMoment('withdrawnAt', 'Only enrolments withdrawn in this range.'),
    isWithdrawn: byFlag(
      (statement, now) => `c."withdrawnAt" <= ${statement.bind(now, 'timestamptz')}`,
      'Only those that were left by now, or only those that were not.',
    ),
    finalResult: byText('finalResult', 'Only enrolments with such a result.'),
  },
}
