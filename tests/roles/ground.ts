import type { Ground } from '../../cli/ground.ts'
import { signToken } from '../../platform/authentication.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import { openDatabase } from '../../platform/database.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { createServerDatabase, openTestDatabase, silent } from '../harness.ts'

/** What every process of a deployment under test is told. */
export const settings = {
  LOG_LEVEL: 'error',
  INKLING_NOW: '2026-11-20T12:00:00Z',
  INKLING_AUTH_SECRET: 'the key of the tokens of these tests',
  INKLING_GATEWAY_SECRET: 'between the gateway and its subgraphs',
  INKLING_SUBGRAPH_DEADLINE_MS: '30000',
  INKLING_FIRST_TRAINING: 'off',
}

export interface SeededGround extends Ground {
  /** Where other processes find the rows; empty for the embedded database. */
  readonly url: string
  /** The Authorization header of an administrator. */
  readonly authorization: string
}

/** A simulated school of 200 learners in a database of its own. */
export async function seededGround(server: string): Promise<SeededGround> {
  const made = server ? await createServerDatabase(server) : null
  const database = made ? await openDatabase({ url: made.url, log: silent }) : await openTestDatabase()
  const config = loadConfig(settings)
  const clock = await createClock(database, config)
  const learning = learningClient(database)
  await seedSchool(database, { seed: 7, learners: 200, now: clock.now() })
  const claims = { subject: 'ada', tenant: 'default', scopes: ['admin', 'bulk'], seconds: 3_600 }
  return {
    config,
    log: silent,
    database,
    clock,
    learning,
    artefacts: null,
    url: made?.url ?? '',
    authorization: `Bearer ${await signToken(config, claims)}`,
    async close() {
      await learning.$disconnect()
      await database.close()
      await made?.drop()
    },
  }
}
