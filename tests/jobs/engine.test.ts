import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { defineJob } from '../../jobs/kind.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, stranger, testKinds, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
const endings: { id: string; state: string }[] = []
const told = defineJob({
  name: 'told',
  input: z.object({ fail: z.boolean() }),
  retry: { attempts: 1 },
  async run(_context, { fail }) {
    if (fail) throw new Error('as told')
  },
  async ended(job, client) {
    await client.query('INSERT INTO public.ended VALUES ($1, $2)', [job.id, job.state])
  },
})
const order: string[] = []
let openGate: (() => void) | null = null
const single = defineJob({
  name: 'single',
  input: z.object({ name: z.string() }),
  concurrency: 1,
  async run(_context, { name }) {
    if (name === 'gate')
      await new Promise<void>((resolve) => {
        openGate = resolve
      })
    else order.push(name)
  },
})
const parent = defineJob({
  name: 'parent',
  input: z.object({ children: z.number() }),
  concurrency: 1,
  async run(context, { children }) {
    const made = []
    for (let child = 1; child <= children; child++)
      made.push(await context.child('add', { steps: child, stepMs: 5 }, { key: `child ${child}` }))
    const ended = await context.join(made)
    return { sums: ended.map((job) => (job.result as { sum: number }).sum), attempts: context.attempt }
  },
})

beforeAll(async () => {
  database = await openTestDatabase()
  await database.query('CREATE TABLE public.ended (id uuid, state text)')
  jobs = await createJobs({
    database,
    log: silent,
    kinds: [...testKinds, told, single, parent],
    worker: true,
    concurrency: 4,
    quota: 60,
    pulse: quickPulse,
  })
  await jobs.start()
})
afterAll(async () => {
  await jobs.stop()
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM inkling_boss.job t WHERE NOT EXISTS (
       SELECT 1 FROM inkling."Job" j WHERE j."deliveryId" = t.id AND j.state NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED'))`,
  )
  expect(rows[0]!.count, 'tickets left behind').toBe(0)
  await database.close()
  expect(endings).toEqual([])
})

describe('a job', () => {
  it('runs its steps and keeps result, progress and attempts', async () => {
    const { id } = await jobs.enqueue('add', { steps: 4 }, { viewer })
    const job = await jobs.ended(id)
    expect(job).toMatchObject({
      state: 'SUCCEEDED',
      result: { sum: 10 },
      progress: { done: 4, total: 4, unit: 'steps' },
    })
    expect(await jobs.attempts([id])).toMatchObject([{ number: 1, outcome: 'SUCCEEDED' }])
  })

  it('continues after its last step when an attempt fails', async () => {
    const { id } = await jobs.enqueue('add', { steps: 5, failAt: 4 }, { viewer })
    const job = await jobs.ended(id)
    expect(job).toMatchObject({ state: 'SUCCEEDED', result: { sum: 15 }, attempt: 2, failures: 1 })
    const attempts = await jobs.attempts([id])
    expect(attempts.map((attempt) => attempt.outcome)).toEqual(['FAILED', 'SUCCEEDED'])
    expect(attempts[0]!.error).toMatchObject({ message: 'the first attempt fails here' })
    const { rows } = await database.query<{ name: string; attempt: number }>(
      'SELECT name, attempt FROM inkling."JobStep" WHERE "jobId" = $1 ORDER BY name',
      [id],
    )
    expect(rows.map((row) => row.attempt)).toEqual([1, 1, 1, 2, 2])
  })

  it('fails after as many attempts as its kind allows, at once when trying again is useless', async () => {
    const stubborn = await jobs.enqueue('fail', { retryable: true }, { viewer })
    const useless = await jobs.enqueue('fail', { retryable: false }, { viewer })
    expect(await jobs.ended(stubborn.id)).toMatchObject({ state: 'FAILED', attempt: 3, error: { code: 'UNAVAILABLE' } })
    expect(await jobs.ended(useless.id)).toMatchObject({
      state: 'FAILED',
      attempt: 1,
      error: { code: 'NOT_ENOUGH_ROWS' },
    })
  })

  it('is retried by hand, and all that failed at once', async () => {
    const { id } = await jobs.enqueue('fail', { retryable: false }, { viewer })
    await jobs.ended(id)
    expect(await jobs.retry(id, viewer)).toMatchObject({ state: 'QUEUED', failures: 0 })
    expect(await jobs.ended(id)).toMatchObject({ state: 'FAILED', attempt: 2 })
    expect(await jobs.redrive({ kind: 'fail', viewer })).toBeGreaterThanOrEqual(1)
    expect(await jobs.ended(id)).toMatchObject({ state: 'FAILED', attempt: 3 })
  })

  it('is refused with a named reason', async () => {
    await expect(jobs.enqueue('unknown', {}, { viewer })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(jobs.enqueue('add', { steps: 'many' }, { viewer })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(jobs.enqueue('single', { name: 'a\0b' }, { viewer })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(jobs.enqueue('add', { steps: 1 }, { viewer, priority: 101 })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
    await expect(jobs.get('no-id')).rejects.toMatchObject({ code: 'JOB_UNKNOWN' })
  })

  it('is a stranger to other tenants', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer })
    await jobs.ended(id)
    for (const act of [jobs.get, jobs.cancel, jobs.retry])
      await expect(act(id, stranger)).rejects.toMatchObject({ code: 'JOB_UNKNOWN' })
    expect((await jobs.list({ viewer: stranger })).jobs).toEqual([])
  })

  it('tells its kind of its end inside the transaction that ends it, also when it never ran', async () => {
    const good = await jobs.enqueue('told', { fail: false }, { viewer })
    const bad = await jobs.enqueue('told', { fail: true }, { viewer })
    const later = await jobs.enqueue('told', { fail: false }, { viewer, startAfter: new Date(Date.now() + 60_000) })
    expect(later.state).toBe('SCHEDULED')
    await jobs.cancel(later.id, viewer)
    await Promise.all([jobs.ended(good.id), jobs.ended(bad.id), jobs.ended(later.id)])
    const { rows } = await database.query<{ id: string; state: string }>('SELECT * FROM public.ended')
    const states = [good, bad, later].map((job) => rows.filter((row) => row.id === job.id).map((row) => row.state))
    expect(states).toEqual([['SUCCEEDED'], ['FAILED'], ['CANCELLED']])
  })

  it('starts when its moment has come', async () => {
    const began = Date.now()
    const { id, state } = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(began + 700) })
    expect(state).toBe('SCHEDULED')
    await jobs.ended(id)
    expect(Date.now() - began).toBeGreaterThanOrEqual(690)
    expect(Date.now() - began).toBeLessThan(3000)
  })
})

describe('enqueueing', () => {
  it('is part of the transaction it is called in', async () => {
    let id = ''
    const broken = database.transaction(async () => {
      id = (await jobs.enqueue('add', { steps: 1 }, { viewer })).id
      throw new Error('roll back')
    })
    await expect(broken).rejects.toThrow('roll back')
    await expect(jobs.get(id)).rejects.toMatchObject({ code: 'JOB_UNKNOWN' })
    const job = await database.transaction(async (client) => {
      await client.query('SELECT 1')
      return jobs.enqueue('add', { steps: 1 }, { viewer })
    })
    expect(await jobs.ended(job.id)).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('answers a hundred calls with one key by one job', async () => {
    const made = await Promise.all(
      Array.from({ length: 100 }, () => jobs.enqueue('add', { steps: 1 }, { viewer, idempotencyKey: 'once' })),
    )
    expect(new Set(made.map((job) => job.id)).size).toBe(1)
    const other = await jobs.enqueue('add', { steps: 1 }, { viewer: stranger, idempotencyKey: 'once' })
    expect(other.id).not.toBe(made[0]!.id)
    await jobs.ended(other.id)
    await jobs.ended(made[0]!.id)
  })

  it('lets tenants take turns, and priority go before turns', async () => {
    const gate = await jobs.enqueue('single', { name: 'gate' }, { viewer })
    for await (const event of jobs.events(gate.id)) if (event.type === 'RUNNING') break
    const made = [gate]
    for (let job = 1; job <= 5; job++) made.push(await jobs.enqueue('single', { name: `a${job}` }, { viewer }))
    for (let job = 1; job <= 2; job++)
      made.push(await jobs.enqueue('single', { name: `b${job}` }, { viewer: stranger }))
    made.push(await jobs.enqueue('single', { name: 'urgent' }, { viewer, priority: 5 }))
    while (!openGate) await pause(5)
    openGate()
    await Promise.all(made.map((job) => jobs.ended(job.id)))
    expect(order).toEqual(['urgent', 'a1', 'b1', 'a2', 'b2', 'a3', 'a4', 'a5'])
  })

  it('refuses more unfinished jobs than the quota', async () => {
    const startAfter = new Date(Date.now() + 3_600_000)
    const greedy = { id: 'greedy', tenant: 'greedy', scopes: [] }
    for (let job = 0; job < 60; job++) await jobs.enqueue('add', { steps: 1 }, { viewer: greedy, startAfter })
    await expect(jobs.enqueue('add', { steps: 1 }, { viewer: greedy })).rejects.toMatchObject({ code: 'TOO_MANY_JOBS' })
    const page = await jobs.list({ viewer: greedy, first: 100 })
    await Promise.all(page.jobs.map((job) => jobs.cancel(job.id, greedy)))
    await expect(jobs.enqueue('add', { steps: 1 }, { viewer: greedy })).resolves.toMatchObject({ state: 'QUEUED' })
  })

  it('refuses exactly those above the quota when all come at once', async () => {
    const hasty = { id: 'hasty', tenant: 'hasty', scopes: [] }
    const startAfter = new Date(Date.now() + 3_600_000)
    const answers = await Promise.allSettled(
      Array.from({ length: 90 }, () => jobs.enqueue('add', { steps: 1 }, { viewer: hasty, startAfter })),
    )
    expect(answers.filter((answer) => answer.status === 'fulfilled')).toHaveLength(60)
    for (const answer of answers)
      if (answer.status === 'rejected') expect(answer.reason).toMatchObject({ code: 'TOO_MANY_JOBS' })
    for (const { id } of (await jobs.list({ viewer: hasty, first: 100 })).jobs) await jobs.cancel(id)
  })

  it('waits for other jobs, and is cancelled when one of them fails', async () => {
    const first = await jobs.enqueue('add', { steps: 3, stepMs: 30 }, { viewer })
    const second = await jobs.enqueue('add', { steps: 2, stepMs: 30 }, { viewer })
    const last = await jobs.enqueue('add', { steps: 1 }, { viewer, after: [first.id, second.id] })
    expect(last.state).toBe('BLOCKED')
    const ended = await jobs.ended(last.id)
    expect(ended.state).toBe('SUCCEEDED')
    expect(ended.startedAt!.getTime()).toBeGreaterThanOrEqual((await jobs.get(first.id)).endedAt!.getTime())
    const bad = await jobs.enqueue('fail', { retryable: true }, { viewer })
    const vain = await jobs.enqueue('add', { steps: 1 }, { viewer, after: [bad.id] })
    expect(await jobs.ended(vain.id)).toMatchObject({ state: 'CANCELLED', attempt: 0 })
  })
})

describe('a parent', () => {
  it('gives its place away while its children run, and makes each once', async () => {
    const { id } = await jobs.enqueue('parent', { children: 3 }, { viewer })
    const job = await jobs.ended(id)
    expect(job).toMatchObject({ state: 'SUCCEEDED', failures: 0, result: { sums: [1, 3, 6], attempts: 2 } })
    expect((await jobs.list({ parentId: id })).jobs).toHaveLength(3)
    expect((await jobs.attempts([id])).map((attempt) => attempt.outcome)).toEqual(['SUSPENDED', 'SUCCEEDED'])
  })
})

describe('cancelling', () => {
  it('reaches running work in under 100 ms', async () => {
    const { id } = await jobs.enqueue('wait', {}, { viewer })
    for await (const event of jobs.events(id)) if (event.type === 'LOG') break
    const began = performance.now()
    expect(await jobs.cancel(id, viewer)).toMatchObject({ state: 'CANCELLING' })
    const job = await jobs.ended(id)
    expect(performance.now() - began).toBeLessThan(100)
    expect(job).toMatchObject({ state: 'CANCELLED', reason: 'Cancelled by tester.' })
    expect(await jobs.attempts([id])).toMatchObject([{ outcome: 'CANCELLED' }])
    expect(await jobs.cancel(id, viewer)).toMatchObject({ state: 'CANCELLED' })
  })

  it('ends work that does not listen', async () => {
    const { id } = await jobs.enqueue('wait', { deaf: true }, { viewer })
    for await (const event of jobs.events(id)) if (event.type === 'LOG') break
    await jobs.cancel(id, viewer)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED' })
  }, 15_000)

  it('races with the end and leaves one truth', async () => {
    for (let round = 0; round < 20; round++) {
      const { id } = await jobs.enqueue('add', { steps: 2, stepMs: 3 }, { viewer })
      await pause(Math.random() * 20)
      const refused = await jobs.cancel(id, viewer).then(
        () => false,
        (error) => error.code === 'JOB_STATE',
      )
      const job = await jobs.ended(id)
      if (refused) expect(job.state).toBe('SUCCEEDED')
      else expect(['CANCELLED', 'SUCCEEDED']).toContain(job.state)
      const { events } = await jobs.eventPage(id, { first: 1000 })
      expect(events.filter((event) => ['SUCCEEDED', 'CANCELLED'].includes(event.type))).toHaveLength(1)
    }
  })
})
