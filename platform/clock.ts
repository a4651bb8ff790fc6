import type { Config } from './config.ts'
import type { Database } from './database.ts'
import { readSetting, writeSetting } from './settings.ts'

const KEY = 'clock'

interface StoredClock {
  readonly now: string
  readonly reason: string
}

/** The data's clock: what "now" means for the rows. Real time, unless an import or INKLING_NOW froze it. */
export interface Clock {
  now(): Date
  /** Why the clock stands still; null while it runs. */
  readonly frozenBy: string | null
  /** Freezes the clock at a moment, or lets it run with null; stored with the data. Joins the caller's transaction. */
  set(moment: Date | null, reason: string): Promise<void>
  /** Reads again what is stored, after another process may have written it. */
  refresh(): Promise<void>
}

export async function createClock(database: Database, config: Pick<Config, 'INKLING_NOW'>): Promise<Clock> {
  let stored = await readSetting<StoredClock>(database, KEY)
  return {
    now() {
      const frozen = config.INKLING_NOW ?? stored?.now
      return frozen ? new Date(frozen) : new Date()
    },
    get frozenBy() {
      if (config.INKLING_NOW) return 'INKLING_NOW'
      return stored?.reason ?? null
    },
    async set(moment, reason) {
      stored = moment ? { now: moment.toISOString(), reason } : null
      await writeSetting(database, KEY, stored)
    },
    async refresh() {
      stored = await readSetting<StoredClock>(database, KEY)
    },
  }
}
