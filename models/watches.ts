import type { ChangeWatch } from '../index.ts'

/** Tables whose rows say something about a learner to churn and struggle. */
const ABOUT_LEARNERS = ['Attempt', 'Activity', 'StudySession', 'Review', 'Enrollment']
const ABOUT_MEMBERS = ['Payment', 'Subscription', 'Cancellation']

/** Rows whose changes put stored scores out of date. For struggle a change is about all the objectives of its learner. */
export const watches: readonly ChangeWatch[] = [
  ...ABOUT_LEARNERS.map((table) => watch(table, 'struggle', { learnerId: 'learnerId' })),
  ...[...ABOUT_LEARNERS, ...ABOUT_MEMBERS].map((table) => watch(table, 'churn', { id: 'learnerId' })),
  watch('Learner', 'churn', { id: 'id' }),
  watch('Attempt', 'withdrawal', { id: 'enrollmentId' }),
  watch('Enrollment', 'withdrawal', { id: 'id' }),
]

function watch(table: string, model: string, key: ChangeWatch['key']): ChangeWatch {
  return { schema: 'learning', table, model, key }
}
