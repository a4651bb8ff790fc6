import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { KeyValues, Model, SqlClient } from '../../ml/define.ts'
import { scoringJob } from '../../ml/scores/scoring-job.ts'
import { createScoreStore, type ScoreStore } from '../../ml/scores/store.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { quickPulse } from '../jobs/kinds.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'

export const now = new Date('2026-06-01')

/** Toys whose candidates are those with an x, in the order of their ids. */
export const toys: Model = toyModel({
  async candidates(client: SqlClient, { after, limit }) {
    const rows = await client.$queryRawUnsafe<{ id: number }[]>(
      'SELECT id FROM toy WHERE id > $1::int AND x IS NOT NULL ORDER BY id LIMIT $2::int',
      Number(after?.id ?? 0),
      limit,
    )
    return rows.map(({ id }): KeyValues => ({ id }))
  },
})

export interface Stand {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  readonly client: ReturnType<typeof countingClient>
  readonly jobs: Jobs
  readonly store: ScoreStore
  /** Runs before every statement of a feature read or of candidates; may throw. */
  hook: { before: (sql: string) => void | Promise<void> }
  train(seed: number): Promise<void>
  close(): Promise<void>
}

/** A trained toy model, a worker and a store on the test's database. */
export async function startStand(rows: number, pageSize: number): Promise<Stand> {
  const database = await openTestDatabase()
  const registry = createRegistry(database)
  await fillToys(database, rows)
  const serving = await createServing({ registry, models: [toys], log: silent })
  const counting = countingClient(database)
  const hook: Stand['hook'] = { before: () => {} }
  const client = {
    get statements() {
      return counting.statements
    },
    async $queryRawUnsafe<T>(sql: string, ...values: unknown[]): Promise<T> {
      await hook.before(sql)
      return counting.$queryRawUnsafe<T>(sql, ...values)
    },
  } as Stand['client']
  const engines = { database, serving, clock: { now: () => now }, client, models: [toys], pageSize }
  const jobs = await createJobs({
    database,
    log: silent,
    worker: true,
    pulse: quickPulse,
    kinds: [{ ...scoringJob(engines), retry: { attempts: 3, delayMs: 10, maxDelayMs: 20 } }],
  })
  await jobs.start()
  const stand: Stand = {
    database,
    registry,
    serving,
    client,
    jobs,
    hook,
    store: createScoreStore(database),
    async train(seed) {
      const trained = await trainVersion(toys, { client, now, seed, candidates: 'quick' })
      await registerVersion(registry, trained, { promote: 'always', createdBy: 'tests' })
      await serving.refresh()
    },
    async close() {
      await jobs.stop({ graceMs: 0 })
      await serving.close()
      await database.close()
    },
  }
  await stand.train(1)
  return stand
}
