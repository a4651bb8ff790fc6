import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import { defineJob } from '../../jobs/kind.ts'
import type { MissedPolicy, OverlapPolicy, Schedule } from '../../jobs/schedule.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, stranger, testKinds, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
let rivals: Jobs[]
let number = 0
const NEVER_SOON = '0 0 1 1 *'
const MINUTE = 60_000

/** Tells when it runs, so that overlaps show. */
const spans: { schedule: string; from: number; to: number }[] = []
const span = defineJob({
  name: 'span',
  input: z.object({ ms: z.number() }),
  async run(context, { ms }) {
    const from = performance.now()
    await pause(ms, context.signal).catch(() => {})
    spans.push({ schedule: context.job.scheduleId!, from, to: performance.now() })
  },
})

beforeAll(async () => {
  database = await openTestDatabase()
  const kinds = [...testKinds, span]
  const start = async (workerName: string) => {
    const made = await createJobs({
      database,
      log: silent,
      kinds,
      worker: true,
      workerName,
      concurrency: 8,
      pulse: quickPulse,
    })
    await made.start()
    return made
  }
  jobs = await start('first')
  // The embedded database has one worker at most: a second would take the first one's work for an orphan's.
  rivals = database.embedded ? [] : [await start('second'), await start('third')]
})
afterAll(async () => {
  await Promise.all([jobs, ...rivals].map((engine) => engine.stop()))
  await database.close()
})
beforeEach(async () => {
  await database.query('DELETE FROM inkling."JobSchedule"')
})

interface Wanted {
  readonly missed?: MissedPolicy
  readonly overlap?: OverlapPolicy
  readonly expression?: string
  readonly kind?: string
  readonly input?: unknown
}
function create({ kind = 'add', input = { steps: 1 }, expression = NEVER_SOON, ...more }: Wanted = {}) {
  number += 1
  return jobs.schedules.create({ name: `schedule ${number}`, kind, input, expression, ...more }, viewer)
}
/** As if no worker had been there since: the schedule's next moment lies in the past, a whole minute of the database's clock. */
async function missSince({ id }: Schedule, minutesAgo: number): Promise<Date> {
  const { rows } = await database.query<{ nextAt: Date }>(
    `UPDATE inkling."JobSchedule" SET "nextAt" = date_trunc('minute', now()) - $2 * interval '1 minute' WHERE id = $1 RETURNING "nextAt"`,
    [id, minutesAgo],
  )
  return rows[0]!.nextAt
}
async function look(id: string): Promise<Schedule> {
  return (await jobs.schedules.find([id]))[0]!
}
/** The occurrences that became jobs, oldest first. */
async function occurrencesOf(id: string): Promise<Date[]> {
  const page = await jobs.list({ scheduleId: id, first: 1000 })
  return page.jobs
    .flatMap(({ idempotencyKey }) => (idempotencyKey ? [new Date(idempotencyKey.split('@')[1]!)] : []))
    .sort((one, other) => one.getTime() - other.getTime())
}
async function until(holds: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; await pause(40)) if (await holds()) return
  expect(await holds()).toBe(true)
}

describe('a schedule', () => {
  it('starts one job per occurrence, however many workers follow it', async () => {
    const { id } = await create({ expression: '* * * * * *', overlap: 'QUEUE' })
    await until(async () => (await occurrencesOf(id)).length >= 4)
    await jobs.schedules.pause(id)
    const moments = (await occurrencesOf(id)).map((at) => at.getTime())
    expect(moments).toEqual(moments.map((_, at) => moments[0]! + at * 1000))
    const { jobs: made } = await jobs.list({ scheduleId: id })
    expect(made.length).toBe(moments.length)
    expect(made[0]).toMatchObject({ viewerId: 'tester', tenant: 'school', kind: 'add' })
    expect(await look(id)).toMatchObject({ problem: null, lastJobId: made[0]!.id })
  })

  it('pauses, resumes from now, starts at once when asked, and is deleted without its jobs', async () => {
    const { id } = await create()
    expect((await jobs.schedules.pause(id)).isPaused).toBe(true)
    await missSince(await look(id), 30)
    await pause(600)
    expect(await occurrencesOf(id)).toEqual([])
    const resumed = await jobs.schedules.resume(id)
    expect(resumed.isPaused).toBe(false)
    expect(resumed.nextAt!.getTime()).toBeGreaterThan(Date.now())
    const { job, schedule } = await jobs.schedules.trigger(id, viewer)
    expect(schedule.lastJobId).toBe(job.id)
    expect(await jobs.ended(job.id)).toMatchObject({ state: 'SUCCEEDED', scheduleId: id })
    await jobs.schedules.remove(id, viewer)
    expect(await look(id)).toBeUndefined()
    expect((await jobs.get(job.id)).state).toBe('SUCCEEDED')
  })

  it('belongs to its tenant', async () => {
    const { id } = await create()
    for (const act of ['pause', 'resume', 'trigger', 'remove'] as const)
      await expect(jobs.schedules[act](id, stranger)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await jobs.schedules.find([id], stranger)).toEqual([])
    expect((await jobs.schedules.list({ viewer: stranger })).schedules).toEqual([])
    await expect(jobs.schedules.pause('no-uuid')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it.each([
    ['an unknown kind', { kind: 'nothing' }, 'kind of job'],
    ['an input its kind refuses', { input: { steps: 'many' } }, 'refused'],
    ['text that PostgreSQL cannot hold', { kind: 'fail', input: { retryable: true, '\0': 1 } }, 'NUL'],
    ['an expression that is none', { expression: 'whenever' }, 'no schedule'],
    ['fields left out', { expression: '0 3' }, 'no schedule'],
    ['nothing at all', { expression: '' }, 'no schedule'],
    ['an expression with NUL', { expression: '0 3 * * *\0' }, 'no schedule'],
    ['an unknown time zone', { timeZone: 'Mars/Base' }, 'no schedule'],
    ['an empty time zone', { timeZone: '' }, 'no schedule'],
    ['a day that never comes', { expression: '0 0 31 2 *' }, 'no schedule'],
    ['a rule that never comes', { expression: 'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30' }, 'no schedule'],
    ['a rule that is over', { expression: 'FREQ=DAILY;UNTIL=20200101T000000Z' }, 'no moment'],
    ['an endless expression', { expression: `0 0 ${'1,'.repeat(5000)}1 * *` }, 'no schedule'],
    ['an empty name', { name: ' ' }, 'no name'],
    ['a name with NUL', { name: 'a\0b' }, 'no name'],
  ])('refuses %s', async (_what, given, says) => {
    const began = performance.now()
    const whole = { name: 'refused', kind: 'add', input: { steps: 1 }, expression: NEVER_SOON, ...given }
    const refusal = await jobs.schedules.create(whole, viewer).catch((error) => error)
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining(says) })
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('has a name that no other of its tenant has', async () => {
    const given = { name: 'nightly', kind: 'add', input: { steps: 1 }, expression: NEVER_SOON }
    await jobs.schedules.create(given, viewer)
    await expect(jobs.schedules.create(given, viewer)).rejects.toMatchObject({ code: 'JOB_STATE' })
    expect((await jobs.schedules.create(given, stranger)).tenant).toBe('elsewhere')
  })

  it('is paged oldest first', async () => {
    const made = [await create(), await create(), await create()]
    const first = await jobs.schedules.list({ viewer, first: 2 })
    expect(first).toMatchObject({ hasNext: true, schedules: [{ id: made[0]!.id }, { id: made[1]!.id }] })
    expect(await jobs.schedules.count(viewer)).toBe(3)
  })

  it('stops and says why when its rule is over or cannot be read any more', async () => {
    const { id } = await create()
    await database.query(`UPDATE inkling."JobSchedule" SET "timeZone" = 'Gone/Away', "nextAt" = now() WHERE id = $1`, [
      id,
    ])
    await until(async () => (await look(id)).nextAt === null)
    expect((await look(id)).problem).toContain('Gone/Away')
    const last = await create()
    const rule = 'FREQ=DAILY;UNTIL=20200101T000000Z'
    await database.query(`UPDATE inkling."JobSchedule" SET expression = $2, "nextAt" = now() WHERE id = $1`, [
      last.id,
      rule,
    ])
    await until(async () => (await look(last.id)).nextAt === null)
  })

  it('leaves a run out whose input its kind no longer takes, and goes on', async () => {
    const { id } = await create({ expression: '* * * * * *' })
    await database.query(`UPDATE inkling."JobSchedule" SET input = '{"steps": "x"}' WHERE id = $1`, [id])
    await until(async () => (await look(id)).problem !== null)
    expect((await look(id)).problem).toContain('left out')
    expect((await look(id)).nextAt).not.toBeNull()
  })
})

describe('missed runs', () => {
  it('are left out with SKIP', async () => {
    const schedule = await create({ missed: 'SKIP', expression: '*/10 * * * *' })
    const since = await missSince(schedule, 47)
    await until(async () => (await look(schedule.id)).nextAt!.getTime() > Date.now())
    for (const at of await occurrencesOf(schedule.id))
      expect(at.getTime()).toBeGreaterThan(since.getTime() + 45 * MINUTE)
    expect((await look(schedule.id)).nextAt!.getTime() - Date.now()).toBeLessThanOrEqual(10 * MINUTE)
  })

  it('are made good by the newest with ONCE', async () => {
    const schedule = await create({ missed: 'ONCE', expression: '0 */6 * * *' })
    await missSince(schedule, 60 * 24 * 40)
    await until(async () => (await look(schedule.id)).nextAt!.getTime() > Date.now())
    const [moment, ...more] = await occurrencesOf(schedule.id)
    expect(more).toEqual([])
    expect(Date.now() - moment!.getTime()).toBeLessThanOrEqual(6 * 60 * MINUTE + 5000)
  })

  it('are made good one by one with ALL, each after the one before', async () => {
    const schedule = await create({ missed: 'ALL', expression: '* * * * *', kind: 'span', input: { ms: 5 } })
    const since = await missSince(schedule, 12)
    await until(async () => (await occurrencesOf(schedule.id)).length >= 12)
    const moments = (await occurrencesOf(schedule.id)).slice(0, 12).map((at) => at.getTime())
    expect(moments).toEqual(Array.from({ length: 12 }, (_, at) => since.getTime() + at * MINUTE))
    const mine = () => spans.filter((one) => one.schedule === schedule.id)
    await until(async () => mine().length >= 12)
    mine().reduce((before, one) => {
      expect(one.from).toBeGreaterThanOrEqual(before.to)
      return one
    })
  })

  it('of many months are counted through quickly and never flood the queue', async () => {
    const schedule = await create({ missed: 'ALL', expression: '* * * * *', kind: 'wait', input: {} })
    const since = await missSince(schedule, 60 * 24 * 90)
    await until(async () => (await look(schedule.id)).problem?.includes('waits') === true)
    expect((await occurrencesOf(schedule.id)).length).toBe(100)
    expect((await look(schedule.id)).nextAt).toEqual(new Date(since.getTime() + 100 * MINUTE))
    await jobs.schedules.remove(schedule.id)
    const { jobs: made } = await jobs.list({ scheduleId: schedule.id, first: 100 })
    for (const { id } of made) await jobs.cancel(id)
  })
})

describe('a run whose predecessor is not over', () => {
  it('is left out with SKIP, also when it is asked for', async () => {
    const { id } = await create({ kind: 'wait', input: {}, overlap: 'SKIP' })
    const { job } = await jobs.schedules.trigger(id)
    await expect(jobs.schedules.trigger(id)).rejects.toMatchObject({ code: 'JOB_STATE' })
    await database.query('UPDATE inkling."JobSchedule" SET "nextAt" = now() WHERE id = $1', [id])
    await until(async () => (await look(id)).problem !== null)
    expect((await look(id)).problem).toContain(job.id)
    expect((await jobs.list({ scheduleId: id })).jobs.length).toBe(1)
    await jobs.cancel(job.id)
  })

  it('waits with QUEUE until all before it are over, however they end', async () => {
    const { id } = await create({ kind: 'wait', input: {}, overlap: 'QUEUE' })
    const first = (await jobs.schedules.trigger(id)).job
    await until(async () => (await jobs.get(first.id)).state === 'RUNNING')
    const second = (await jobs.schedules.trigger(id)).job
    const third = (await jobs.schedules.trigger(id)).job
    expect([second.state, third.state]).toEqual(['BLOCKED', 'BLOCKED'])
    await jobs.cancel(second.id)
    await pause(300)
    expect((await jobs.get(third.id)).state).toBe('BLOCKED') // the first still runs
    await jobs.cancel(first.id)
    await until(async () => (await jobs.get(third.id)).state === 'RUNNING')
    await jobs.cancel(third.id)
    await jobs.ended(third.id)
  })

  it('takes its place with CANCEL_PREVIOUS', async () => {
    const { id } = await create({ kind: 'span', input: { ms: 60_000 }, overlap: 'CANCEL_PREVIOUS' })
    const first = (await jobs.schedules.trigger(id)).job
    await until(async () => (await jobs.get(first.id)).state === 'RUNNING')
    await database.query('UPDATE inkling."JobSchedule" SET "nextAt" = now() WHERE id = $1', [id])
    expect(await jobs.ended(first.id)).toMatchObject({
      state: 'CANCELLED',
      reason: expect.stringContaining('took its place'),
    })
    await until(async () => (await jobs.list({ scheduleId: id, states: ['RUNNING'] })).jobs.length === 1)
    const next = await jobs.schedules.trigger(id)
    await until(async () => (await jobs.get(next.job.id)).state === 'RUNNING')
    expect((await jobs.list({ scheduleId: id, states: ['RUNNING'] })).jobs.length).toBe(1)
    await jobs.cancel(next.job.id)
    await jobs.ended(next.job.id)
    const mine = spans.filter((one) => one.schedule === id)
    mine.reduce((before, one) => {
      expect(one.from).toBeGreaterThanOrEqual(before.to)
      return one
    })
  })
})
