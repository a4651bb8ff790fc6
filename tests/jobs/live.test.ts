import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { JobChange, JobListing } from '../../jobs/change.ts'
import type { ChangesOptions, ListItem } from '../../jobs/changes.ts'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { pause, quickPulse, stranger, testKinds, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
const STALL_MS = 600

beforeAll(async () => {
  database = await openTestDatabase()
  jobs = await createJobs({
    database,
    log: silent,
    kinds: testKinds,
    worker: true,
    concurrency: 6,
    pulse: quickPulse,
    stallMs: STALL_MS,
  })
  await jobs.start()
})
afterAll(async () => {
  expect(jobs.status().readers, 'readers left behind').toBe(0)
  await jobs.stop()
  await database.close()
})

const isChange = (item: ListItem): item is JobChange => item.type !== 'LISTED' && item.type !== 'CUT'
const movesOf = (items: readonly ListItem[]) => items.filter(isChange).filter(({ state }) => state !== null)

/** Reads until the condition holds. */
async function readUntil(
  options: ChangesOptions,
  holds: (items: ListItem[]) => boolean,
  withinMs = 15_000,
): Promise<ListItem[]> {
  const items: ListItem[] = []
  const stop = AbortSignal.timeout(withinMs)
  for await (const item of jobs.changes(options, stop)) {
    items.push(item)
    if (holds(items)) return items
  }
  throw new Error(`It did not come within ${withinMs} ms, but ${JSON.stringify(items.slice(-3))}`)
}
/** The stored moves of the jobs: what a reader must be given, each once. */
async function storedMoves(tag: string): Promise<string[]> {
  const { rows } = await database.query<{ move: string }>(
    `SELECT e."jobId" || ' ' || e.sequence || ' ' || e.type AS move FROM inkling."JobEvent" e JOIN inkling."Job" j ON j.id = e."jobId"
     WHERE $1 = ANY(j.tags) AND e.type NOT IN ('PROGRESS', 'LOG', 'STEP', 'ARTIFACT')`,
    [tag],
  )
  return rows.map((row) => row.move).sort()
}
const seenMoves = (items: readonly ListItem[]) =>
  movesOf(items).map(({ job, sequence, state }) => `${job.id} ${sequence} ${state}`)

function expectOrder(items: readonly ListItem[]): void {
  const last = new Map<string, number>()
  for (const { job, sequence } of items.filter(isChange)) {
    expect(sequence, `of job ${job.id}`).toBeGreaterThan(last.get(job.id) ?? 0)
    last.set(job.id, sequence)
  }
}

describe('the live list of jobs', () => {
  it('begins with the jobs as they are and goes on with what happens to them', async () => {
    const before = await jobs.enqueue('add', { steps: 1 }, { viewer, tags: ['begin'] })
    await jobs.ended(before.id)
    const iterator = jobs.changes({ tag: 'begin', viewer })
    const listing = (await iterator.next()).value as JobListing
    expect(listing).toMatchObject({ type: 'LISTED', jobs: [{ id: before.id, state: 'SUCCEEDED' }] })
    const { id } = await jobs.enqueue('add', { steps: 3, failAt: 2 }, { viewer, tags: ['begin'] })
    const changes: JobChange[] = []
    for await (const item of iterator) {
      changes.push(item as JobChange)
      if ((item as JobChange).state === 'SUCCEEDED') break
    }
    expect(changes.every((change) => change.job.id === id)).toBe(true)
    expect(movesOf(changes).map(({ type, from, state }) => [type, from, state])).toEqual([
      ['ENTERED', null, 'QUEUED'],
      ['CHANGED', 'QUEUED', 'RUNNING'],
      ['CHANGED', 'RUNNING', 'RETRYING'],
      ['CHANGED', 'RETRYING', 'RUNNING'],
      ['CHANGED', 'RUNNING', 'SUCCEEDED'],
    ])
  })

  it('says when a job enters and leaves the states asked for, with progress in between', async () => {
    const reading = readUntil({ tag: 'window', states: ['RUNNING'], viewer }, (items) => items.at(-1)!.type === 'LEFT')
    await pause(100)
    await jobs.enqueue('add', { steps: 4, stepMs: 350 }, { viewer, tags: ['window'] })
    const changes = (await reading).filter(isChange)
    expect(changes.at(0)).toMatchObject({ type: 'ENTERED', from: 'QUEUED', state: 'RUNNING' })
    expect(changes.at(-1)).toMatchObject({ type: 'LEFT', from: 'RUNNING', state: 'SUCCEEDED' })
    const progress = changes.slice(1, -1)
    expect(progress.length).toBeGreaterThan(0)
    for (const change of progress)
      expect(change).toMatchObject({ type: 'CHANGED', state: null, progress: { total: 4 } })
  })

  it('shows each tenant its own', async () => {
    const theirs = jobs.changes({ viewer: stranger, tag: 'tenants' })
    expect(await theirs.next()).toMatchObject({ value: { jobs: [] } })
    const next = theirs.next()
    await jobs.ended((await jobs.enqueue('add', { steps: 1 }, { viewer, tags: ['tenants'] })).id)
    const mine = await jobs.enqueue('add', { steps: 1 }, { viewer: stranger, tags: ['tenants'] })
    expect(await next).toMatchObject({ value: { type: 'ENTERED', job: { id: mine.id } } })
    await theirs.return()
    await jobs.ended(mine.id)
  })

  it('reaches a hundred readers that reconnect at random, without gap or repeat', async () => {
    let isOver = false
    let reconnects = 0
    let present = 0
    const many = 60
    const isComplete = (items: readonly ListItem[]) =>
      movesOf(items).filter(({ state }) => state === 'SUCCEEDED').length === many
    const readers = Array.from({ length: 100 }, async () => {
      const seen: ListItem[] = []
      let after: string | undefined
      while (!isOver && !isComplete(seen)) {
        const stop = new AbortController()
        // Everybody is there before the first job is: what a listing shows is not told again as a change.
        const timer = setTimeout(() => stop.abort(), (after ? 0 : 2000) + 30 + Math.random() * 900)
        for await (const item of jobs.changes({ tag: 'crowd', viewer, after }, stop.signal)) {
          if (item.type === 'LISTED') expect(after).toBeUndefined()
          if (after === undefined) present += 1
          seen.push(item)
          after = item.cursor
          if (isComplete(seen)) break
        }
        clearTimeout(timer)
        reconnects += 1
      }
      return seen
    })
    while (present < 100) await pause(20)
    for (let at = 0; at < many; at++) {
      await jobs.enqueue('add', { steps: 2, stepMs: 30, failAt: at % 5 === 0 ? 1 : 0 }, { viewer, tags: ['crowd'] })
      await pause(50)
    }
    const timeout = setTimeout(() => {
      isOver = true
    }, 40_000)
    const all = await Promise.all(readers)
    clearTimeout(timeout)
    const stored = await storedMoves('crowd')
    expect(stored.length).toBeGreaterThanOrEqual(many * 3)
    expect(reconnects).toBeGreaterThan(300)
    for (const seen of all) {
      expectOrder(seen)
      expect(seen.filter(({ type }) => type === 'LISTED').length).toBe(1)
      expect(seenMoves(seen).sort()).toEqual(stored)
    }
  })

  it('loses nothing that commits late, however long other transactions stay open', async () => {
    const reading = readUntil({ tag: 'late', viewer }, (items) => movesOf(items).length === 4)
    await pause(100)
    const insert = async (id: string) =>
      database.query(
        `INSERT INTO inkling."Job" (id, kind, tenant, "viewerId", state, input, "maxAttempts", tags, "dueAt")
         VALUES ($1, 'wait', 'school', 'tester', 'SCHEDULED', '{}', 1, '{late}', now() + interval '1 day')`,
        [id],
      )
    const ids = [1, 2, 3, 4].map((n) => `00000000-0000-4000-8000-00000000000${n}`)
    // The first transaction begins first and commits last; on the embedded database transactions wait for each other.
    const open = database.embedded
      ? Promise.resolve()
      : database.transaction(async () => {
          await insert(ids[0]!)
          await pause(700)
        })
    await pause(150)
    for (const id of ids.slice(1)) await insert(id)
    await pause(100)
    if (database.embedded) await insert(ids[0]!)
    await open
    const order = movesOf(await reading).map(({ job }) => job.id)
    expect(order).toEqual([ids[1], ids[2], ids[3], ids[0]])
    await database.query(`UPDATE inkling."Job" SET state = 'CANCELLED' WHERE 'late' = ANY(tags)`)
  })

  it('resumes after any of its changes, also in the middle of many', async () => {
    const start = jobs.changes({ tag: 'pages', viewer })
    const { cursor } = (await start.next()).value as JobListing
    await start.return()
    await database.query(
      `INSERT INTO inkling."Job" (id, kind, tenant, "viewerId", state, input, "maxAttempts", tags, "dueAt")
       SELECT gen_random_uuid(), 'wait', 'school', 'tester', 'SCHEDULED', '{}', 1, '{pages}', now() + interval '1 day' FROM generate_series(1, 1300)`,
    )
    const whole = await readUntil({ tag: 'pages', viewer, after: cursor }, (items) => items.length === 1300)
    expect(new Set(seenMoves(whole)).size).toBe(1300)
    for (const at of [0, 1, 250, 498, 499, 500, 501, 998, 1298]) {
      const after = (whole[at] as JobChange).cursor
      const rest = await readUntil({ tag: 'pages', viewer, after }, (items) => items.length === 1299 - at)
      expect(seenMoves(rest)).toEqual(seenMoves(whole.slice(at + 1)))
    }
    await database.query(`UPDATE inkling."Job" SET state = 'CANCELLED' WHERE 'pages' = ANY(tags)`)
  })

  it('lets a reader go that does not read, and lets it resume', async () => {
    const iterator = jobs.changes({ tag: 'stall', viewer })
    await iterator.next()
    const waiting = iterator.next()
    const { id } = await jobs.enqueue('add', { steps: 3, stepMs: 60 }, { viewer, tags: ['stall'] })
    const seen: ListItem[] = [(await waiting).value!]
    await jobs.ended(id)
    await pause(STALL_MS * 2.2)
    for await (const item of iterator) seen.push(item)
    const cut = seen.pop()!
    expect(cut.type).toBe('CUT')
    const rest = await readUntil(
      { tag: 'stall', viewer, after: cut.cursor },
      (items) => movesOf(items).at(-1)?.state === 'SUCCEEDED',
    )
    expect(seenMoves([...seen, ...rest]).sort()).toEqual(await storedMoves('stall'))
  })

  it.each([
    ['nonsense', 'nonsense'],
    ['a cursor of another database', Buffer.from('9000000000000:9000000000000:').toString('base64url')],
    ['what only looks like a snapshot', Buffer.from('20:10:').toString('base64url')],
    ['an attack', Buffer.from(`1:1:/1:1:/2026-01-01T00:00:00.000Z/'; DROP TABLE x/1`).toString('base64url')],
  ])('refuses %s as a cursor', async (_what, after) => {
    await expect(jobs.changes({ viewer, after }).next()).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  })

  it('ends at once when it is told to', async () => {
    const iterator = jobs.changes({ viewer, tag: 'nobody' })
    await iterator.next()
    const waiting = iterator.next()
    await pause(50)
    const began = performance.now()
    await iterator.return()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(performance.now() - began).toBeLessThan(50)
  })
})
