import type { Job } from '../../jobs/job.ts'
import { withErrors } from '../../schema/errors.ts'
import type { JobRefs } from './jobs.ts'
import type { JobsBuilder } from './subgraph.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
type ResultOf = (payload: any, unionName: string) => any

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
  const failures = ['NotFoundError', 'ConflictError', 'TooManyJobsError'] as const
  builder.mutationFields((t) => ({
    cancelJob: t.field({
      type: payload('CancelJob', 'The job: CANCELLED, or CANCELLING until its work has stopped.'),
      description: 'Stops a job and its children. What its steps have committed stays.',
      args: { input: t.arg({ type: CancelInput, required: true, description: 'Which job.' }) },
      resolve: (_root, { input }, { jobs, viewer }) =>
        withErrors(failures, async () => ({
          job: await jobs.cancel(String(input.id), viewer, input.reason?.slice(0, 500) ?? undefined),
        })) as never,
    }),
    retryJob: t.field({
      type: payload('RetryJob', 'The job, queued again.'),
      description: 'Queues a FAILED or CANCELLED job again. It continues after its last committed step.',
      args: { input: t.arg({ type: RetryInput, required: true, description: 'Which job.' }) },
      resolve: (_root, { input }, { jobs, viewer }) =>
        withErrors(failures, async () => ({ job: await jobs.retry(String(input.id), viewer) })) as never,
    }),
  }))
}
