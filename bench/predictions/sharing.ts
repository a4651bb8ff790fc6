// What cross-request batching gains: 64 concurrent requests of ten predictions each, against the same with reads and inferences
// limited to one request, alternating in one run. Usage: node bench/predictions/sharing.ts [seconds]; DATABASE_URL for a server.
import { createApp } from '../../app.ts'
import { createBatching } from '../../ml/batching.ts'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { isPrediction } from '../../ml/prediction.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { log, openBenchDatabase, printMachine } from '../scores/stand.ts'

const CONCURRENT = 64
const PREDICTIONS = 10
const ROUNDS = 5
const seconds = Number(process.argv[2] ?? 3)

const config = loadConfig({ ...process.env, LOG_LEVEL: 'error' })
const { database, end } = await openBenchDatabase(config.DATABASE_URL ? 'server' : 'embedded')
const clock = await createClock(database, config)
const learning = learningClient(database)
await seedSchool(database, { seed: 7, learners: 1000, now: clock.now() })
await database.query('VACUUM ANALYZE') // without statistics the planner's guesses are what is measured
const app = await createApp({ config, log, database, clock, learning, artefacts: null, close: () => database.close() })
await app.jobs.start()
for (const jobId of (await app.trainMissing()).values()) await app.jobs.ended(jobId)
await app.serving.refresh()
const model = app.models.find(({ name }) => name === 'churn')!
const now = clock.now()
const { rows } = await database.query<{ id: string }>('SELECT id FROM learning."Learner" ORDER BY id LIMIT 1000')
const ids = rows.map(({ id }) => id)
let statements = 0
const client = {
  $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
    statements++
    return learning.$queryRawUnsafe<T>(sql, ...values)
  },
}

interface Figures {
  requests: number
  readonly ms: number[]
  elapsedMs: number
  statements: number
  answered: number
  cpuMs: number
}

async function run(across: boolean, into: Figures): Promise<void> {
  const batching = createBatching(client, { across })
  const start = performance.now()
  const until = start + (seconds * 1000) / ROUNDS
  const before = statements
  const cpu = process.cpuUsage()
  let turn = 0
  const caller = async () => {
    while (performance.now() < until) {
      const at = turn++
      const began = performance.now()
      const loader = createPredictionLoader({ model, serving: app.serving, client, instant: new Date(), now, batching })
      const outcomes = await Promise.all(
        Array.from({ length: PREDICTIONS }, (_, index) =>
          loader.load({ key: { id: ids[(at * PREDICTIONS + index) % ids.length]! }, asOf: now }),
        ),
      )
      into.answered += outcomes.filter(isPrediction).length
      into.ms.push(performance.now() - began)
      into.requests++
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, caller))
  into.elapsedMs += performance.now() - start
  into.statements += statements - before
  const { user, system } = process.cpuUsage(cpu)
  into.cpuMs += (user + system) / 1000
}

await app.jobs.stop() // its heartbeat would be in the figures
const empty = (): Figures => ({ requests: 0, ms: [], elapsedMs: 0, statements: 0, answered: 0, cpuMs: 0 })
await run(true, empty())
await run(false, empty())
const shared = empty()
const apart = empty()
for (let round = 0; round < ROUNDS; round++) {
  await run(true, shared)
  await run(false, apart)
}
const percentile = (values: number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)]!
const describe = (figures: Figures) => ({
  'requests/s': Math.round((figures.requests / figures.elapsedMs) * 1000),
  'p50 ms': Number(percentile(figures.ms, 0.5).toFixed(1)),
  'p99 ms': Number(percentile(figures.ms, 0.99).toFixed(1)),
  'reads per request': Number((figures.statements / figures.requests).toFixed(3)),
  'keys per read': Math.round((figures.requests * PREDICTIONS) / figures.statements),
  'CPU ms per request, here': Number((figures.cpuMs / figures.requests).toFixed(2)),
  predictions: figures.answered,
})
console.table({ shared: describe(shared), 'limited to one request': describe(apart) })
const gain = shared.requests / shared.elapsedMs / (apart.requests / apart.elapsedMs)
const tail = percentile(shared.ms, 0.99) / percentile(apart.ms, 0.99)
console.log(`${database.embedded ? 'PGlite' : 'PostgreSQL'}: throughput x ${gain.toFixed(2)}, p99 x ${tail.toFixed(2)}`)
printMachine()
await app.close()
await learning.$disconnect()
await end()
