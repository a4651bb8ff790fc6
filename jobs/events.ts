import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database } from '../platform/database.ts'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { CutEvent, JobEvent } from './event.ts'
import { unknownJob } from './parts.ts'
import { isFinal, type JobState } from './states.ts'
import { createBell, createStream, type EndableIterator } from './stream.ts'

const PAGE = 500
/** Events kept per watched job, so that a thousand readers of one job cost one query for each wake-up. */
const RING = 500
/** A reader that lags by more than this is shown only the newest of a run of progress events. */
const LAG = 100
/** Looked again this often, should a notification be lost. */
const POLL_MS = 5000

/** One watched job: its newest events, read once for all its readers. */
interface Topic {
  readonly jobId: string
  readonly ring: JobEvent[]
  readonly bell: ReturnType<typeof createBell>
  readonly readers: Set<Reader>
  /** Number of the newest event seen. */
  head: number
  /** The number of the final event once the job is over. */
  overAt: number | null
  reading: Promise<void> | null
  isStale: boolean
}

interface Reader {
  cursor: number
  /** Since when nobody asks although there is something to read; null while somebody does. */
  idleSince: number | null
  isCut: boolean
}

export interface EventHub {
  /**
   * The events of a job after a sequence, then live, without gap or repeat, until the job is over and its final event was given.
   * A reader that stalls for stallMs is given a CUT and let go. Rejects with JOB_UNKNOWN.
   */
  follow(jobId: string, after: number, signal?: AbortSignal): EndableIterator<JobEvent | CutEvent>
  /** Something happened to this job; '' means that any may have. */
  wake(jobId: string): void
  /** Open readers. */
  readers(): number
  close(): void
}

export function createEventHub(database: Database, log: Log, stallMs: number): EventHub {
  const topics = new Map<string, Topic>()
  const closing = new AbortController()
  // Readers come from anywhere, also from inside a transaction; the reading for all of them must belong to none.
  const outside = AsyncLocalStorage.snapshot()
  const poll = setInterval(
    () => {
      for (const topic of topics.values()) {
        refresh(topic)
        cutStalled(topic)
      }
    },
    Math.min(POLL_MS, stallMs / 2),
  )
  poll.unref()

  async function read(jobId: string, after: number): Promise<JobEvent[]> {
    const { rows } = await database.query<JobEvent>(
      `SELECT "jobId", sequence, at, type, data FROM inkling."JobEvent" WHERE "jobId" = $1 AND sequence > $2 ORDER BY sequence LIMIT ${PAGE}`,
      [jobId, after],
    )
    return rows
  }

  /** Reads what is new since the head, once for however many ask. */
  function refresh(topic: Topic): Promise<void> {
    if (topic.reading) {
      topic.isStale = true
      return topic.reading
    }
    topic.reading = outside(() => catchUp(topic))
      .catch((error) => log.warn({ event: 'job events not read', jobId: topic.jobId, error: messageOf(error) }))
      .finally(() => {
        topic.reading = null
      })
    return topic.reading
  }
  async function catchUp(topic: Topic): Promise<void> {
    do {
      topic.isStale = false
      const events = await read(topic.jobId, topic.head)
      if (events.length === 0) continue
      topic.ring.push(...events)
      topic.ring.splice(0, Math.max(0, topic.ring.length - RING))
      topic.head = events.at(-1)!.sequence
      topic.overAt = isFinal(events.at(-1)!.type as JobState) ? topic.head : null
      if (events.length === PAGE) topic.isStale = true
      topic.bell.ring()
    } while (topic.isStale)
  }

  async function open(jobId: string, reader: Reader): Promise<Topic> {
    let topic = topics.get(jobId)
    if (!topic) {
      const { rows } = await database.query<{ state: JobState; lastSequence: number }>(
        'SELECT state, "lastSequence" FROM inkling."Job" WHERE id = $1',
        [jobId],
      )
      if (!rows[0]) throw unknownJob(jobId)
      topic = topics.get(jobId) // another reader may have been quicker
      if (!topic) {
        const head = rows[0].lastSequence
        const overAt = isFinal(rows[0].state) ? head : null
        topic = { jobId, ring: [], bell: createBell(), readers: new Set(), head, overAt, reading: null, isStale: false }
        topics.set(jobId, topic)
      }
    }
    topic.readers.add(reader)
    void refresh(topic) // what came between the look and the registration
    return topic
  }

  /** Events after the cursor: from the ring where it reaches back far enough, else from the database. */
  async function eventsAfter(topic: Topic, cursor: number): Promise<JobEvent[]> {
    if (cursor >= topic.head) return []
    const oldest = topic.ring[0]?.sequence
    return oldest !== undefined && cursor >= oldest - 1
      ? topic.ring.filter((event) => event.sequence > cursor)
      : outside(() => read(topic.jobId, cursor))
  }

  function cutStalled(topic: Topic): void {
    for (const reader of topic.readers) {
      if (reader.idleSince === null || reader.cursor >= topic.head) continue
      if (performance.now() - reader.idleSince < stallMs) continue
      reader.isCut = true
      leave(topic, reader)
    }
  }
  function leave(topic: Topic, reader: Reader): void {
    topic.readers.delete(reader)
    if (topic.readers.size === 0 && topics.get(topic.jobId) === topic) topics.delete(topic.jobId)
  }

  return {
    follow(jobId, after, signal) {
      const reader: Reader = { cursor: after, idleSince: null, isCut: false }
      let topic: Topic | null = null
      let isEnded = false
      const pull = async (stop: AbortSignal): Promise<readonly (JobEvent | CutEvent)[]> => {
        if (isEnded) return []
        topic ??= await open(jobId, reader)
        if (stop.aborted) leave(topic, reader)
        while (!stop.aborted) {
          if (reader.isCut) {
            isEnded = true
            return [{ jobId, sequence: reader.cursor, at: new Date(), type: 'CUT', data: {} }]
          }
          const events = await eventsAfter(topic, reader.cursor)
          const newest = events.at(-1)
          if (newest) {
            reader.cursor = newest.sequence
            reader.idleSince = performance.now()
            isEnded = newest.sequence === topic.overAt
            return events.length > LAG ? coalesce(events) : events
          }
          if (topic.overAt !== null && reader.cursor >= topic.overAt) return []
          if (topic.head > reader.cursor) continue // came while we looked
          reader.idleSince = null
          await topic.bell.wait(stop)
        }
        return []
      }
      const signals = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
      const asked = () => {
        if (reader.idleSince !== null) reader.idleSince = performance.now()
      }
      return createStream({ next: pull, asked, end: () => topic && leave(topic, reader) }, signals)
    },
    wake(jobId) {
      if (jobId !== '') {
        const topic = topics.get(jobId)
        if (topic) void refresh(topic)
        return
      }
      for (const topic of topics.values()) void refresh(topic)
    },
    readers: () => [...topics.values()].reduce((sum, topic) => sum + topic.readers.size, 0),
    close() {
      clearInterval(poll)
      closing.abort()
      topics.clear()
    },
  }
}

/** Of progress events that follow one another only the newest is kept: the reader lags, and each replaces the one before. */
function coalesce(events: readonly JobEvent[]): JobEvent[] {
  return events.filter((event, at) => event.type !== 'PROGRESS' || events[at + 1]?.type !== 'PROGRESS')
}
