import type { Jobs } from '../../jobs/engine.ts'
import type { Job } from '../../jobs/job.ts'
import { cursorOf, type JobFilter, type ListOptions } from '../../jobs/list.ts'
import { entityExtensions } from '../../schema/federation.ts'
import { forwardPage } from '../../schema/forward-page.ts'
import type { PartRefs } from './parts.ts'
import type { JobsBuilder, JobsContext } from './subgraph.ts'

export type JobRefs = ReturnType<typeof registerJobs>

/** Registers `Job` and what belongs to it, and the queries that find jobs. */
export function registerJobs(builder: JobsBuilder, parts: PartRefs) {
  const { JobStateRef, ErrorRef, ProgressRef, AttemptRef, ArtifactRef, MetricRef } = parts
  const JobRef = builder.objectRef<Job>('Job')
  JobRef.implement({
    description: 'One durable execution: it survives crashes, continues after its last step, and can be watched live.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions(
      ({ id }: { id: string }, context: JobsContext) => context.jobOf.load(id),
      ['jobs:read'],
    ),
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
      artifact: t.field({
        type: ArtifactRef,
        nullable: true,
        description: 'What it keeps under a name.',
        args: { name: t.arg.string({ required: true, description: 'The name.' }) },
        resolve: async ({ id }, { name }, context) =>
          (await context.artifactsOf.load(id)).find((artifact) => artifact.name === name) ?? null,
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
      scheduleId: t.id({ description: 'Started by this schedule.' }),
      createdSince: t.field({ type: 'DateTime', description: 'Enqueued at or after this moment.' }),
    }),
  })

  builder.queryFields((t) => ({
    job: t.field({
      scopes: ['jobs:read'],
      type: JobRef,
      nullable: true,
      description: 'A job by its id; null when there is none that you may see.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: (_root, { id }, context) => context.jobOf.load(String(id)),
    }),
    jobs: t.connection(
      {
        scopes: ['jobs:read'],
        type: JobRef,
        description: 'Jobs, newest first. Forward only: `last` and `before` are refused.',
        args: { where: t.arg({ type: FilterRef, description: 'Which jobs.' }) },
        resolve: (_root, args, { jobs, viewer }) => {
          const filter = filterOf(args.where)
          return forwardPage(args, viewer, (page) => listOf(jobs, { ...filter, ...page, viewer }), cursorOf, { filter })
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
  return { ...parts, JobRef, FilterRef }
}

type Where = { readonly [Name in keyof JobFilter]?: JobFilter[Name] | null }

/** What a `where` asks for. Ids that are none match nothing rather than disturb the database. */
export function filterOf(where: Where | null | undefined): JobFilter {
  return Object.fromEntries(Object.entries(where ?? {}).filter(([, value]) => value != null))
}

/** A page of jobs as a connection wants it. */
export async function listOf(jobs: Jobs, options: ListOptions): Promise<{ nodes: readonly Job[]; hasNext: boolean }> {
  const page = await jobs.list(options)
  return { nodes: page.jobs, hasNext: page.hasNext }
}
