import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { fanOutOf } from '../../jobs/fan-out.ts'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createServerDatabase, openTestDatabase, silent } from '../harness.ts'
import { quickPulse, stranger, testKinds, viewer } from './kinds.ts'
import { startWorker, type WorkerProcess } from './processes.ts'

const server = inject('server')
const redis = inject('redis')

interface Deployment {
  readonly jobs: Jobs
  close(): Promise<void>
}

async function oneProcess(): Promise<Deployment> {
  const database = await openTestDatabase()
  const jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: true, pulse: quickPulse })
  await jobs.start()
  return {
    jobs,
    async close() {
      await jobs.stop()
      await database.close()
    },
  }
}

/** What the gateway's process holds, and three machines that only work. */
async function gatewayAndWorkers(redis?: string): Promise<Deployment> {
  const { url, drop } = await createServerDatabase(server)
  const database: Database = await openDatabase({ url, log: silent })
  const jobs = await createJobs({
    database,
    log: silent,
    kinds: testKinds,
    worker: false,
    fanOut: await fanOutOf(database, redis, silent),
  })
  await jobs.start()
  const workers: WorkerProcess[] = [1, 2, 3].map(() => startWorker({ url, pulse: quickPulse, kinds: 'test', redis }))
  await Promise.all(workers.map((worker) => worker.says(/started/)))
  return {
    jobs,
    async close() {
      for (const worker of workers) worker.kill('SIGTERM')
      expect(await Promise.all(workers.map((worker) => worker.exited))).toEqual([0, 0, 0])
      await jobs.stop()
      await database.close()
      await drop()
    },
  }
}

const deployments = {
  'in one process': oneProcess,
  ...(server ? { 'in a gateway and three workers': () => gatewayAndWorkers() } : {}),
  ...(server && redis ? { 'in a gateway and three workers told by Redis': () => gatewayAndWorkers(redis) } : {}),
}

describe.each(Object.entries(deployments))('jobs %s', (_name, open) => {
  let deployment: Deployment
  let jobs: Jobs
  beforeAll(async () => {
    deployment = await open()
    jobs = deployment.jobs
  })
  afterAll(() => deployment.close())

  it('run to their end, watched without a gap', async () => {
    const { id } = await jobs.enqueue('add', { steps: 5, stepMs: 20 }, { viewer })
    const sequences: number[] = []
    const types: string[] = []
    for await (const event of jobs.events(id)) {
      sequences.push(event.sequence)
      types.push(event.type)
    }
    expect(sequences).toEqual(sequences.map((_, at) => at + 1))
    expect(types.filter((type) => type === 'STEP')).toHaveLength(5)
    expect(types.at(-1)).toBe('SUCCEEDED')
    expect(await jobs.get(id)).toMatchObject({ result: { sum: 15 }, progress: { done: 5, total: 5 } })
  })

  it('continue after the last step when an attempt fails', async () => {
    const { id } = await jobs.enqueue('add', { steps: 4, failAt: 3 }, { viewer })
    expect(await jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2, result: { sum: 10 } })
    const { events } = await jobs.eventPage(id, { first: 100 })
    expect(events.filter((event) => event.type === 'STEP')).toHaveLength(4)
  })

  it('are told to end while they run, are retried, and end again', async () => {
    const { id } = await jobs.enqueue('wait', {}, { viewer })
    for await (const event of jobs.events(id)) if (event.type === 'LOG') break
    const began = performance.now()
    await jobs.cancel(id, viewer)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED', attempt: 1 })
    expect(performance.now() - began).toBeLessThan(1000)
    await jobs.retry(id, viewer)
    for await (const event of jobs.events(id, (await jobs.get(id)).lastSequence)) if (event.type === 'LOG') break
    await jobs.cancel(id, viewer)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED', attempt: 2 })
  })

  it('are the dead letters when they fail for good, and are driven again', async () => {
    const { id } = await jobs.enqueue('fail', { retryable: true }, { viewer })
    expect(await jobs.ended(id)).toMatchObject({ state: 'FAILED', attempt: 3 })
    expect(await jobs.redrive({ kind: 'fail', viewer })).toBe(1)
    for (;;) {
      const job = await jobs.ended(id)
      if (job.attempt === 6) break
    }
    expect((await jobs.attempts([id])).map((attempt) => attempt.number)).toEqual([1, 2, 3, 4, 5, 6])
  })

  it('each run once, however many there are and whoever takes them', async () => {
    const made = await Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        jobs.enqueue('add', { steps: 2 }, { viewer: at % 2 ? viewer : stranger, priority: at % 3 }),
      ),
    )
    for (const { id } of made) expect(await jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 })
    const workers = new Set((await jobs.attempts(made.map((job) => job.id))).map((attempt) => attempt.worker))
    expect(workers.size).toBeGreaterThan(open === gatewayAndWorkers ? 1 : 0)
  })

  it('wait for each other', async () => {
    const first = await jobs.enqueue('add', { steps: 2, stepMs: 50 }, { viewer })
    const last = await jobs.enqueue('add', { steps: 1 }, { viewer, after: [first.id] })
    expect((await jobs.ended(last.id)).startedAt!.getTime()).toBeGreaterThanOrEqual(
      (await jobs.get(first.id)).endedAt!.getTime(),
    )
  })

  it('compute in a process of their own', async () => {
    const { id } = await jobs.enqueue('crunch', { how: 'steps' }, { viewer })
    expect(await jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED', result: { sum: 64 } })
  })
})

describe('inkling start --role', () => {
  function start(role: string, url: string) {
    const program = fileURLToPath(new URL('../../cli/inkling.js', import.meta.url))
    const child = spawn(process.execPath, [program, 'start', '--role', role], {
      env: { ...process.env, DATABASE_URL: url, LOG_LEVEL: 'error' },
    })
    let output = ''
    child.stderr.on('data', (text) => {
      output += text
    })
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { child, exited, output: () => output }
  }

  it('is refused on the embedded database, which is one process alone, and for what is no role', async () => {
    const [worker, learning, king] = ['worker', 'learning', 'king'].map((role) => start(role, ''))
    for (const [role, { exited, output }] of Object.entries({ worker: worker!, learning: learning! })) {
      expect(await exited).toBe(1)
      expect(output()).toContain(`A ${role} of its own needs a PostgreSQL server`)
      expect(output()).toContain('Set DATABASE_URL')
    }
    expect(await king!.exited).toBe(2)
    expect(king!.output()).toContain('all, gateway, learning, ml, jobs')
  })

  it.runIf(server)('worker takes jobs until it is told to stop', async () => {
    const { url, drop } = await createServerDatabase(server)
    try {
      const { child, exited, output } = start('worker', url)
      while (!/takes jobs: .*train/.test(output()) && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 100))
      child.kill('SIGTERM')
      expect(await exited, output()).toBe(0)
    } finally {
      await drop()
    }
  })
})
