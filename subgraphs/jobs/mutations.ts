import type { Job } from '../../jobs/job.ts'
import { InklingError } from '../../platform/errors.ts'
import { withErrors } from '../../schema/errors.ts'
import type { JobRefs } from './jobs.ts'
import { requireKind } from './kinds.ts'
import type { JobsBuilder } from './subgraph.ts'

/** Oldest first, each in a transaction of its own: more would take longer than a request should. */
const MOST_REDRIVEN = 1000

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
export type ResultOf = (payload: any, unionName: string) => any

/** Registers the mutations on jobs. */
export function registerMutations(builder: JobsBuilder, { JobRef }: JobRefs, resultOf: ResultOf): void {
  const payload = (name: string, description: string) =>
    resultOf(
      builder.objectRef<{ job: Job }>(`${name}Payload`).implement({
        description,
        fields: (t) => ({ job: t.expose('job', { type: JobRef, description: 'The job as it is now.' }) }),
      }),
      `${name}Result`,
    )
  const CancelInput = builder.inputType('CancelJobInput', {
    description: 'Which job to cancel.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Its id.' }),
      reason: t.string({ description: 'Why; shown with the job.' }),
    }),
  })
  const RetryInput = builder.inputType('RetryJobInput', {
    description: 'Which job to retry.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Its id.' }) }),
  })
  const RedriveInput = builder.inputType('RedriveJobsInput', {
    description: 'Which failed jobs to retry.',
    fields: (t) => ({
      kind: t.string({ description: 'Only jobs of this kind.' }),
      limit: t.int({ description: 'At most so many, the oldest first. Default: 100; at most 1,000.' }),
    }),
  })
  const RedrivePayload = builder.objectRef<{ count: number }>('RedriveJobsPayload').implement({
    description: 'What was queued again.',
    fields: (t) => ({ count: t.exposeInt('count', { description: 'How many jobs.' }) }),
  })
  const failures = ['NotFoundError', 'ConflictError', 'TooManyJobsError'] as const
  builder.mutationFields((t) => ({
    cancelJob: t.field({
      scopes: ['jobs:write'],
      type: payload('CancelJob', 'The job: CANCELLED, or CANCELLING until its work has stopped.'),
      description: 'Stops a job and its children. What its steps have committed stays.',
      args: { input: t.arg({ type: CancelInput, required: true, description: 'Which job.' }) },
      resolve: (_root, { input }, { jobs, viewer }) =>
        withErrors(failures, async () => ({
          job: await jobs.cancel(String(input.id), viewer, input.reason?.slice(0, 500).toWellFormed()),
        })) as never,
    }),
    retryJob: t.field({
      scopes: ['jobs:write'],
      type: payload('RetryJob', 'The job, queued again.'),
      description: 'Queues a FAILED or CANCELLED job again. It continues after its last committed step.',
      args: { input: t.arg({ type: RetryInput, required: true, description: 'Which job.' }) },
      resolve: (_root, { input }, { jobs, viewer }) =>
        withErrors(failures, async () => {
          const { id, kind } = await jobs.get(String(input.id), viewer)
          requireKind({ jobs, viewer }, kind)
          return { job: await jobs.retry(id, viewer) }
        }) as never,
    }),
    redriveJobs: t.field({
      scopes: ['jobs:write'],
      type: resultOf(RedrivePayload, 'RedriveJobsResult'),
      description: 'Retries the FAILED jobs, which are the dead letters. Each continues after its last committed step.',
      args: { input: t.arg({ type: RedriveInput, required: true, description: 'Which jobs.' }) },
      resolve: (_root, { input }, { jobs, viewer }) =>
        withErrors(['InvalidInputError'], async () => {
          requireKind({ jobs, viewer }, input.kind ?? undefined)
          const limit = input.limit ?? 100
          if (limit < 1 || limit > MOST_REDRIVEN)
            throw new InklingError('BAD_USER_INPUT', `The limit ${limit} is refused.`, 'Use 1 to 1,000.')
          return { count: await jobs.redrive({ kind: input.kind ?? undefined, limit, viewer }) }
        }) as never,
    }),
  }))
}
