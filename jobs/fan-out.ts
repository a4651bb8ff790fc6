import type { Database } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'

/** The channel of everything that the triggers of inkling."Job" and "JobEvent" say. */
const CHANNEL = 'inkling_jobs'

/**
 * How processes hear that there is something to look at. What is said only wakes: it may come late, twice or never, since everybody also
 * looks by the clock, and nobody takes it for the truth.
 */
export interface FanOut {
  /**
   * Calls back with `queued <kind>`, `cancel <job id>` and `event <job id>`, and with '' when something may have been missed: "look at
   * everything". Resolves with the end, once nothing said from now on is missed.
   */
  listen(hear: (payload: string) => void): Promise<() => Promise<void>>
}

/** NOTIFY of the database itself: nothing to install, one held connection per process. */
export function notifyFanOut(database: Database): FanOut {
  return { listen: (hear) => database.listen(CHANNEL, hear) }
}

/** Redis where it is configured and there are processes to tell, else the database's NOTIFY. */
export async function fanOutOf(database: Database, redisUrl: string | undefined, log: Log): Promise<FanOut> {
  if (!redisUrl || database.embedded) return notifyFanOut(database)
  const { redisFanOut } = await import('./redis-fan-out.ts')
  return redisFanOut(database, notifyFanOut(database), redisUrl, log)
}
