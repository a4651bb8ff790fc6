import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createServerDatabase, fillTestFolder, silent } from '../harness.ts'
import { testKinds, viewer } from './kinds.ts'
import { startWorker } from './processes.ts'

const server = inject('server')

/** Each step left one effect, and the result counts each once. */
async function expectExactlyOnce(database: Database, jobs: Jobs, id: string, steps: number): Promise<void> {
  expect(await jobs.get(id)).toMatchObject({ state: 'SUCCEEDED', result: { sum: (steps * (steps + 1)) / 2 } })
  const { rows } = await database.query<{ step: number }>(
    'SELECT step FROM public.effect WHERE job = $1 ORDER BY step',
    [id],
  )
  expect(rows.map((row) => row.step)).toEqual(Array.from({ length: steps }, (_, at) => at + 1))
  const { events } = await jobs.eventPage(id, { first: 1000 })
  expect(events.map((event) => event.sequence)).toEqual(events.map((_, at) => at + 1))
}

describe.runIf(!server)('on the embedded database', () => {
  it('continues within four seconds after a kill and a restart, each step once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'inkling-crash-'))
    const dataDir = join(folder, 'database')
    const steps = 12
    fillTestFolder(dataDir)
    try {
      const first = startWorker({ dataDir, enqueue: [{ steps, stepMs: 100 }] })
      const [, id] = await first.says(/enqueued (\S+)/)
      await first.says(/began \S+ 5 1/)
      first.kill('SIGKILL')
      await first.exited
      const killedAt = Date.now()
      const second = startWorker({ dataDir })
      await second.says(/started/)
      const readyAt = Date.now()
      await second.says(/began \S+ \d+ 2/)
      expect(Date.now() - readyAt).toBeLessThan(1000)
      expect(Date.now() - killedAt).toBeLessThan(4000) // with the start of Node and of the database
      second.kill('SIGTERM') // handed back, not failed
      expect(await second.exited).toBe(0)
      const third = startWorker({ dataDir })
      await third.says(/ended \S+ SUCCEEDED/)
      third.kill('SIGTERM')
      expect(await third.exited).toBe(0)

      const database = await openDatabase({ dataDir, log: silent })
      const jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: false })
      const outcomes = (await jobs.attempts([id!])).map((attempt) => attempt.outcome)
      expect(outcomes).toEqual(['CRASHED', 'RELEASED', 'SUCCEEDED'])
      expect((await jobs.get(id!)).failures).toBe(1)
      await expectExactlyOnce(database, jobs, id!, steps)
      await jobs.stop()
      await database.close()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe.runIf(server)('on a server', () => {
  const pulse = { beatMs: 300, silentMs: 1500, tickMs: 300 }

  interface Ground {
    readonly url: string
    readonly database: Database
    readonly jobs: Jobs
  }
  /** Each test is about processes that wait for each other: all of them run at once, each in a database of its own. */
  const inOwnDatabase = (name: string, test: (ground: Ground) => Promise<void>) =>
    it.concurrent(name, async () => {
      const { url, drop } = await createServerDatabase(server)
      const database = await openDatabase({ url, log: silent, poolSize: 4 })
      const jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: false })
      await jobs.start()
      await test({ url, database, jobs })
      await jobs.stop()
      await database.close()
      await drop()
    })

  inOwnDatabase('is taken over from a killed worker, each step once', async ({ url, database, jobs }) => {
    const first = startWorker({ url, pulse, enqueue: [{ steps: 20, stepMs: 50 }] })
    const [, id] = await first.says(/enqueued (\S+)/)
    const second = startWorker({ url, pulse })
    await second.says(/started/)
    await first.says(/began \S+ 4 1/)
    first.kill('SIGKILL')
    const killedAt = Date.now()
    await second.says(/began \S+ \d+ 2/)
    expect(Date.now() - killedAt).toBeLessThan(pulse.silentMs + pulse.tickMs + 1500)
    await jobs.ended(id!)
    await expectExactlyOnce(database, jobs, id!, 20)
    expect((await jobs.attempts([id!])).map((attempt) => attempt.outcome)).toEqual(['CRASHED', 'SUCCEEDED'])
    second.kill('SIGTERM')
    expect(await second.exited).toBe(0)
  })

  inOwnDatabase(
    'is taken over from a frozen worker, whose later writes are refused',
    async ({ url, database, jobs }) => {
      const first = startWorker({ url, pulse, enqueue: [{ steps: 20, stepMs: 100 }] })
      const [, id] = await first.says(/enqueued (\S+)/)
      await first.says(/began \S+ 5 1/)
      first.kill('SIGSTOP')
      const second = startWorker({ url, pulse })
      await second.says(/began \S+ \d+ 2/)
      first.kill('SIGCONT') // the zombie goes on with its step while the other runs it too
      const job = await jobs.ended(id!)
      expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 2 })
      await expectExactlyOnce(database, jobs, id!, 20)
      expect(first.said()).not.toMatch(/began \S+ 20 1/)
      for (const worker of [first, second]) {
        worker.kill('SIGTERM')
        expect(await worker.exited).toBe(0)
      }
    },
  )

  inOwnDatabase(
    'is taken over within 15 s at the default pulse, even from one that was frozen in the middle of a commit',
    async ({ url, database, jobs }) => {
      const frozen = startWorker({ url, freezeAt: 4, enqueue: [{ steps: 20, stepMs: 100 }] })
      const [, ofFrozen] = await frozen.says(/enqueued (\S+)/)
      await frozen.says(/began \S+ 4 1/)
      const silent = [{ id: ofFrozen!, since: Date.now() + 100 }]
      const killed = startWorker({ url, enqueue: [{ steps: 20, stepMs: 100 }] })
      const [, ofKilled] = await killed.says(/enqueued (\S+)/)
      await killed.says(/began \S+ 4 1/)
      killed.kill('SIGKILL')
      silent.push({ id: ofKilled!, since: Date.now() })
      const other = startWorker({ url })
      for (const { id, since } of silent) {
        await other.says(new RegExp(`began ${id} 4 2`))
        console.log(`taken over after ${Date.now() - since} ms`)
        expect(Date.now() - since).toBeLessThan(15_000)
        await jobs.ended(id)
        await expectExactlyOnce(database, jobs, id, 20)
      }
      frozen.kill('SIGKILL')
      other.kill('SIGTERM')
      expect(await other.exited).toBe(0)
    },
  )

  inOwnDatabase(
    'is taken back within four seconds by a worker that starts again under its name',
    async ({ url, database, jobs }) => {
      const first = startWorker({ url, name: 'steady', enqueue: [{ steps: 10, stepMs: 100 }] })
      const [, id] = await first.says(/enqueued (\S+)/)
      await first.says(/began \S+ 4 1/)
      first.kill('SIGKILL')
      await first.exited
      const killedAt = Date.now()
      const second = startWorker({ url, name: 'steady' })
      await second.says(/began \S+ \d+ 2/)
      expect(Date.now() - killedAt).toBeLessThan(4000)
      await jobs.ended(id!)
      await expectExactlyOnce(database, jobs, id!, 10)
      second.kill('SIGTERM')
      expect(await second.exited).toBe(0)
    },
  )

  inOwnDatabase('goes on through lost connections', async ({ url, database, jobs }) => {
    const worker = startWorker({ url, pulse, enqueue: [{ steps: 30, stepMs: 50 }] })
    const [, id] = await worker.says(/enqueued (\S+)/)
    for (let round = 0; round < 4; round++) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      await database.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      )
    }
    await jobs.ended(id!)
    await expectExactlyOnce(database, jobs, id!, 30)
    worker.kill('SIGTERM')
    expect(await worker.exited).toBe(0)
  })

  inOwnDatabase('keeps one truth when several workers take from one queue', async ({ url, database, jobs }) => {
    const workers = [1, 2, 3].map(() => startWorker({ url, pulse }))
    await Promise.all(workers.map((worker) => worker.says(/started/)))
    const enqueuer = startWorker({ url, pulse, enqueue: Array.from({ length: 40 }, () => ({ steps: 3, stepMs: 5 })) })
    await enqueuer.says(/all enqueued/)
    const ids = [...enqueuer.said().matchAll(/enqueued (\S+)/g)].map((match) => match[1]!)
    expect(ids).toHaveLength(40)
    for (const id of ids) {
      await jobs.ended(id)
      await expectExactlyOnce(database, jobs, id, 3)
    }
    expect((await jobs.list({ viewer, first: 100 })).jobs.every((job) => job.state === 'SUCCEEDED')).toBe(true)
    for (const worker of [...workers, enqueuer]) {
      worker.kill('SIGTERM')
      expect(await worker.exited).toBe(0)
    }
  })
})
