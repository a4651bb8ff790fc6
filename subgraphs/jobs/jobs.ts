import { GraphQLError } from 'graphql'
import type { JobEvent } from '../../jobs/event.ts'
import type { Job, JobArtifact, JobAttempt, JobError, Progress } from '../../jobs/job.ts'
import { cursorOf, type JobFilter } from '../../jobs/list.ts'
import { jobOutcomes, jobStates } from '../../jobs/states.ts'
import { isInklingError } from '../../platform/errors.ts'
import { entityExtensions } from '../../schema/federation.ts'
import { checkPage, DEFAULT_PAGE } from '../../schema/pagination.ts'
import type { JobsBuilder, JobsContext } from './subgraph.ts'

export type JobRefs = ReturnType<typeof registerJobs>

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** Registers `Job` and what belongs to it, and the queries that find jobs. */
export function registerJobs(builder: JobsBuilder) {
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
    }),
  })
  const MetricRef = builder.objectRef<{ name: string; value: number }>('JobMetric').implement({
    description: 'A figure that a job measured.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'What was measured.' }),
      value: t.exposeFloat('value', { description: 'The figure.' }),
    }),
  })
  const LogLineRef = builder.objectRef<JobEvent>('JobLogLine').implement({
    description: 'One line of the log of a job.',
    fields: (t) => ({
      sequence: t.exposeInt('sequence', { description: 'Its number among the events of the job; the cursor.' }),
      at: t.expose('at', { type: 'DateTime', description: 'When it was written.' }),
      level: t.field({
        type: LevelRef,
        description: 'How grave it is.',
        resolve: ({ data }) => data.level as (typeof LEVELS)[number],
      }),
      message: t.string({ description: 'What it says.', resolve: ({ data }) => String(data.message) }),
    }),
  })

  const JobRef = builder.objectRef<Job>('Job')
  JobRef.implement({
    description: 'One durable execution: it survives crashes, continues after its last step, and can be watched live.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(({ id }: { id: string }, context: JobsContext) => context.jobOf.load(id)),
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      kind: t.exposeString('kind', { description: 'What kind of work it is, such as train.' }),
      state: t.expose('state', { type: JobStateRef, description: 'Where it stands.' }),
      reason: t.exposeString('reason', {
        nullable: true,
        description: 'Why it stands there, where that is not plain.',
      }),
      startedBy: t.exposeString('viewerId', { description: 'The id of the viewer who started it.' }),
      input: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it was given.',
        resolve: ({ input }) => input,
      }),
      result: t.field({ type: 'JSON', nullable: true, description: 'What it gave.', resolve: ({ result }) => result }),
      error: t.expose('error', { type: ErrorRef, nullable: true, description: 'Why its last attempt failed.' }),
      progress: t.expose('progress', { type: ProgressRef, nullable: true, description: 'How far it has come.' }),
      attempts: t.field({
        type: [AttemptRef],
        description: 'Its runs, in order.',
        resolve: ({ id }, _args, context) => context.attemptsOf.load(id),
      }),
      maxAttempts: t.exposeInt('maxAttempts', { description: 'Attempts that may fail before it is FAILED.' }),
      nextAttemptAt: t.expose('dueAt', {
        type: 'DateTime',
        nullable: true,
        description: 'Earliest start of the next attempt: of a SCHEDULED or RETRYING job.',
      }),
      heartbeatAt: t.expose('heartbeatAt', {
        type: 'DateTime',
        nullable: true,
        description: 'Last sign of life of the worker that runs it.',
      }),
      metrics: t.field({
        type: [MetricRef],
        description: 'Figures it measured.',
        resolve: ({ metrics }) => Object.entries(metrics).map(([name, value]) => ({ name, value })),
      }),
      costUsd: t.exposeFloat('costUsd', { description: 'What it has spent.' }),
      artifacts: t.field({
        type: [ArtifactRef],
        description: 'What it keeps.',
        resolve: ({ id }, _args, context) => context.artifactsOf.load(id),
      }),
      logs: t.field({
        type: [LogLineRef],
        description: 'Lines of its log, oldest first.',
        args: {
          first: t.arg.int({ description: 'At most so many lines. Default: 20.' }),
          after: t.arg.int({ description: 'Only lines after this sequence.' }),
          levels: t.arg({ type: [LevelRef], description: 'Only lines of these levels.' }),
        },
        resolve: async ({ id }, { first, after, levels }, context) => {
          checkPage({ first }, context.viewer)
          const given = { first: first ?? DEFAULT_PAGE, after: after ?? 0, levels: levels ?? LEVELS }
          return (await context.jobs.eventPage(id, given)).events
        },
      }),
      parent: t.field({
        type: JobRef,
        nullable: true,
        description: 'The job that made it.',
        resolve: ({ parentId }, _args, context) => (parentId ? context.jobOf.load(parentId) : null),
      }),
      children: t.field({
        type: [JobRef],
        description: 'The jobs it made, newest first; 100 at most.',
        resolve: async ({ id }, _args, context) => [
          ...(await context.jobs.list({ parentId: id, viewer: context.viewer, first: 100 })).jobs,
        ],
      }),
      idempotencyKey: t.exposeString('idempotencyKey', { nullable: true, description: 'What makes it be made once.' }),
      priority: t.exposeInt('priority', { description: '-100..100, higher first.' }),
      tags: t.stringList({ description: 'Marks to find it by.', resolve: ({ tags }) => [...tags] }),
      lastSequence: t.exposeInt('lastSequence', { description: 'The number of its newest event.' }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was enqueued.' }),
      startedAt: t.expose('startedAt', {
        type: 'DateTime',
        nullable: true,
        description: 'When its first attempt began.',
      }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'When it was over.' }),
    }),
  })

  const FilterRef = builder.inputType('JobWhere', {
    description: 'Which jobs. Every condition given must hold.',
    fields: (t) => ({
      kinds: t.stringList({ description: 'Of one of these kinds.' }),
      states: t.field({ type: [JobStateRef], description: 'In one of these states.' }),
      tag: t.string({ description: 'With this tag.' }),
      parentId: t.id({ description: 'Made by this job.' }),
      createdSince: t.field({ type: 'DateTime', description: 'Enqueued at or after this moment.' }),
    }),
  })

  builder.queryFields((t) => ({
    job: t.field({
      type: JobRef,
      nullable: true,
      description: 'A job by its id; null when there is none that you may see.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: (_root, { id }, context) => context.jobOf.load(String(id)),
    }),
    jobs: t.connection(
      {
        type: JobRef,
        description: 'Jobs, newest first. Forward only: `last` and `before` are refused.',
        args: { where: t.arg({ type: FilterRef, description: 'Which jobs.' }) },
        resolve: async (_root, args, context) => {
          checkPage(args, context.viewer)
          if (args.last != null || args.before != null)
            throw badInput('This list is read forward: use first and after.')
          const filter = filterOf(args.where)
          const options = {
            ...filter,
            viewer: context.viewer,
            first: args.first ?? DEFAULT_PAGE,
            after: args.after ?? undefined,
          }
          const page = await refusedAsInput(() => context.jobs.list(options))
          const edges = page.jobs.map((node) => ({ cursor: cursorOf(node), node }))
          return {
            filter,
            edges,
            pageInfo: {
              hasNextPage: page.hasNext,
              hasPreviousPage: args.after != null,
              startCursor: edges[0]?.cursor ?? null,
              endCursor: edges.at(-1)?.cursor ?? null,
            },
          } as never
        },
      },
      {
        description: 'A page of jobs.',
        fields: (fields) => ({
          totalCount: fields.int({
            description: 'How many there are; counting stops at 10,000.',
            resolve: (connection, _args, context) =>
              context.jobs.count({
                ...(connection as unknown as { filter: JobFilter }).filter,
                viewer: context.viewer,
              }),
          }),
        }),
      },
      { description: 'A job of a page.' },
    ),
  }))
  return { JobRef, JobStateRef, ProgressRef, ErrorRef, LevelRef, FilterRef }
}

type Where = { readonly [Name in keyof JobFilter]?: JobFilter[Name] | null }

export function filterOf(where: Where | null | undefined): JobFilter {
  return Object.fromEntries(Object.entries(where ?? {}).filter(([, value]) => value != null))
}

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** What the engine refuses in a query's arguments is said to the client. */
export async function refusedAsInput<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isInklingError(error) && error.code === 'BAD_USER_INPUT') throw badInput(error.message)
    throw error
  }
}
