import { AsyncLocalStorage } from 'node:async_hooks'
import { createBell, createStream, type EndableIterator } from '../../jobs/stream.ts'
import type { Database } from '../../platform/database.ts'
import { InklingError, messageOf } from '../../platform/errors.ts'
import type { Log } from '../../platform/log.ts'
import { ALERT_CHANNEL, type AlertEvent, newestAlertEvent, readAlertEvents } from './store.ts'

const PAGE = 100
/** Looked again this often, should a notification be lost. */
const POLL_MS = 5000

export interface AlertHub {
  /** A tenant's events after a sequence, stored ones first, then live, until the signal aborts. Absent: from now on. */
  follow(tenant: string, after?: string, signal?: AbortSignal): EndableIterator<AlertEvent>
  close(): Promise<void>
}

/** Alerts are rare: each reader asks the database when something happened, and nothing is kept for it. */
export function createAlertHub(database: Database, log: Log): AlertHub {
  const bell = createBell()
  const closing = new AbortController()
  const outside = AsyncLocalStorage.snapshot()
  let listening: Promise<() => Promise<void>> | null = null
  let poll: NodeJS.Timeout | undefined

  function hear(): void {
    listening ??= outside(() => database.listen(ALERT_CHANNEL, () => bell.ring()))
    listening.catch((error) => log.warn({ event: 'alerts not heard', error: messageOf(error) }))
    poll ??= setInterval(() => bell.ring(), POLL_MS).unref()
  }

  return {
    follow(tenant, after, signal) {
      hear()
      let position = after
      async function next(stop: AbortSignal): Promise<readonly AlertEvent[]> {
        if (position !== undefined && !/^\d{1,18}$/.test(position))
          throw new InklingError('BAD_USER_INPUT', 'The cursor is refused.', 'Pass the `cursor` of an event.')
        position ??= await outside(() => newestAlertEvent(database, tenant))
        while (!stop.aborted) {
          // Waiting begins before the look, so that what happens in between rings.
          const rung = bell.wait(stop)
          const events = await outside(() => readAlertEvents(database, tenant, position!, PAGE))
          position = String(events.at(-1)?.sequence ?? position)
          if (events.length > 0) return events
          await rung
        }
        return []
      }
      const signals = signal ? AbortSignal.any([signal, closing.signal]) : closing.signal
      return createStream({ next, end: () => {} }, signals)
    },
    async close() {
      clearInterval(poll)
      closing.abort()
      const unlisten = await listening?.catch(() => null)
      await unlisten?.()
    },
  }
}
