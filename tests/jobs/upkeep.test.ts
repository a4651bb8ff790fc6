import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createJobs, type Jobs, type JobsOptions } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, testKinds, viewer } from './kinds.ts'

let database: Database
const made: Jobs[] = []
async function open(options: Partial<JobsOptions> = {}): Promise<Jobs> {
  const jobs = await createJobs({
    database,
    log: silent,
    kinds: testKinds,
    worker: true,
    pulse: quickPulse,
    ...options,
  })
  made.push(jobs)
  return jobs
}

beforeAll(async () => {
  database = await openTestDatabase()
})
afterEach(async () => {
  for (const jobs of made.splice(0)) await jobs.stop({ graceful: false })
  await database.query('DELETE FROM inkling."Job"')
  await database.query('DELETE FROM inkling_boss.job')
})
afterAll(() => database.close())

describe('upkeep', () => {
  it('gives a job a new ticket when the queue lost it', async () => {
    const jobs = await open({ worker: false })
    const { id } = await jobs.enqueue('add', { steps: 2 }, { viewer })
    await database.query('DELETE FROM inkling_boss.job')
    const worker = await open()
    await worker.start()
    expect(await worker.ended(id)).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('forgets jobs that ended long ago, and nothing else', async () => {
    const jobs = await open({ worker: false })
    const old = await jobs.enqueue('add', { steps: 1 }, { viewer })
    const recent = await jobs.enqueue('add', { steps: 1 }, { viewer })
    const waiting = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(Date.now() + 3_600_000) })
    await jobs.cancel(old.id)
    await jobs.cancel(recent.id)
    await database.query(`UPDATE inkling."Job" SET "endedAt" = now() - interval '31 days' WHERE id = $1`, [old.id])
    const worker = await open({ keepDays: 30 })
    await worker.start()
    for (let tries = 0; tries < 50; tries++) {
      if ((await jobs.find([old.id])).length === 0) break
      await pause(50)
    }
    const left = await jobs.list({})
    expect(left.jobs.map((job) => job.id)).toEqual([waiting.id, recent.id])
  })

  it('hands running work back when its worker stops, and another continues it', async () => {
    const first = await open()
    await first.start()
    const { id } = await first.enqueue('add', { steps: 10, stepMs: 60 }, { viewer })
    for await (const event of first.events(id)) if (event.type === 'STEP') break
    const began = performance.now()
    await first.stop({ graceMs: 50 })
    expect(performance.now() - began).toBeLessThan(1500)
    const second = await open()
    const released = await second.get(id)
    expect(released).toMatchObject({ state: 'QUEUED', failures: 0, reason: expect.stringContaining('stopped') })
    await second.start()
    expect(await second.ended(id)).toMatchObject({ state: 'SUCCEEDED', result: { sum: 55 }, attempt: 2 })
    expect((await second.attempts([id])).map((attempt) => attempt.outcome)).toEqual(['RELEASED', 'SUCCEEDED'])
  })

  it('lets short work end before the worker stops', async () => {
    const jobs = await open()
    await jobs.start()
    const { id } = await jobs.enqueue('add', { steps: 3, stepMs: 60 }, { viewer })
    for await (const event of jobs.events(id)) if (event.type === 'STEP') break
    await jobs.stop({ graceMs: 2000 })
    expect(await jobs.get(id)).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('takes over from a worker that went silent, and refuses its late writes', async () => {
    const jobs = await open()
    await jobs.start()
    const { id } = await jobs.enqueue('add', { steps: 6, stepMs: 100 }, { viewer })
    for await (const event of jobs.events(id)) if (event.type === 'STEP') break
    // Another worker sees no sign of life; the first, still running, must notice that it was overtaken.
    const { endAttempt, crashed } = await import('../../jobs/ending.ts')
    const { createQueue } = await import('../../jobs/queue.ts')
    const queue = createQueue(database, silent, testKinds)
    await queue.start()
    const parts = {
      database,
      queue,
      log: silent,
      quota: 10,
      kinds: new Map(testKinds.map((kind) => [kind.name, kind])),
    }
    expect(await endAttempt(parts, { id, attempt: 1 }, crashed('the first'))).toMatchObject({ state: 'RETRYING' })
    expect(await endAttempt(parts, { id, attempt: 1 }, crashed('the first'))).toBeNull()
    expect(await jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED', result: { sum: 21 }, attempt: 2 })
    await queue.stop()
  })

  it('ends an attempt that takes too long, and the job after the last one', async () => {
    const { add, wait } = await import('./kinds.ts')
    const kinds = [add, { ...wait, timeoutMs: 100, retry: { attempts: 2, delayMs: 10, maxDelayMs: 10 } }]
    const jobs = await open({ kinds })
    await jobs.start()
    const { id } = await jobs.enqueue('wait', {}, { viewer })
    expect(await jobs.ended(id)).toMatchObject({ state: 'FAILED', attempt: 2 })
    expect((await jobs.attempts([id])).map((attempt) => attempt.outcome)).toEqual(['TIMED_OUT', 'TIMED_OUT'])
  })

  it('takes over what a silent worker claimed', async () => {
    const { claimJobs } = await import('../../jobs/claim.ts')
    const { createQueue } = await import('../../jobs/queue.ts')
    const queue = createQueue(database, silent, testKinds)
    await queue.start()
    const parts = {
      database,
      queue,
      log: silent,
      quota: 10,
      kinds: new Map(testKinds.map((kind) => [kind.name, kind])),
    }
    const jobs = await open({ worker: false })
    const { id } = await jobs.enqueue('add', { steps: 2 }, { viewer })
    const dead = { name: 'dead', incarnation: crypto.randomUUID() }
    expect((await claimJobs(parts, 'add', 5, dead)).map(({ job }) => job.id)).toEqual([id])
    expect(await claimJobs(parts, 'add', 5, dead)).toEqual([])
    const other = await open()
    await other.start() // embedded: an orphan at the start; a server: silent since quickPulse.silentMs
    const job = await other.ended(id)
    expect(job).toMatchObject({ state: 'SUCCEEDED', attempt: 2, failures: 1 })
    const late = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(Date.now() + 3_600_000) })
    await database.query(`UPDATE inkling_boss.job SET start_after = now()`)
    expect(await claimJobs(parts, 'add', 5, dead)).toHaveLength(1)
    await database.query(`UPDATE inkling."Job" SET "heartbeatAt" = now() - interval '1 minute' WHERE id = $1`, [
      late.id,
    ])
    expect(await other.ended(late.id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 })
    await queue.stop()
  })

  it("removes tickets that are no job's any more", async () => {
    const jobs = await open({ worker: false })
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(Date.now() + 3_600_000) })
    await database.query(`UPDATE inkling."Job" SET "deliveryId" = gen_random_uuid() WHERE id = $1`, [id])
    await database.query(`UPDATE inkling_boss.job SET created_on = now() - interval '5 minutes'`)
    const worker = await open()
    await worker.start()
    const tickets = async () =>
      (await database.query<{ id: string }>('SELECT id FROM inkling_boss.job')).rows.map((row) => row.id)
    const wanted = async () => [(await jobs.get(id)).deliveryId]
    for (let tries = 0; tries < 60 && (await tickets()).join() !== (await wanted()).join(); tries++) await pause(50)
    expect(await tickets()).toEqual(await wanted())
  })
})
