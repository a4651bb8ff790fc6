import type { Database, Queryable } from '../platform/database.ts'
import { InklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { type Job, type Progress, toJsonText } from './job.ts'

/** Progress is written at most this often: the newest counts. */
const FLUSH_MS = 250
/** Log lines that one attempt may leave; a runaway loop must not fill the database. */
const MOST_LINES = 10_000

/** The event of a job that the engine itself does not write. */
interface Entry {
  readonly type: 'PROGRESS' | 'LOG' | 'STEP' | 'ARTIFACT'
  readonly data: object
}

/** Gathers what an attempt says and writes it in few statements, each refused when the attempt is no longer the current one. */
export interface Journal {
  say(type: Entry['type'], data: object): void
  progress(progress: Omit<Progress, 'etaAt'>): void
  /** Writes what is pending. Throws the fencing error. */
  flush(): Promise<void>
  /** Writes one event in the caller's transaction. Throws the fencing error. */
  append(client: Queryable, type: Entry['type'], data: object): Promise<void>
  /** Stops the clock. Nothing is written any more unless asked. */
  close(): void
}

/** One statement: takes numbers from the job's row and writes the events under them. No row: another attempt holds the job. */
const APPEND = `
  WITH job AS (
    UPDATE inkling."Job" SET "lastSequence" = "lastSequence" + jsonb_array_length($3::jsonb), progress = coalesce($4::jsonb, progress)
    WHERE id = $1 AND attempt = $2 AND state IN ('RUNNING', 'CANCELLING')
    RETURNING id, "lastSequence" - jsonb_array_length($3::jsonb) AS base
  )
  INSERT INTO inkling."JobEvent" ("jobId", sequence, type, data)
  SELECT job.id, job.base + entry.number, entry.value ->> 'type', entry.value -> 'data'
  FROM job, jsonb_array_elements($3::jsonb) WITH ORDINALITY AS entry(value, number)`

export function fencedError(job: Pick<Job, 'id' | 'attempt'>): InklingError {
  return new InklingError(
    'JOB_STATE',
    `Attempt ${job.attempt} of job ${job.id} is no longer the current one; its write was refused.`,
    'Nothing to do: a later attempt or a cancellation took over.',
  )
}

export function createJournal(
  database: Database,
  log: Log,
  job: Pick<Job, 'id' | 'attempt'>,
  onFenced: (error: InklingError) => void,
): Journal {
  let pending: Entry[] = []
  let progress: Progress | null = null
  let timer: NodeJS.Timeout | null = null
  let lastFlush = 0
  let lines = 0
  let first: { done: number; at: number } | null = null
  let writing: Promise<void> = Promise.resolve()
  let isClosed = false

  function schedule(): void {
    if (timer || isClosed) return
    const wait = Math.max(0, lastFlush + FLUSH_MS - performance.now())
    timer = setTimeout(() => {
      timer = null
      // Lost connections are no fault of the job: what was not written is kept and goes with the next write.
      flush().catch((error) => log.debug({ event: 'job journal not written', jobId: job.id, error: messageOf(error) }))
    }, wait)
    timer.unref()
  }

  async function insert(client: Queryable, entries: readonly Entry[], current: Progress | null): Promise<void> {
    const values = [job.id, job.attempt, toJsonText(entries), current && toJsonText(current)]
    const { rowCount } = await client.query(APPEND, values)
    if (rowCount > 0) return
    const error = fencedError(job)
    onFenced(error)
    throw error
  }

  async function write(): Promise<void> {
    const [entries, current] = [pending, progress]
    if (entries.length === 0 && !current) return
    pending = []
    progress = null
    lastFlush = performance.now()
    try {
      await insert(database, current ? [...entries, { type: 'PROGRESS', data: current }] : entries, current)
    } catch (error) {
      pending = [...entries, ...pending]
      progress ??= current
      schedule()
      throw error
    }
  }

  function flush(): Promise<void> {
    const next = writing.then(write)
    writing = next.catch(() => {})
    return next
  }

  return {
    say(type, data) {
      if (type === 'LOG' && ++lines > MOST_LINES) return
      if (lines === MOST_LINES)
        data = { level: 'warn', message: `More than ${MOST_LINES} lines: the rest is left out.` }
      pending.push({ type, data })
      schedule()
    },
    progress(next) {
      const at = Date.now()
      first ??= { done: next.done, at }
      progress = { ...next, etaAt: etaOf(first, next, at) }
      schedule()
    },
    flush,
    append: (client, type, data) => insert(client, [{ type, data }], null),
    close() {
      isClosed = true
      if (timer) clearTimeout(timer)
      timer = null
    },
  }
}

/** At the mean pace since this attempt's first progress. */
function etaOf(
  first: { done: number; at: number },
  now: { done: number; total: number | null },
  at: number,
): string | null {
  const made = now.done - first.done
  const spent = at - first.at
  if (now.total === null || made <= 0 || spent < 500) return null
  return new Date(at + (spent / made) * Math.max(0, now.total - now.done)).toISOString()
}
