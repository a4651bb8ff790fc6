import type { Jobs } from '../../jobs/engine.ts'
import type { CutEvent, JobEvent } from '../../jobs/event.ts'
import type { JobError, Progress } from '../../jobs/job.ts'
import type { LogLevel } from '../../jobs/kind.ts'
import type { JobState } from '../../jobs/states.ts'
import { type InklingError, isInklingError } from '../../platform/errors.ts'
import { badInput, forwardPage } from '../../schema/forward-page.ts'
import type { JobRefs } from './jobs.ts'
import { LEVELS } from './parts.ts'
import type { JobsBuilder, JobsContext } from './subgraph.ts'

/** Why nothing can be followed: an event like the others, since an iterator that throws loses its message on the way. */
interface RefusedEvent {
  readonly type: 'REFUSED'
  readonly jobId: string
  readonly sequence: number
  readonly at: Date
  readonly error: InklingError
}
type AnyEvent = JobEvent | CutEvent | RefusedEvent

const typeNames: Partial<Record<AnyEvent['type'], string>> = {
  SUCCEEDED: 'JobSucceeded',
  FAILED: 'JobFailed',
  CANCELLED: 'JobCancelled',
  PROGRESS: 'JobProgressed',
  LOG: 'JobLogged',
  STEP: 'JobStepCommitted',
  ARTIFACT: 'JobArtifactKept',
  CUT: 'JobEventsCut',
  REFUSED: 'JobEventsRefused',
}

/** Registers the events of jobs and the subscription that follows them. */
export function registerEvents(
  builder: JobsBuilder,
  { JobRef, JobStateRef, ProgressRef, ErrorRef, LevelRef }: JobRefs,
): void {
  const EventRef = builder.interfaceRef<AnyEvent>('JobEvent').implement({
    description:
      'Something that happened to a job. JobSucceeded, JobFailed and JobCancelled end the stream, as do the two JobEvents... types.',
    resolveType: (event) => typeNames[event.type] ?? 'JobMoved',
    fields: (t) => ({
      jobId: t.exposeID('jobId', { description: 'The job.' }),
      sequence: t.exposeInt('sequence', {
        description: 'Counts from 1 without gaps. Pass the last one as `after` to resume.',
      }),
      at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
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
        resolve: ({ data }) => data.level as LogLevel,
      }),
      message: t.string({ description: 'What it says.', resolve: ({ data }) => String(data.message) }),
    }),
  })
  const interfaces = [EventRef]
  const eventType = (name: string) => builder.objectRef<JobEvent>(name)
  const reason = (event: JobEvent) => (event.data.reason as string | undefined) ?? null
  const error = (event: JobEvent) => (event.data.error as JobError | undefined) ?? null

  eventType('JobMoved').implement({
    interfaces,
    description: 'It moved to another state that is not final.',
    fields: (t) => ({
      state: t.field({
        type: JobStateRef,
        description: 'Where it stands now.',
        resolve: (event) => event.type as JobState,
      }),
      reason: t.string({ nullable: true, description: 'Why, where that is not plain.', resolve: reason }),
      attempt: t.int({ description: 'Attempts begun so far.', resolve: ({ data }) => Number(data.attempt ?? 0) }),
      error: t.field({ type: ErrorRef, nullable: true, description: 'Why its last attempt failed.', resolve: error }),
      nextAttemptAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'When it will be tried again.',
        resolve: ({ data }) => (data.dueAt ? new Date(data.dueAt as string) : null),
      }),
    }),
  })
  eventType('JobProgressed').implement({
    interfaces,
    description: 'It has come further. A reader that lags is shown only the newest of these.',
    fields: (t) => ({
      progress: t.field({
        type: ProgressRef,
        description: 'How far.',
        resolve: ({ data }) => data as unknown as Progress,
      }),
    }),
  })
  eventType('JobLogged').implement({
    interfaces,
    description: 'It wrote a line to its log.',
    fields: (t) => ({
      level: t.field({ type: LevelRef, description: 'How grave.', resolve: ({ data }) => data.level as 'info' }),
      message: t.string({ description: 'What it says.', resolve: ({ data }) => String(data.message) }),
    }),
  })
  eventType('JobStepCommitted').implement({
    interfaces,
    description: 'A step is done for good: no later attempt does it again.',
    fields: (t) => ({
      name: t.string({ description: 'The step.', resolve: ({ data }) => String(data.name) }),
      durationMs: t.int({ description: 'How long it took.', resolve: ({ data }) => Number(data.durationMs) }),
    }),
  })
  eventType('JobArtifactKept').implement({
    interfaces,
    description: 'It kept an artifact.',
    fields: (t) => ({ name: t.string({ description: 'Its name.', resolve: ({ data }) => String(data.name) }) }),
  })
  eventType('JobSucceeded').implement({
    interfaces,
    description: 'It is done. The last event.',
    fields: (t) => ({
      result: t.field({
        type: 'JSON',
        nullable: true,
        description: 'What it gave.',
        resolve: ({ data }) => data.result,
      }),
    }),
  })
  eventType('JobFailed').implement({
    interfaces,
    description: 'It failed and will not be tried again by itself. The last event.',
    fields: (t) => ({ error: t.field({ type: ErrorRef, nullable: true, description: 'Why.', resolve: error }) }),
  })
  eventType('JobCancelled').implement({
    interfaces,
    description: 'It was cancelled. The last event.',
    fields: (t) => ({ reason: t.string({ nullable: true, description: 'Why.', resolve: reason }) }),
  })
  builder.objectRef<CutEvent>('JobEventsCut').implement({
    interfaces,
    description:
      'You read too slowly and were let go. Subscribe again with this `sequence` as `after`: nothing is lost.',
    isTypeOf: (event) => (event as AnyEvent).type === 'CUT',
  })
  builder.objectRef<RefusedEvent>('JobEventsRefused').implement({
    interfaces,
    description: 'There is nothing to follow.',
    fields: (t) => ({
      code: t.string({ description: 'A stable code for programs.', resolve: (event) => event.error.code }),
      message: t.string({ description: 'What is wrong.', resolve: (event) => event.error.message }),
      hint: t.string({ description: 'What to do next.', resolve: (event) => event.error.hint }),
    }),
  })

  const pageOf = async (
    jobs: Jobs,
    id: string,
    page: { first: number; after?: string | undefined },
    levels?: LogLevel[],
  ) => {
    const { first, after = '0' } = page
    if (!/^\d{1,9}$/.test(after)) throw badInput('The cursor is refused: it is the sequence of an event.')
    const found = await jobs.eventPage(id, { first, after: Number(after), levels })
    return { nodes: found.events, hasNext: found.hasNext }
  }
  const cursorOf = ({ sequence }: JobEvent) => String(sequence)
  builder.objectFields(JobRef, (t) => ({
    events: t.connection(
      {
        type: EventRef,
        description: 'What happened to it, oldest first. Forward only; cursors are sequences.',
        resolve: ({ id }, args, { jobs, viewer }) =>
          forwardPage(args, viewer, (page) => pageOf(jobs, id, page), cursorOf),
      },
      { description: 'A page of the events of a job.' },
      { description: 'An event of a page.' },
    ),
    logs: t.connection(
      {
        type: LogLineRef,
        description: 'Lines of its log, oldest first. Forward only; cursors are sequences.',
        args: { levels: t.arg({ type: [LevelRef], description: 'Only lines of these levels.' }) },
        resolve: ({ id }, { levels, ...args }, { jobs, viewer }) =>
          forwardPage(args, viewer, (page) => pageOf(jobs, id, page, [...(levels ?? LEVELS)]), cursorOf),
      },
      { description: 'A page of the log of a job.' },
      { description: 'A line of a page.' },
    ),
  }))

  builder.subscriptionFields((t) => ({
    jobEvents: t.field({
      scopes: ['jobs:read'],
      type: EventRef,
      description:
        'The events of a job, stored ones first, then live, without gap or repeat. Ends after the final event of a job that is over.',
      args: {
        jobId: t.arg.id({ required: true, description: 'The job.' }),
        after: t.arg.int({ description: 'Only events after this sequence. Default: 0, from the beginning.' }),
      },
      subscribe: (_root, { jobId, after }, context) => follow(context, String(jobId), Math.max(0, after ?? 0)),
      resolve: (event) => event,
    }),
  }))
}

function follow({ jobs, viewer, signal }: JobsContext, jobId: string, after: number): AsyncIterableIterator<AnyEvent> {
  const events = jobs.events(jobId, after, signal)
  let isAllowed = false
  let isRefused = false
  return {
    async next() {
      if (isRefused) return { done: true, value: undefined }
      try {
        if (!isAllowed) await jobs.get(jobId, viewer)
        isAllowed = true
        return await events.next()
      } catch (error) {
        if (!isInklingError(error)) throw error
        isRefused = true
        await events.return()
        return { done: false, value: { type: 'REFUSED', jobId, sequence: after, at: new Date(), error } }
      }
    },
    return: () => events.return(),
    async throw(error) {
      await events.return()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
