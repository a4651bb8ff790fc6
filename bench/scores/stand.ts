import { randomUUID } from 'node:crypto'
import { cpus, loadavg } from 'node:os'
import pg from 'pg'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { migrate } from '../../platform/migrate.ts'

export const log = createLog('error')

/** An empty, migrated database on DATABASE_URL's server, dropped by `end`; or in this process. */
export async function openBenchDatabase(where: 'server' | 'embedded' = 'server'): Promise<{
  database: Database
  /** Empty for the embedded one. */
  url: string
  end(): Promise<void>
}> {
  if (where === 'embedded') {
    const database = await openDatabase({ log })
    await migrate(database, log)
    return { database, url: '', end: () => database.close() }
  }
  const server = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
  const name = `inkling_scores_${randomUUID().slice(0, 8)}`
  const onServer = async (sql: string) => {
    const client = new pg.Client({ connectionString: server })
    await client.connect()
    await client.query(sql)
    await client.end()
  }
  await onServer(`CREATE DATABASE "${name}"`)
  const url = new URL(server)
  url.pathname = `/${name}`
  const database = await openDatabase({ url: url.href, log, poolSize: 10 })
  await migrate(database, log)
  return {
    database,
    url: url.href,
    async end() {
      await database.close()
      await onServer(`DROP DATABASE "${name}" WITH (FORCE)`)
    },
  }
}

/** Milliseconds of each run, sorted. */
export async function timeRuns(runs: number, work: (run: number) => Promise<unknown>): Promise<number[]> {
  for (let run = 0; run < Math.min(20, runs); run++) await work(run)
  const times: number[] = []
  for (let run = 0; run < runs; run++) {
    const began = performance.now()
    await work(run)
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)
}

export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

export function printRow(cells: readonly (string | number)[]): void {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell))
  process.stdout.write(`| ${texts.join(' | ')} |\n`)
}

export function printMachine(): void {
  const load = loadavg().map((value) => value.toFixed(1))
  process.stdout.write(`Node ${process.version}, ${cpus().length} cores, load ${load.join(' ')}\n`)
}
