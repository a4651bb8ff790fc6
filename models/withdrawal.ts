import { defineModel } from './kit.ts'

export const withdrawal = defineModel({
  name: 'withdrawal',
  entity: 'Enrollment',
  question: 'Will this learner withdraw from the course within 30 days?',
  tenant: 'learner.tenant',
  group: 'learnerId',
  features: (f) => ({
    dayOfCourse: f.daysSince('presentation.startsAt', {
      immutable: true,
      unit: 'days',
      says: 'It is an early day of the course',
    }),
    daysToEnd: f.daysUntil('presentation.endsAt', {
      immutable: true,
      unit: 'days',
      says: 'Much of the course lies ahead',
    }),
    daysSinceRegistered: f.daysSince('registeredAt', {
      immutable: true,
      unit: 'days',
      says: 'Registered at an unusual time',
    }),
    course: f.category('presentation.course.code', { immutable: true, says: 'Many withdraw from this course' }),
    submissions: f.count('attempts', {
      at: 'submittedAt',
      unit: 'submissions',
      says: 'Has handed in little',
      saysLower: 'Has handed in a lot',
    }),
    submissions30d: f.count('attempts', {
      at: 'submittedAt',
      days: 30,
      unit: 'submissions',
      says: 'Handed in little in the last 30 days',
      saysLower: 'Handed in work in the last 30 days',
      actionable: { min: 0, step: 1, direction: 'up' },
    }),
    daysSinceSubmission: f.daysSince('attempts', 'submittedAt', {
      unit: 'days',
      says: 'Has not handed in anything lately',
    }),
    meanScore: f.avg('attempts', 'score', {
      at: 'submittedAt',
      unit: '%',
      says: 'Low scores',
      saysLower: 'Good scores',
    }),
    lastScore: f.last('attempts', 'score', { at: 'submittedAt', unit: '%', says: 'The last score was low' }),
    lowestScore: f.min('attempts', 'score', { at: 'submittedAt', unit: '%', says: 'Once scored very low' }),
    handedIn: f.ratio(
      f.count('attempts', { at: 'submittedAt' }),
      f.count('presentation.objectives', { immutable: true, where: { dueAt: { not: null } } }),
      { unit: 'of all tasks', says: 'Has handed in a small part of the tasks' },
    ),
    clicks14d: f.sum('learner.activities', 'clicks', {
      at: 'day',
      days: 14,
      lasts: { days: 1 },
      matching: ['presentationId'],
      unit: 'clicks',
      says: 'Hardly opens the course',
      saysLower: 'Opens the course often',
    }),
    daysSinceActive: f.daysSince('learner.activities', 'day', {
      lasts: { days: 1 },
      matching: ['presentationId'],
      unit: 'days',
      says: 'Has not opened the course lately',
    }),
    clicksBeforeStart: f.field('clicksBeforeStart', {
      immutable: true,
      knownFrom: 'presentation.startsAt',
      unit: 'clicks',
      says: 'Did not look around before the start',
    }),
    previousAttempts: f.field('previousAttempts', {
      immutable: true,
      unit: 'times',
      says: 'Has taken the course before',
    }),
    studiedCredits: f.field('studiedCredits', {
      immutable: true,
      unit: 'credits',
      says: 'Studies much at the same time',
    }),
    education: f.category('education', { immutable: true, says: 'Earlier education makes it harder' }),
    ageBand: f.category('ageBand', { immutable: true, says: 'Learners of this age withdraw more often' }),
  }),
  eligible: (f) =>
    f.all(
      f.holds({ validFrom: 'registeredAt', validTo: 'withdrawnAt' }),
      f.happened('presentation.startsAt'),
      f.not(f.happened('presentation.endsAt')),
    ),
  label: (f) => f.happens('withdrawnAt', { within: { days: 30 } }),
  snapshots: { every: { days: 30 }, from: 'presentation.startsAt' },
  bands: { LOW: 0, MEDIUM: 0.1, HIGH: 0.25 },
  gates: { auc: { min: 0.7 }, calibrationError: { max: 0.05 } },
  threshold: 0.5,
  alerts: { owner: 'course team', auc: { min: 0.65 } },
  retrain: { every: '30 3 * * 1', timeZone: 'Europe/Berlin', onDrift: true },
})
