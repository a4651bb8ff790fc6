// How long a claim takes while ten thousand jobs wait, against raw pg-boss in the same database and the same run, turn by turn.
//   node bench/jobs/claim.ts [waiting=10000] [claims=500]            embedded database
//   DATABASE_URL=postgres://... node bench/jobs/claim.ts             a server; makes and drops a database of its own
import pg from 'pg'
import { PgBoss } from 'pg-boss'
import { z } from 'zod'
import { claimJobs } from '../../jobs/claim.ts'
import { createJobs } from '../../jobs/engine.ts'
import { defineJob } from '../../jobs/kind.ts'
import type { Parts } from '../../jobs/parts.ts'
import { createQueue } from '../../jobs/queue.ts'
import { openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'

const waiting = Number(process.argv[2] ?? 10_000)
const claims = Number(process.argv[3] ?? 500)
const server = process.env.DATABASE_URL
const TENANTS = 20

const log = createLog('silent')
const name = `inkling_bench_claim_${process.pid}`
const url = server && Object.assign(new URL(server), { pathname: `/${name}` }).href
if (server) await onServer(`CREATE DATABASE "${name}"`)
const database = await openDatabase({ url, log })
try {
  await migrate(database, log)
  const kind = defineJob({ name: 'wait', input: z.object({}), run: async () => {} })
  const jobs = await createJobs({ database, log, kinds: [kind], worker: false, quota: waiting })
  const queue = createQueue(database, log, [kind])
  await queue.start()
  const parts: Parts = { database, queue, log, kinds: new Map([[kind.name, kind]]), quota: waiting }
  const raw = new PgBoss({
    db: { executeSql: (text, values) => database.query(text, values) },
    schema: 'raw_boss',
    supervise: false,
    schedule: false,
  })
  await raw.start()
  await raw.createQueue('wait')

  await Promise.all(
    Array.from({ length: TENANTS }, async (_, tenant) => {
      const viewer = { id: 'bench', tenant: `tenant ${tenant}`, scopes: [] }
      for (let job = tenant; job < waiting; job += TENANTS) await jobs.enqueue('wait', {}, { viewer })
    }),
  )
  for (let at = 0; at < waiting; at += 1000)
    await raw.insert(
      'wait',
      Array.from({ length: Math.min(1000, waiting - at) }, () => ({ data: { jobId: crypto.randomUUID() } })),
    )

  const ours: number[] = []
  const theirs: number[] = []
  const worker = { name: 'bench', incarnation: crypto.randomUUID() }
  for (let claim = 0; claim < claims; claim++) {
    ours.push(await timed(async () => expectOne(await claimJobs(parts, 'wait', 1, worker))))
    theirs.push(await timed(async () => expectOne(await raw.fetch('wait', { batchSize: 1 }))))
  }
  const figures = { ours: spread(ours), rawPgBoss: spread(theirs) }
  const ratio = (figures.ours.p95 / figures.rawPgBoss.p95).toFixed(2)
  console.log(
    JSON.stringify({ database: server ? 'server' : 'embedded', waiting, claims, ms: figures, p95Ratio: Number(ratio) }),
  )
  await raw.stop({ graceful: false, close: false })
  await queue.stop()
  await jobs.stop()
} finally {
  await database.close()
  if (server) await onServer(`DROP DATABASE "${name}" WITH (FORCE)`)
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now()
  await work()
  return performance.now() - began
}

function expectOne(claimed: readonly unknown[]): void {
  if (claimed.length !== 1) throw new Error(`${claimed.length} jobs were claimed instead of one`)
}

function spread(times: readonly number[]): { p50: number; p95: number } {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number) => Number(sorted[Math.floor(share * (sorted.length - 1))]!.toFixed(2))
  return { p50: at(0.5), p95: at(0.95) }
}

async function onServer(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(sql)
  await client.end()
}
