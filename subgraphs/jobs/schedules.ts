import { setImmediate } from 'node:timers/promises'
import type { Jobs } from '../../jobs/engine.ts'
import type { Job } from '../../jobs/job.ts'
import { cursorOf } from '../../jobs/list.ts'
import type { Schedule } from '../../jobs/schedule.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { withErrors } from '../../schema/errors.ts'
import { badInput, forwardPage, refusedAsInput } from '../../schema/forward-page.ts'
import { parseJson } from '../../schema/text.ts'
import { type JobRefs, listOf } from './jobs.ts'
import { requireKind } from './kinds.ts'
import type { ResultOf } from './mutations.ts'
import type { JobsBuilder, JobsContext } from './subgraph.ts'

const DEFAULT_RUNS = 5
/** The moments of a sparse rule cost milliseconds each, on this thread. */
const MOST_RUNS = 25

/** Registers schedules, their queries and their mutations. */
export function registerSchedules(builder: JobsBuilder, { JobRef }: JobRefs, resultOf: ResultOf): void {
  const MissedRef = builder.enumType('MissedPolicy', {
    description: 'What becomes of runs that are more than a minute late because no worker was there.',
    values: {
      SKIP: { description: 'They are left out.' },
      ONCE: { description: 'The newest of them is made good; a run on time stands for them.' },
      ALL: { description: 'Each is made good, one after the other.' },
    } as const,
  })
  const OverlapRef = builder.enumType('OverlapPolicy', {
    description: 'What becomes of a run whose predecessor is not over.',
    values: {
      SKIP: { description: 'It is left out.' },
      QUEUE: { description: 'It waits until all before it are over, however they end.' },
      CANCEL_PREVIOUS: { description: 'Those before it are cancelled; it begins when they have stopped.' },
    } as const,
  })
  const ScheduleRef = builder.objectRef<Schedule>('Schedule').implement({
    description: 'A job that is started again and again: one job per occurrence, however many workers there are.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      name: t.exposeString('name', { description: 'What it is called; unique.' }),
      kind: t.exposeString('kind', { description: 'The kind of its jobs.' }),
      input: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What its jobs are given.',
        resolve: ({ input }) => input,
      }),
      expression: t.exposeString('expression', { description: 'Cron, or an RFC 5545 recurrence rule.' }),
      timeZone: t.exposeString('timeZone', { description: 'The clock it goes by, such as Europe/Berlin.' }),
      missed: t.expose('missed', { type: MissedRef, description: 'What becomes of missed runs.' }),
      overlap: t.expose('overlap', { type: OverlapRef, description: 'What becomes of overlapping runs.' }),
      isPaused: t.exposeBoolean('isPaused', { description: 'Whether it starts nothing by itself.' }),
      nextAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it starts the next job; null while it is paused, and when its rule is over.',
        resolve: ({ nextAt, isPaused }) => (isPaused ? null : nextAt),
      }),
      nextRuns: t.field({
        type: ['DateTime'],
        description: 'The next moments of its rule from now on, paused or not.',
        args: { first: t.arg.int({ description: `How many. Default: ${DEFAULT_RUNS}; at most ${MOST_RUNS}.` }) },
        resolve: (schedule, { first }, context) => nextRuns(context, schedule, first),
      }),
      lastAt: t.expose('lastAt', { type: 'DateTime', nullable: true, description: 'When it last started a job.' }),
      lastJob: t.field({
        type: JobRef,
        nullable: true,
        description: 'The job it started last; null when there is none, or it is deleted by now.',
        resolve: ({ lastJobId }, _args, context) => (lastJobId ? context.jobOf.load(lastJobId) : null),
      }),
      problem: t.exposeString('problem', { nullable: true, description: 'Why its last occurrence started no job.' }),
      createdBy: t.exposeString('viewerId', {
        description: 'The id of the viewer who made it, and who starts its jobs.',
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
      jobs: t.connection(
        {
          type: JobRef,
          description: 'The jobs it started, newest first. Forward only.',
          resolve: ({ id }, args, { jobs, viewer }) =>
            forwardPage(args, viewer, (page) => listOf(jobs, { scheduleId: id, ...page, viewer }), cursorOf),
        },
        { description: 'A page of the jobs of a schedule.' },
        { description: 'A job of a page.' },
      ),
    }),
  })
  builder.objectField(JobRef, 'schedule', (t) =>
    t.field({
      type: ScheduleRef,
      nullable: true,
      description: 'What started it; null when a viewer or a job did, or the schedule is deleted.',
      resolve: ({ scheduleId }, _args, context) => (scheduleId ? context.scheduleOf.load(scheduleId) : null),
    }),
  )

  builder.queryFields((t) => ({
    schedule: t.field({
      scopes: ['jobs:read'],
      type: ScheduleRef,
      nullable: true,
      description: 'A schedule by its id; null when there is none that you may see.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: (_root, { id }, context) => context.scheduleOf.load(String(id)),
    }),
    schedules: t.connection(
      {
        scopes: ['jobs:read'],
        type: ScheduleRef,
        description: 'Schedules, oldest first. Forward only.',
        resolve: (_root, args, { jobs, viewer }) =>
          forwardPage(
            args,
            viewer,
            async (page) => {
              const { schedules, hasNext } = await jobs.schedules.list({ viewer, ...page })
              return { nodes: schedules, hasNext }
            },
            cursorOf,
          ),
      },
      {
        description: 'A page of schedules.',
        fields: (fields) => ({
          totalCount: fields.int({
            description: 'How many there are.',
            resolve: (_page, _args, { jobs, viewer }) => jobs.schedules.count(viewer),
          }),
        }),
      },
      { description: 'A schedule of a page.' },
    ),
    nextRuns: t.field({
      scopes: ['jobs:read'],
      type: ['DateTime'],
      description: 'The next moments of a rule, before anything is scheduled by it.',
      args: {
        expression: t.arg.string({ required: true, description: 'Cron, or an RFC 5545 recurrence rule.' }),
        timeZone: t.arg.string({ description: 'IANA name. Default: UTC.' }),
        first: t.arg.int({ description: `How many. Default: ${DEFAULT_RUNS}; at most ${MOST_RUNS}.` }),
      },
      resolve: (_root, { expression, timeZone, first }, context) =>
        nextRuns(context, { expression, timeZone: timeZone ?? 'UTC' }, first),
    }),
  }))

  const CreateInput = builder.inputType('CreateScheduleInput', {
    description: 'What to start, and when.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'What to call it; unique.' }),
      kind: t.string({ required: true, description: 'The kind of its jobs.' }),
      input: t.string({ description: 'What its jobs are given, as JSON, such as {"model":"churn"}. Default: {}.' }),
      expression: t.string({
        required: true,
        description: 'Cron, such as "0 3 * * *", or a rule, such as "FREQ=WEEKLY;BYDAY=MO".',
      }),
      timeZone: t.string({ description: 'IANA name, such as Europe/Berlin. Default: UTC.' }),
      missed: t.field({ type: MissedRef, description: 'What becomes of missed runs. Default: ONCE.' }),
      overlap: t.field({ type: OverlapRef, description: 'What becomes of overlapping runs. Default: SKIP.' }),
    }),
  })
  const IdInput = builder.inputType('ScheduleInput', {
    description: 'Which schedule.',
    fields: (t) => ({ id: t.id({ required: true, description: 'Its id.' }) }),
  })
  const payload = (name: string, description: string) =>
    resultOf(
      builder.objectRef<{ schedule: Schedule }>(`${name}Payload`).implement({
        description,
        fields: (t) => ({ schedule: t.expose('schedule', { type: ScheduleRef, description: 'The schedule.' }) }),
      }),
      `${name}Result`,
    )
  const TriggerPayload = builder.objectRef<{ schedule: Schedule; job: Job }>('TriggerSchedulePayload').implement({
    description: 'The job that was started.',
    fields: (t) => ({
      schedule: t.expose('schedule', { type: ScheduleRef, description: 'The schedule.' }),
      job: t.expose('job', { type: JobRef, description: 'The new job.' }),
    }),
  })
  const failures = ['InvalidInputError', 'NotFoundError', 'ConflictError', 'TooManyJobsError'] as const
  builder.mutationFields((t) => {
    const input = { input: t.arg({ type: IdInput, required: true, description: 'Which schedule.' }) }
    return {
      createSchedule: t.field({
        scopes: ['jobs:write'],
        type: payload('CreateSchedule', 'The new schedule.'),
        description: 'Starts a kind of job again and again.',
        args: { input: t.arg({ type: CreateInput, required: true, description: 'What and when.' }) },
        resolve: (_root, { input: given }, { jobs, viewer }) =>
          withErrors(failures, async () => {
            requireKind({ jobs, viewer }, given.kind)
            const { timeZone, missed, overlap, ...rest } = given
            const wanted = { ...rest, input: parseJson(given.input ?? '{}'), timeZone: timeZone ?? undefined }
            const policies = { missed: missed ?? undefined, overlap: overlap ?? undefined }
            return { schedule: await jobs.schedules.create({ ...wanted, ...policies }, viewer) }
          }) as never,
      }),
      pauseSchedule: t.field({
        scopes: ['jobs:write'],
        type: payload('PauseSchedule', 'The schedule, paused.'),
        description: 'Lets a schedule start nothing by itself. Its jobs that run go on.',
        args: input,
        resolve: (_root, { input: { id } }, { jobs, viewer }) =>
          withErrors(failures, async () => ({ schedule: await jobs.schedules.pause(String(id), viewer) })) as never,
      }),
      resumeSchedule: t.field({
        scopes: ['jobs:write'],
        type: payload('ResumeSchedule', 'The schedule, going on.'),
        description: 'Goes on with the next occurrence from now: those of the pause count as never due.',
        args: input,
        resolve: (_root, { input: { id } }, { jobs, viewer }) =>
          withErrors(failures, async () => {
            await requireOwn(jobs, id, viewer)
            return { schedule: await jobs.schedules.resume(String(id), viewer) }
          }) as never,
      }),
      triggerSchedule: t.field({
        scopes: ['jobs:write'],
        type: resultOf(TriggerPayload, 'TriggerScheduleResult'),
        description:
          'Starts a job now, also of a paused schedule. Refused where a job is not over and overlap is SKIP.',
        args: input,
        resolve: (_root, { input: { id } }, { jobs, viewer }) =>
          withErrors(failures, async () => {
            await requireOwn(jobs, id, viewer)
            return jobs.schedules.trigger(String(id), viewer)
          }) as never,
      }),
      deleteSchedule: t.field({
        scopes: ['jobs:write'],
        type: payload('DeleteSchedule', 'The schedule as it was.'),
        description: 'Deletes a schedule. Its jobs stay.',
        args: input,
        resolve: (_root, { input: { id } }, { jobs, viewer }) =>
          withErrors(failures, async () => ({ schedule: await jobs.schedules.remove(String(id), viewer) })) as never,
      }),
    }
  })
}

/** Refuses who may not start what the schedule starts. One that is not there, or not the viewer's, is left to the act itself. */
async function requireOwn(jobs: Jobs, id: string | number, viewer: Viewer): Promise<void> {
  const [schedule] = await jobs.schedules.find([String(id)], viewer)
  if (schedule) requireKind({ jobs, viewer }, schedule.kind)
}

async function nextRuns(
  { jobs, instant }: JobsContext,
  recurrence: Pick<Schedule, 'expression' | 'timeZone'>,
  first: number | null | undefined,
): Promise<Date[]> {
  const count = first ?? DEFAULT_RUNS
  if (count < 0 || count > MOST_RUNS) throw badInput(`first must be between 0 and ${MOST_RUNS}.`)
  await setImmediate() // many of them in one query must not hold up everything else
  return refusedAsInput(() => jobs.schedules.preview(recurrence, instant, count))
}
