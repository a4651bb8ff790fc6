import type { JobArtifact, JobAttempt, JobError, Progress } from '../../jobs/job.ts'
import { jobOutcomes, jobStates } from '../../jobs/states.ts'
import { badInput } from '../../schema/forward-page.ts'
import type { JobsBuilder } from './subgraph.ts'

export type PartRefs = ReturnType<typeof registerParts>

export const LEVELS = ['debug', 'info', 'warn', 'error'] as const
/** Of one artifact in one answer: larger ones are read in stretches. */
const MOST_BYTES = 1024 * 1024

/** Registers what belongs to a job: its state, progress, attempts, artifacts and metrics. */
export function registerParts(builder: JobsBuilder) {
  const JobStateRef = builder.enumType('JobState', {
    description: 'Where a job stands. SUCCEEDED, FAILED and CANCELLED are final.',
    values: jobStates,
  })
  const OutcomeRef = builder.enumType('JobOutcome', {
    description:
      'How an attempt ended. RELEASED: its worker stopped and gave the job back. SUSPENDED: it waits for its children.',
    values: jobOutcomes,
  })
  const LevelRef = builder.enumType('JobLogLevel', {
    description: 'How grave a line of the log is.',
    values: Object.fromEntries(LEVELS.map((level) => [level.toUpperCase(), { value: level }])) as Record<
      string,
      { value: (typeof LEVELS)[number] }
    >,
  })
  const ProgressRef = builder.objectRef<Progress>('JobProgress').implement({
    description: 'How far a job has come.',
    fields: (t) => ({
      done: t.exposeFloat('done', { description: 'How much is done.' }),
      total: t.exposeFloat('total', { nullable: true, description: 'How much there is; null when nobody knows.' }),
      unit: t.exposeString('unit', { nullable: true, description: 'What is counted, such as rows.' }),
      message: t.exposeString('message', { nullable: true, description: 'What it is doing.' }),
      etaAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it will be done at the pace of this attempt.',
        resolve: ({ etaAt }) => (etaAt ? new Date(etaAt) : null),
      }),
    }),
  })
  const ErrorRef = builder.objectRef<JobError>('JobError').implement({
    description: 'Why an attempt or a job failed.',
    fields: (t) => ({
      code: t.exposeString('code', { description: 'A stable code for programs.' }),
      message: t.exposeString('message', { description: 'What happened.' }),
      hint: t.exposeString('hint', { description: 'What to do next.' }),
    }),
  })
  const AttemptRef = builder.objectRef<JobAttempt>('JobAttempt').implement({
    description: 'One run of a job by one worker.',
    fields: (t) => ({
      number: t.exposeInt('number', { description: '1, 2, 3 ...' }),
      worker: t.exposeString('worker', { description: 'Who ran it.' }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
      outcome: t.expose('outcome', { type: OutcomeRef, nullable: true, description: 'Null while it runs.' }),
      error: t.expose('error', { type: ErrorRef, nullable: true, description: 'Why it did not succeed.' }),
    }),
  })
  const ArtifactRef = builder.objectRef<JobArtifact>('JobArtifact').implement({
    description: 'Bytes that a job keeps.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Unique in its job.' }),
      mediaType: t.exposeString('mediaType', { description: 'Such as text/csv.' }),
      sizeBytes: t.int({ description: 'How many bytes.', resolve: ({ size }) => size }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was kept.' }),
      base64: t.string({
        description: 'Its bytes, or a stretch of them.',
        args: {
          offset: t.arg.int({ description: 'How many bytes to leave out at the beginning. Default: 0.' }),
          length: t.arg.int({ description: 'At most so many bytes; 1,048,576 at most, which is the default.' }),
        },
        resolve: async ({ jobId, name }, { offset, length }, { jobs }) => {
          const stretch = { offset: offset ?? 0, length: length ?? MOST_BYTES }
          if (stretch.offset < 0 || stretch.length < 0 || stretch.length > MOST_BYTES)
            throw badInput(`offset must not be negative, and length be between 0 and ${MOST_BYTES}.`)
          return Buffer.from(await jobs.artifact(jobId, name, stretch)).toString('base64')
        },
      }),
    }),
  })
  const MetricRef = builder.objectRef<{ name: string; value: number }>('JobMetric').implement({
    description: 'A figure that a job measured.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'What was measured.' }),
      value: t.exposeFloat('value', { description: 'The figure.' }),
    }),
  })
  return { JobStateRef, LevelRef, ProgressRef, ErrorRef, AttemptRef, ArtifactRef, MetricRef }
}
