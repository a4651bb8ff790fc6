import { byDay, byEnum, byFlag, byId, byMoment, byNumber } from './conditions.ts'
import { bothWays, column, type Relation, table } from './relation.ts'

const id = column('id', 'text')

export const attempts: Relation = {
  model: 'Attempt',
  name: 'Attempt',
  from: table('Attempt'),
  key: [id],
  orders: {
    ...bothWays('SUBMITTED_AT', column('submittedAt', 'timestamptz'), 'the moment of submission'),
    ...bothWays('SCORE', column('score', 'float8', 'nullable'), 'score'),
  },
  defaultOrder: 'SUBMITTED_AT_DESC',
  conditions: {
    learnerId: byId('learnerId', 'Only attempts of these learners.'),
    objectiveId: byId('objectiveId', 'Only attempts at these objectives.'),
    submittedAt: byMoment('submittedAt', 'Only attempts submitted in this range.'),
    score: byNumber('score', 'Only attempts scored in this range.'),
    isScored: byFlag(() => 'c."score" IS NOT NULL', 'Only attempts that have a score, or only those that have none.'),
    isBanked: byFlag(() => 'c."isBanked"', 'Only attempts carried over from an earlier presentation, or only others.'),
  },
}

export const reviews: Relation = {
  model: 'Review',
  name: 'Review',
  from: table('Review'),
  key: [id],
  orders: {
    ...bothWays('REVIEWED_AT', column('reviewedAt', 'timestamptz'), 'the moment of the review'),
    ...bothWays('RATING', column('rating', 'int'), 'rating'),
  },
  defaultOrder: 'REVIEWED_AT_DESC',
  conditions: {
    objectiveId: byId('objectiveId', 'Only reviews of these objectives.'),
    reviewedAt: byMoment('reviewedAt', 'Only reviews in this range.'),
    isLapse: byFlag(() => 'c."rating" = 1', 'Only reviews that found the objective forgotten, or only others.'),
  },
}

export const activities: Relation = {
  model: 'Activity',
  name: 'Activity',
  from: table('Activity'),
  key: [
    column('learnerId', 'text'),
    column('presentationId', 'text'),
    column('day', 'timestamptz'),
    { sql: 'c."kind"::text', type: 'text', isNullable: false },
  ],
  orders: {
    ...bothWays('DAY', column('day', 'timestamptz'), 'day'),
    ...bothWays('CLICKS', column('clicks', 'int'), 'clicks'),
  },
  defaultOrder: 'DAY_DESC',
  conditions: {
    presentationId: byId('presentationId', 'Only activity in these presentations.'),
    day: byMoment('day', 'Only activity on days in this range.'),
    kind: byEnum('kind', 'ActivityKind', 'Only activity of this kind.'),
  },
}

export const studySessions: Relation = {
  model: 'StudySession',
  name: 'StudySession',
  from: table('StudySession'),
  key: [id],
  orders: {
    ...bothWays('STARTED_AT', column('startedAt', 'timestamptz'), 'start'),
    ...bothWays('MINUTES', column('minutes', 'float8'), 'length'),
    ...bothWays('PERFORMANCE', column('performance', 'float8', 'nullable'), 'performance'),
  },
  defaultOrder: 'STARTED_AT_DESC',
  conditions: {
    startedAt: byMoment('startedAt', 'Only sessions that started in this range.'),
    contentType: byEnum('contentType', 'ContentType', 'Only sessions with this content.'),
    performance: byNumber('performance', 'Only sessions that went like this.'),
  },
}

export const performanceMetrics: Relation = {
  model: 'PerformanceMetric',
  name: 'PerformanceMetric',
  from: table('PerformanceMetric'),
  key: [column('learnerId', 'text'), column('objectiveId', 'text'), column('day', 'date')],
  orders: bothWays('DAY', column('day', 'date'), 'day'),
  defaultOrder: 'DAY_DESC',
  conditions: {
    objectiveId: byId('objectiveId', 'Only figures about these objectives.'),
    day: byDay('day', 'Only figures of days in this range.'),
  },
}

export const behavioralPatterns: Relation = {
  model: 'BehavioralPattern',
  name: 'BehavioralPattern',
  from: table('BehavioralPattern'),
  key: [column('learnerId', 'text'), column('week', 'date')],
  orders: bothWays('WEEK', column('week', 'date'), 'week'),
  defaultOrder: 'WEEK_DESC',
  conditions: { week: byDay('week', 'Only weeks whose Monday lies in this range.') },
}
