import { FEW_KEYS, settledSql } from '../index.ts'
import { defineModel } from './kit.ts'
import { CANDIDATES, LABELS, LEARNERS, READ } from './struggle-sql.ts'

const READ_FEW = settledSql(READ)

/** The entity's key: an enrolment x an objective of its course. */
interface ProgressKey {
  readonly learnerId: string
  readonly objectiveId: string
}

export const struggle = defineModel({
  name: 'struggle',
  entity: 'Progress',
  question: 'Will this learner score under 60 on this objective?',
  tenant: 'learner.tenant',
  group: 'learnerId',
  split: ['group', 'time+group'],
  features: {
    meanScore: { kind: 'number', unit: '%', says: 'Low scores so far', saysLower: 'Good scores so far' },
    courseMeanScore: {
      kind: 'number',
      unit: '%',
      says: 'Low scores in this course',
      saysLower: 'Good scores in this course',
      actionable: { min: 0, max: 100, step: 5, direction: 'up' },
    },
    scoreDecline: { kind: 'number', unit: 'points', says: 'Scores are falling', saysLower: 'Scores are rising' },
    lastScore: { kind: 'number', unit: '%', says: 'The last score was low', saysLower: 'The last score was good' },
    lowestScore: { kind: 'number', unit: '%', says: 'Once scored very low', saysLower: 'Never scored low' },
    scored: { kind: 'number', unit: 'scores', says: 'Little is known about the learner so far' },
    daysLate: { kind: 'number', unit: 'days', says: 'Hands in late', saysLower: 'Hands in early' },
    missed: {
      kind: 'number',
      unit: 'tasks',
      says: 'Has missed tasks of this course',
      saysLower: 'Has handed in what was due',
      actionable: { min: 0, step: 1, direction: 'down' },
    },
    similarStruggles: { kind: 'number', unit: '%', says: 'Struggled with similar objectives' },
    similarScore: { kind: 'number', unit: '%', says: 'Low scores on similar objectives' },
    lapseRate: {
      kind: 'number',
      unit: '%',
      says: 'Forgets much of what was learnt',
      saysLower: 'Remembers what was learnt',
      actionable: { min: 0, max: 100, step: 5, direction: 'down' },
    },
    lastSessionPerformance: { kind: 'number', unit: '%', says: 'The last study session went badly' },
    unmasteredPrerequisites: {
      kind: 'number',
      unit: '%',
      says: 'Prerequisites are not mastered',
      saysLower: 'Prerequisites are mastered',
      actionable: { min: 0, max: 100, step: 10, direction: 'down' },
    },
    prerequisiteGap: { kind: 'number', unit: 'points', says: 'Far from mastering the prerequisites' },
    complexity: {
      kind: 'number',
      unit: 'level',
      says: 'The objective is complex',
      saysLower: 'The objective is basic',
    },
    complexityMismatch: { kind: 'number', unit: 'levels', says: 'The objective is above the learner’s level' },
    contentMismatch: { kind: 'number', unit: '%', says: 'Studies with another kind of content' },
    cognitiveLoad: { kind: 'number', unit: 'hours', says: 'Hard work is due soon' },
    workload: { kind: 'number', unit: 'tasks', says: 'Many tasks are due soon' },
    daysToExam: { kind: 'number', unit: 'days', says: 'The exam is near' },
    daysSinceStudy: {
      kind: 'number',
      unit: 'days',
      says: 'Has not studied lately',
      saysLower: 'Studied lately',
      actionable: { min: 0, step: 1, direction: 'down' },
    },
    clicks14d: { kind: 'number', unit: 'clicks', says: 'Hardly opens the course', saysLower: 'Opens the course often' },
    clicksBeforeStart: { kind: 'number', unit: 'clicks', says: 'Did not look around before the start' },
    daysToDue: { kind: 'number', unit: 'days', says: 'Not much time is left' },
    dueDay: { kind: 'number', unit: 'day of the course', says: 'It is due at a hard time of the course' },
    weight: { kind: 'number', unit: '% of the mark', says: 'Much depends on it' },
    position: { kind: 'number', unit: 'place in the course', says: 'Objectives at this place are hard' },
    type: { kind: 'category', says: 'Objectives of this type are hard' },
    course: { kind: 'category', says: 'This course is hard' },
    education: { kind: 'category', says: 'Earlier education makes it harder' },
    previousAttempts: { kind: 'number', unit: 'times', says: 'Takes the course again' },
    studiedCredits: { kind: 'number', unit: 'credits', says: 'Studies much at the same time' },
  },
  shape: READ,
  read: (db, pairs) =>
    db.$queryRawUnsafe(
      pairs.length <= FEW_KEYS ? READ_FEW : READ,
      pairs.map(({ key }) => key.learnerId),
      pairs.map(({ key }) => key.objectiveId),
      pairs.map(({ asOf }) => asOf.toISOString()),
    ),
  async *labels(db, { to, limit: rowLimit }) {
    const limit = Math.ceil(rowLimit / 10) // a learner has about ten rows
    for (let after = ''; ; ) {
      const learners = await db.$queryRawUnsafe<{ id: string }[]>(LEARNERS, after, limit)
      const ids = learners.map(({ id }) => id)
      const rows = await db.$queryRawUnsafe<(ProgressKey & { at: Date; label: number })[]>(
        LABELS,
        to.toISOString(),
        ids,
      )
      yield rows.map(({ at, label, ...key }) => ({ key, asOf: at, label }))
      if (ids.length < limit) return
      after = ids.at(-1)!
    }
  },
  candidates: (db, { asOf, after, limit, tenant }) => {
    const { learnerId = '', objectiveId = '' } = after ?? {}
    return db.$queryRawUnsafe<(ProgressKey & Record<string, string>)[]>(
      CANDIDATES,
      asOf.toISOString(),
      learnerId,
      objectiveId,
      limit,
      tenant ?? null,
    )
  },
  // Before the first version, and when none can answer: shares of 12,000 rows of the simulated school by mean score. Who has no score yet is
  // a case for a model: no rule of thumb.
  fallback: ['STORED', 'RULE'],
  rule({ courseMeanScore, meanScore }) {
    const mean = courseMeanScore ?? meanScore
    if (typeof mean !== 'number') return null
    if (mean < 50) return 0.65
    if (mean < 60) return 0.55
    if (mean < 70) return 0.4
    return mean < 80 ? 0.28 : 0.1
  },
  bands: { LOW: 0, MEDIUM: 0.25, HIGH: 0.5 },
  gates: { auc: { min: 0.7 }, calibrationError: { max: 0.05 } },
  threshold: 0.5,
  alerts: { owner: 'course team', accuracy: { min: 0.75 }, recall: { min: 0.3 } },
  outcomes: { withinDays: 30 },
  retrain: { every: '0 4 * * 1', timeZone: 'Europe/Berlin', onDrift: true, onOutcomes: 5000 },
})
