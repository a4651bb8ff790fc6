import { AsyncLocalStorage } from 'node:async_hooks'
import type { Database } from '../../platform/database.ts'
import { messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { Model } from '../define.ts'
import type { Answer } from '../prediction.ts'
import { writeServed } from './served-rows.ts'

/** What one inference answered, about now. */
export interface ServedBatch {
  readonly model: Model
  readonly tenant: string
  /** The version that was asked; null where none could be. */
  readonly versionId: string | null
  readonly answers: readonly Answer[]
  /** Whether these stand in for answers that failed and were recorded before. */
  readonly areFallbacks?: boolean
  /** Where these probabilities become yes, where the answers do not tell: stored ones bring no version along. */
  readonly threshold?: number
  /** The moment that was asked about, on the data's clock. */
  readonly asOf: Date
  /** On the wall clock. */
  readonly servedAt: Date
}

/** Remembers what is served, off the request's path. */
export interface PredictionLog {
  /** Takes a batch and returns at once. Never throws, never waits: beyond the bound the oldest are dropped and counted. */
  record(batch: ServedBatch): void
  /** Writes what is waiting. Resolves also when the database did not take it: then it waits on. */
  flush(): Promise<void>
  /** Predictions that were dropped since the process began. */
  dropped(): number
  /** Predictions that wait to be written. */
  waiting(): number
  /** Writes everything that waits; tries for a few seconds where the database does not answer. */
  stop(): Promise<void>
}

/** Some 200 bytes each: the buffer stays below 10 MB. */
const MOST_WAITING = 20_000
const FLUSH_MS = 1000
const FLUSH_ROWS = 2000
const LAST_TRIES = 5

export function createPredictionLog(options: {
  readonly database: Database
  readonly log: Log
  readonly mostWaiting?: number
  readonly flushMs?: number
}): PredictionLog {
  const { database, log, mostWaiting = MOST_WAITING, flushMs = FLUSH_MS } = options
  // Whoever serves may be inside a transaction of its own; what is written for all of them belongs to none.
  const outside = AsyncLocalStorage.snapshot()
  let queue: ServedBatch[] = []
  let waiting = 0
  let dropped = 0
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<boolean> = Promise.resolve(true)

  const sizeOf = (batches: readonly ServedBatch[]) => batches.reduce((sum, { answers }) => sum + answers.length, 0)

  function shrink(): void {
    let lost = 0
    while (waiting > mostWaiting && queue.length > 1) {
      const oldest = queue.shift()!
      waiting -= oldest.answers.length
      lost += oldest.answers.length
    }
    if (lost === 0) return
    dropped += lost
    log.warn({ event: 'served predictions not remembered', lost, dropped })
  }
  function schedule(): void {
    if (timer || waiting === 0) return
    timer = setTimeout(() => void flush(), waiting >= FLUSH_ROWS ? 0 : flushMs)
    timer.unref()
  }
  /** Resolves with whether nothing is left of what waited before. */
  function write(): Promise<boolean> {
    writing = writing.then(async () => {
      clearTimeout(timer)
      timer = undefined
      const batches = queue
      if (batches.length === 0) return true
      queue = []
      try {
        await outside(() => database.transaction((client) => writeServed(client, batches)))
        waiting -= sizeOf(batches)
        return true
      } catch (error) {
        log.warn({ event: 'served predictions not written yet', waiting, error: messageOf(error) })
        queue = [...batches, ...queue]
        shrink()
        return false
      } finally {
        schedule()
      }
    })
    return writing
  }
  async function flush(): Promise<void> {
    await write()
  }

  return {
    record(batch) {
      if (batch.answers.length === 0) return
      queue.push(batch)
      waiting += batch.answers.length
      shrink()
      schedule()
    },
    flush,
    dropped: () => dropped,
    waiting: () => waiting,
    async stop() {
      for (let tries = 1; !(await write()) && tries < LAST_TRIES; tries++)
        await new Promise((resolve) => setTimeout(resolve, 200 * tries))
      clearTimeout(timer)
    },
  }
}
