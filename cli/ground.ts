import { type LearningClient, learningClient } from '../platform/clients.ts'
import { type Clock, createClock } from '../platform/clock.ts'
import { type Config, loadConfig } from '../platform/config.ts'
import { type Database, openDatabase } from '../platform/database.ts'
import { createLog, type Log } from '../platform/log.ts'
import { migrate } from '../platform/migrate.ts'
import { openArtefactStore } from '../registry/stores/open.ts'
import type { ArtefactStore } from '../registry/stores/store.ts'

/** What every command that touches rows stands on. */
export interface Ground {
  readonly config: Config
  readonly log: Log
  readonly database: Database
  readonly clock: Clock
  readonly learning: LearningClient
  /** Where large artefacts lie outside the database. */
  readonly artefacts: ArtefactStore | null
  close(): Promise<void>
}

/** Opens the database that the environment names, or an empty one in memory, and applies what migrations are pending. */
export async function openGround(
  options: { readonly quiet?: boolean; readonly inMemory?: boolean } = {},
): Promise<Ground> {
  const config = loadConfig()
  const artefacts = openArtefactStore(config)
  const log = createLog(options.quiet && config.LOG_LEVEL === 'info' ? 'warn' : config.LOG_LEVEL)
  const database = await openDatabase({
    url: options.inMemory ? undefined : config.DATABASE_URL,
    dataDir: options.inMemory || config.DATABASE_URL ? undefined : config.INKLING_DATA_DIR,
    poolSize: config.DATABASE_POOL_SIZE,
    log,
  })
  try {
    await migrate(database, log)
    const learning = learningClient(database)
    return {
      config,
      log,
      database,
      learning,
      artefacts,
      clock: await createClock(database, config),
      async close() {
        await learning.$disconnect()
        await database.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}
