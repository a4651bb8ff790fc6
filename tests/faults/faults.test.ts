import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { createJobs } from '../../jobs/engine.ts'
import { openDatabase } from '../../platform/database.ts'
import { createServerDatabase, fillTestFolder, silent } from '../harness.ts'
import { findViolations } from './checker.ts'
import { EFFECT_TABLE, type History, readHistory } from './history.ts'
import { startReaders } from './readers.ts'
import { type Outcome, runFaults } from './run.ts'

const server = inject('server')
const seconds = Number(process.env.INKLING_FAULT_SECONDS ?? 10)
const seed = Number(process.env.INKLING_FAULT_SEED ?? Math.floor(Math.random() * 1_000_000))
const pulse = { beatMs: 300, silentMs: 1500, tickMs: 300, deafMs: 1000 }
const LIMIT_MS = seconds * 1000 + 150_000

/** One line that says what was done, to be read when it fails and repeated with INKLING_FAULT_SEED. */
function report({ faults, lives, said }: Outcome, history: History, more: object): void {
  const states = Object.groupBy(history.jobs, (job) => job.state)
  const outcomes = Object.groupBy(history.attempts, (attempt) => String(attempt.outcome))
  const sizes = (groups: Partial<Record<string, unknown[]>>) =>
    Object.fromEntries(Object.entries(groups).map(([name, group]) => [name, group!.length]))
  const figures = { seed, seconds, faults, lives, acknowledged: said.length, jobs: sizes(states), ...more }
  console.log(`fault run ${JSON.stringify({ ...figures, attempts: sizes(outcomes), effects: history.effects.length })}`)
}

describe.runIf(server)('on a server, three workers and a client', () => {
  it(
    'keep every promise while they are killed, frozen, restarted and cut off',
    async () => {
      const { url, drop } = await createServerDatabase(server)
      try {
        const database = await openDatabase({ url, log: silent })
        await database.query(EFFECT_TABLE)
        const jobs = await createJobs({ database, log: silent, kinds: [], worker: false })
        await jobs.start()
        const readers = startReaders(database, jobs)
        const actors = ['worker 1', 'worker 2', 'worker 3', 'client'].map((name) => {
          return { name, url, pulse, paceMs: 100, worker: name !== 'client' }
        })
        const outcome = await runFaults({ seed, seconds, actors, url, paceMs: 1400 })
        const { readings, reconnects } = await readers.end()
        const history = await readHistory(database, outcome.said, readings)
        report(outcome, history, { readers: readings.length, reconnects })
        expect(findViolations(history)).toEqual([])
        expect(outcome.exits).toEqual([0, 0, 0, 0])
        expect(history.jobs.length).toBeGreaterThan(seconds)
        expect(history.attempts.some((attempt) => attempt.outcome === 'CRASHED')).toBe(true)
        await jobs.stop()
        await database.close()
      } finally {
        await drop()
      }
    },
    LIMIT_MS,
  )
})

describe.runIf(!server)('on the embedded database, one process', () => {
  it(
    'keeps every promise while it is killed, frozen and restarted',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'inkling-faults-'))
      const dataDir = join(folder, 'database')
      try {
        fillTestFolder(dataDir)
        const actors = [{ name: 'all', dataDir, pulse, paceMs: 60, worker: true }]
        const outcome = await runFaults({ seed, seconds, actors, paceMs: 6000 })
        const database = await openDatabase({ dataDir, log: silent })
        const history = await readHistory(database, outcome.said, [])
        await database.close()
        report(outcome, history, {})
        expect(findViolations(history)).toEqual([])
        expect(outcome.exits).toEqual([0])
        expect(history.jobs.length).toBeGreaterThan(10)
        expect(outcome.faults.kill).toBeGreaterThan(0)
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    },
    LIMIT_MS,
  )
})
