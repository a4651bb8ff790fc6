import type { Things } from './stand.ts'

export const missing: Things = {
  learnerId: 'nobody',
  courseId: 'nothing',
  presentationId: 'nothing',
  objectiveId: 'nothing',
  enrollmentId: 'nothing',
  jobId: '00000000-0000-4000-8000-000000000000',
  scheduleId: '00000000-0000-4000-8000-000000000001',
}

/** An answer with every key of some things replaced by its name: what is left is what the answer says about them. */
export function withoutKeys(text: string, things: Things): string {
  return Object.entries(things)
    .sort(([, a], [, b]) => b.length - a.length)
    .reduce((rest, [name, id]) => rest.replaceAll(id, `<${name}>`), text)
}

/** Everything that can be asked by a key, as fields of the gateway's roots. */
export const lookups: Readonly<Record<string, string>> = {
  'a learner and what hangs on it':
    'query($learnerId: ID!) { learner(id: $learnerId) { id name churn { probability } churnScore attempts(first: 1) { totalCount } } }',
  'a course': 'query($courseId: ID!) { course(id: $courseId) { id title presentations { totalCount } } }',
  'a presentation':
    'query($presentationId: ID!) { presentation(id: $presentationId) { id code enrollments { totalCount } } }',
  'an objective': 'query($objectiveId: ID!) { objective(id: $objectiveId) { id title attempts { totalCount } } }',
  'an enrolment':
    'query($enrollmentId: ID!) { enrollment(id: $enrollmentId) { id learner { name } withdrawal { probability } } }',
  'a progress':
    'query($learnerId: ID!, $objectiveId: ID!) { progress(learnerId: $learnerId, objectiveId: $objectiveId) { state struggle { probability } } }',
  'a job': 'query($jobId: ID!) { job(id: $jobId) { id state result input events { edges { node { at } } } } }',
  'a schedule': 'query($scheduleId: ID!) { schedule(id: $scheduleId) { id name lastJob { id } } }',
  'lists filtered by a key': `query($learnerId: ID!, $presentationId: ID!, $courseId: ID!, $jobId: ID!, $scheduleId: ID!) {
      learners(where: { id: { equals: $learnerId } }) { totalCount nodes { name } }
      enrolled: learners(where: { enrolledIn: $presentationId }) { totalCount nodes { name } }
      taking: learners(where: { enrolledInCourse: $courseId }) { totalCount nodes { name } }
      courses(where: { id: { equals: $courseId } }) { totalCount nodes { title } }
      enrollments(where: { learnerId: { equals: $learnerId } }) { totalCount nodes { id } }
      jobs(where: { scheduleId: $scheduleId }) { totalCount }
      children: jobs(where: { parentId: $jobId }) { totalCount }
    }`,
}

/** Everything that can be done to a thing with a key. */
export const acts: Readonly<Record<string, string>> = {
  recordAttempt: `mutation($learnerId: ID!, $objectiveId: ID!) { recordAttempt(input: { learnerId: $learnerId, objectiveId: $objectiveId, score: 1 }) {
    __typename ... on Error { code message hint } } }`,
  cancelJob:
    'mutation($jobId: ID!) { cancelJob(input: { id: $jobId }) { __typename ... on Error { code message hint } } }',
  retryJob:
    'mutation($jobId: ID!) { retryJob(input: { id: $jobId }) { __typename ... on Error { code message hint } } }',
  pauseSchedule: act('pauseSchedule'),
  resumeSchedule: act('resumeSchedule'),
  triggerSchedule: act('triggerSchedule'),
  deleteSchedule: act('deleteSchedule'),
}

function act(name: string): string {
  return `mutation($scheduleId: ID!) { ${name}(input: { id: $scheduleId }) { __typename ... on Error { code message hint } } }`
}
