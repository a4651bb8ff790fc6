import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { CutEvent, JobEvent } from '../../jobs/event.ts'
import { defineJob } from '../../jobs/kind.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, testKinds, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
const STALL_MS = 400

/** Says much in little time. */
const chatter = defineJob({
  name: 'chatter',
  input: z.object({ lines: z.number(), pauseMs: z.number().default(0) }),
  async run(context, { lines, pauseMs }) {
    for (let line = 1; line <= lines; line++) {
      context.log('info', `line ${line}`)
      if (pauseMs > 0) await pause(pauseMs, context.signal)
    }
  },
})
const keeper = defineJob({
  name: 'keeper',
  input: z.object({}),
  async run(context) {
    await context.artifact('report.csv', 'text/csv', new TextEncoder().encode('a,b\n1,2\n'))
    await context.metric('rows', 2)
    await context.step(
      'pay',
      () => 'paid',
      () => context.spend(0.25),
    )
    return { text: 'a\0b\ud800', big: 'x' }
  },
})

beforeAll(async () => {
  database = await openTestDatabase()
  const kinds = [...testKinds, chatter, keeper]
  jobs = await createJobs({ database, log: silent, kinds, worker: true, pulse: quickPulse, stallMs: STALL_MS })
  await jobs.start()
})
afterAll(async () => {
  expect(jobs.status().readers, 'readers left behind').toBe(0)
  await jobs.stop()
  await database.close()
})

const linesOf = (events: readonly (JobEvent | CutEvent)[]) =>
  events.filter((event) => event.type === 'LOG').map((event) => event.data.message)

describe('the events of a job', () => {
  it('reach a hundred readers that reconnect at random, without gap or repeat', async () => {
    const { id } = await jobs.enqueue('chatter', { lines: 120, pauseMs: 8 }, { viewer })
    let reconnects = 0
    const readers = Array.from({ length: 100 }, async () => {
      const seen: number[] = []
      let isOver = false
      while (!isOver) {
        const stop = new AbortController()
        const most = 1 + Math.floor(Math.random() * 40)
        let count = 0
        for await (const event of jobs.events(id, seen.at(-1) ?? 0, stop.signal)) {
          seen.push(event.sequence)
          isOver = event.type === 'SUCCEEDED'
          if (++count === most) {
            reconnects += 1
            if (Math.random() < 0.5) stop.abort()
            else break
          }
        }
      }
      return seen
    })
    const all = await Promise.all(readers)
    const { events } = await jobs.eventPage(id, { first: 1000 })
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, at) => at + 1))
    for (const seen of all) expect(seen).toEqual(events.map((event) => event.sequence))
    expect(reconnects).toBeGreaterThan(200)
  })

  it('reach three thousand readers at once, those too that do not read for a while, by about a statement each', async () => {
    const { id } = await jobs.enqueue('chatter', { lines: 40, pauseMs: 25 }, { viewer })
    let statements = 0
    const { query } = database.pool
    database.pool.query = ((...given: Parameters<typeof query>) => {
      if (JSON.stringify(given[0]).includes('JobEvent')) statements += 1
      return query.apply(database.pool, given)
    }) as typeof query
    let cuts = 0
    const readers = Array.from({ length: 3000 }, async (_, reader) => {
      const seen: number[] = []
      for (let isOver = false; !isOver; ) {
        for await (const event of jobs.events(id, seen.at(-1) ?? 0)) {
          isOver = event.type === 'SUCCEEDED'
          if (event.type === 'CUT') cuts += 1
          else seen.push(event.sequence)
          if (reader % 10 === 0 && seen.length === 5) await pause(STALL_MS * 2)
        }
      }
      return seen
    })
    const all = await Promise.all(readers)
    database.pool.query = query
    const { events } = await jobs.eventPage(id, { first: 1000 })
    const wanted = events.map((event) => event.sequence)
    for (const seen of all) expect(seen).toEqual(wanted)
    expect(cuts).toBeGreaterThanOrEqual(300)
    expect(statements).toBeLessThan(2 * 3000) // one to begin with, and a wake-up is read once for all
  })

  it('end at once for a reader that waits, when it leaves', async () => {
    const { id } = await jobs.enqueue('wait', {}, { viewer })
    const iterator = jobs.events(id)
    const seen: string[] = []
    while (seen.at(-1) !== 'LOG') seen.push((await iterator.next()).value!.type)
    const waiting = iterator.next()
    const began = performance.now()
    await iterator.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(performance.now() - began).toBeLessThan(50)
    await jobs.cancel(id)
    await jobs.ended(id)
  })

  it('let a reader go that does not read, and let it resume where it stopped', async () => {
    const { id } = await jobs.enqueue('chatter', { lines: 100, pauseMs: 15 }, { viewer })
    const iterator = jobs.events(id)
    const seen: (JobEvent | CutEvent)[] = [(await iterator.next()).value!]
    await pause(STALL_MS * 2.5)
    for await (const event of iterator) seen.push(event)
    const cut = seen.pop()!
    expect(cut.type).toBe('CUT')
    expect(cut.sequence).toBe(seen.at(-1)!.sequence)
    for await (const event of jobs.events(id, cut.sequence)) seen.push(event)
    expect(linesOf(seen)).toEqual(Array.from({ length: 100 }, (_, at) => `line ${at + 1}`))
  })

  it('show a reader that lags only the newest progress', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(Date.now() + 3_600_000) })
    await database.query(
      `INSERT INTO inkling."JobEvent" ("jobId", sequence, type, data)
       SELECT $1, n + 1, CASE WHEN n = 150 THEN 'LOG' ELSE 'PROGRESS' END, jsonb_build_object('done', n) FROM generate_series(1, 300) n`,
      [id],
    )
    await database.query('UPDATE inkling."Job" SET "lastSequence" = 301 WHERE id = $1', [id])
    await jobs.cancel(id)
    const seen: (JobEvent | CutEvent)[] = []
    for await (const event of jobs.events(id)) seen.push(event)
    expect(seen.map((event) => [event.type, event.sequence])).toEqual([
      ['SCHEDULED', 1],
      ['PROGRESS', 150],
      ['LOG', 151],
      ['PROGRESS', 301],
      ['CANCELLED', 302],
    ])
  })

  it('are kept for who comes late, and end at once when there is nothing more', async () => {
    const { id } = await jobs.enqueue('chatter', { lines: 3 }, { viewer })
    const { lastSequence } = await jobs.ended(id)
    const seen: (JobEvent | CutEvent)[] = []
    for await (const event of jobs.events(id, 1)) seen.push(event)
    expect(seen.at(-1)).toMatchObject({ type: 'SUCCEEDED', sequence: lastSequence })
    for await (const event of jobs.events(id, lastSequence)) expect(event).toBe('nothing')
    await expect(jobs.events('00000000-0000-4000-8000-000000000000').next()).rejects.toMatchObject({
      code: 'JOB_UNKNOWN',
    })
  })

  it('cannot be changed, and states move only along the arrows', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer })
    await jobs.ended(id)
    await expect(database.query(`UPDATE inkling."JobEvent" SET type = 'LOG' WHERE "jobId" = $1`, [id])).rejects.toThrow(
      'immutable',
    )
    await expect(database.query(`UPDATE inkling."Job" SET state = 'RUNNING' WHERE id = $1`, [id])).rejects.toThrow(
      'cannot move from SUCCEEDED to RUNNING',
    )
  })
})

describe('what a job keeps', () => {
  it('are artifacts, metrics and cost, and text that PostgreSQL can hold', async () => {
    const { id } = await jobs.enqueue('keeper', {}, { viewer })
    const job = await jobs.ended(id)
    expect(job).toMatchObject({ state: 'SUCCEEDED', metrics: { rows: 2 }, costUsd: 0.25 })
    expect(job.result).toEqual({ text: 'a\ufffdb\ufffd', big: 'x' })
    expect(await jobs.artifacts([id])).toMatchObject([{ name: 'report.csv', mediaType: 'text/csv', size: 8 }])
    expect(new TextDecoder().decode(await jobs.artifact(id, 'report.csv'))).toBe('a,b\n1,2\n')
    await expect(jobs.artifact(id, 'other')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
