import type { Database } from '../platform/database.ts'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { Viewer } from '../platform/viewer.ts'
import { type ChangesOptions, createChangeHub, type ListItem } from './changes.ts'
import { cancelJob, type RedriveFilter, redrive, retryJob } from './control.ts'
import { type EnqueueOptions, enqueue } from './enqueue.ts'
import type { CutEvent, JobEvent } from './event.ts'
import { createEventHub } from './events.ts'
import { type FanOut, notifyFanOut } from './fan-out.ts'
import type { Job, JobArtifact, JobAttempt } from './job.ts'
import type { AnyJobKind } from './kind.ts'
import {
  countJobs,
  type EventPageOptions,
  findJobs,
  isUuid,
  type JobPage,
  type ListOptions,
  listArtifacts,
  listAttempts,
  listEvents,
  listJobs,
  readArtifact,
} from './list.ts'
import type { Parts } from './parts.ts'
import { unknownJob } from './parts.ts'
import { createQueue } from './queue.ts'
import { createSchedules, type Schedules } from './schedules.ts'
import { runDueSchedules } from './schedules-due.ts'
import { isFinal } from './states.ts'
import type { EndableIterator } from './stream.ts'
import { forgetOld, repairTickets } from './upkeep.ts'
import { createWorker, defaultPulse, type Pulse } from './worker.ts'

const HOUSEKEEPING_MS = 60_000

export interface JobsOptions {
  readonly database: Database
  readonly log: Log
  /** Every kind this process enqueues or runs. */
  readonly kinds: readonly AnyJobKind[]
  /** Whether this process runs jobs. The embedded database has one worker at most. */
  readonly worker: boolean
  /** A name that a restarted worker keeps, so that it takes back at once what it was running. */
  readonly workerName?: string | undefined
  /** Jobs that run at a time in this process. */
  readonly concurrency?: number
  /** Unfinished jobs that one tenant may have. */
  readonly quota?: number
  /** Days that ended jobs are kept. */
  readonly keepDays?: number
  readonly pulse?: Partial<Pulse>
  /** How this process hears of jobs and events; by default the database's NOTIFY. */
  readonly fanOut?: FanOut
  /** A reader of events that asks for nothing for so long is cut off. */
  readonly stallMs?: number
}

export interface Jobs {
  readonly kinds: ReadonlyMap<string, AnyJobKind>
  /** Jobs that are enqueued again and again. */
  readonly schedules: Schedules
  /** Inside `database.transaction` the job is part of it. Throws BAD_USER_INPUT, TOO_MANY_JOBS, JOB_UNKNOWN, JOB_STATE. */
  enqueue(kind: string, input: unknown, options: EnqueueOptions): Promise<Job>
  /** Throws JOB_UNKNOWN, also for another tenant's job. */
  get(id: string, viewer?: Viewer): Promise<Job>
  find(ids: readonly string[], viewer?: Viewer): Promise<Job[]>
  list(options: ListOptions): Promise<JobPage>
  count(options: ListOptions): Promise<number>
  attempts(jobIds: readonly string[]): Promise<JobAttempt[]>
  artifacts(jobIds: readonly string[]): Promise<JobArtifact[]>
  /** Its bytes, or a stretch of them. Throws NOT_FOUND. */
  artifact(jobId: string, name: string, stretch?: { offset: number; length: number }): Promise<Uint8Array>
  eventPage(jobId: string, options: EventPageOptions): Promise<{ events: JobEvent[]; hasNext: boolean }>
  cancel(id: string, viewer?: Viewer, reason?: string): Promise<Job>
  retry(id: string, viewer?: Viewer): Promise<Job>
  redrive(filter: RedriveFilter): Promise<number>
  /** Events after a sequence, stored and then live; ends after the final one. The first `next` rejects with JOB_UNKNOWN. */
  events(jobId: string, after?: number, signal?: AbortSignal): EndableIterator<JobEvent | CutEvent>
  /** The jobs of a filter, then every change of them in commit order. The first `next` rejects with BAD_USER_INPUT for an unknown cursor. */
  changes(options: ChangesOptions, signal?: AbortSignal): EndableIterator<ListItem>
  /** Resolves with the job when it is over. */
  ended(jobId: string, signal?: AbortSignal): Promise<Job>
  /** Listens, and runs jobs where this process is a worker. */
  start(): Promise<void>
  /** Ends readers and gives running jobs graceMs (3 s) to end before they go back to the queue; graceful: false waits for nothing. */
  stop(options?: { graceful?: boolean; graceMs?: number }): Promise<void>
  /** What health and doctor ask. */
  status(): { worker: string | null; running: number; lastTickAt: Date | null; readers: number }
}

/** Makes the engine and prepares its queues. Nothing runs before `start`. */
export async function createJobs(options: JobsOptions): Promise<Jobs> {
  const { database, log, quota = 1000, keepDays = 30, stallMs = 30_000, concurrency = 2 } = options
  const { fanOut = notifyFanOut(database) } = options
  const queue = createQueue(database, log, options.kinds)
  const parts: Parts = { database, queue, log, quota, kinds: new Map(options.kinds.map((kind) => [kind.name, kind])) }
  await queue.start()
  const hub = createEventHub(database, log, stallMs)
  const changeHub = createChangeHub(database, log, stallMs)
  let keptAt = Number.NEGATIVE_INFINITY
  const worker = options.worker
    ? createWorker(parts, {
        name: options.workerName ?? null,
        concurrency,
        pulse: { ...defaultPulse, ...options.pulse },
        upkeep: async () => {
          await runDueSchedules(parts)
          if (performance.now() - keptAt < HOUSEKEEPING_MS) return
          keptAt = performance.now()
          await repairTickets(parts)
          await forgetOld(parts, keepDays)
        },
      })
    : null
  let listening: Promise<() => Promise<void>> | null = null
  let stopping: Promise<void> | null = null

  function hear(payload: string): void {
    if (payload === '') {
      for (const kind of parts.kinds.keys()) worker?.wake(kind)
      hub.wake('')
      changeHub.wake()
      return
    }
    const space = payload.indexOf(' ')
    const subject = payload.slice(space + 1)
    if (payload.startsWith('event ')) {
      hub.wake(subject)
      changeHub.wake()
    } else if (payload.startsWith('queued ')) worker?.wake(subject)
    else if (payload.startsWith('cancel ')) worker?.cancel(subject)
  }
  async function get(id: string, viewer?: Viewer): Promise<Job> {
    const [job] = isUuid(id) ? await findJobs(database, [id], viewer) : []
    if (!job) throw unknownJob(id)
    return job
  }
  function hearOnce(): Promise<() => Promise<void>> {
    listening ??= fanOut.listen(hear)
    return listening
  }
  /** A process that only looks listens from its first reader on; should that fail, readers still look every few seconds. */
  function hearForReaders(): void {
    hearOnce().catch((error) => log.warn({ event: 'job notifications not heard', error: messageOf(error) }))
  }
  function events(jobId: string, after = 0, signal?: AbortSignal) {
    hearForReaders()
    return hub.follow(jobId, after, signal)
  }
  return {
    kinds: parts.kinds,
    schedules: createSchedules(parts),
    enqueue: (kind, input, given) => enqueue(parts, kind, input, given),
    get,
    find: (ids, viewer) => findJobs(database, ids, viewer),
    list: (given) => listJobs(database, given),
    count: (given) => countJobs(database, given),
    attempts: (ids) => listAttempts(database, ids),
    artifacts: (ids) => listArtifacts(database, ids),
    artifact: (jobId, name, stretch) => readArtifact(database, jobId, name, stretch),
    eventPage: (jobId, given) => listEvents(database, jobId, given),
    cancel: (id, viewer, reason) => cancelJob(parts, id, viewer, reason),
    retry: (id, viewer) => retryJob(parts, id, viewer),
    redrive: (filter) => redrive(parts, filter),
    events,
    changes(given, signal) {
      hearForReaders()
      return changeHub.follow(given, signal)
    },
    async ended(jobId, signal) {
      for (let after = 0; ; ) {
        const job = await get(jobId)
        if (isFinal(job.state)) return job
        for await (const event of events(jobId, Math.max(after, job.lastSequence), signal)) after = event.sequence
        signal?.throwIfAborted()
      }
    },
    async start() {
      await hearOnce()
      await worker?.start()
    },
    stop({ graceful = true, graceMs = 3000 } = {}) {
      stopping ??= (async () => {
        await worker?.stop(graceful ? graceMs : 0)
        hub.close()
        changeHub.close()
        const unlisten = await listening?.catch(() => null)
        await unlisten?.()
        await queue.stop()
      })()
      return stopping
    },
    status: () => ({
      worker: worker?.name ?? null,
      running: worker?.running().length ?? 0,
      lastTickAt: worker?.lastTickAt() ?? null,
      readers: hub.readers() + changeHub.readers(),
    }),
  }
}
