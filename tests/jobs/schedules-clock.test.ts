import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createQueue, type Queue } from '../../jobs/queue.ts'
import type { MissedPolicy } from '../../jobs/schedule.ts'
import { checkRecurrence, nextOccurrences, planDue } from '../../jobs/schedules-occurrences.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'

let database: Database
let queue: Queue
beforeAll(async () => {
  database = await openTestDatabase()
  queue = createQueue(database, silent, [])
})
afterAll(() => database.close())

const BERLIN = 'Europe/Berlin'
function next(expression: string, from: string, count: number, timeZone = BERLIN): string[] {
  checkRecurrence(queue, { expression, timeZone })
  return nextOccurrences(queue, { expression, timeZone }, new Date(from), count).map(short)
}
function plan(missed: MissedPolicy, expression: string, nextAt: string, now: string) {
  const planned = planDue(queue, { expression, timeZone: BERLIN, missed, nextAt: new Date(nextAt) }, new Date(now))
  return {
    runs: planned.runs.map(({ at, isMissed }) => [short(at), isMissed]),
    nextAt: planned.nextAt && short(planned.nextAt),
  }
}
const short = (at: Date) => at.toISOString().slice(0, 16)

describe('when the clocks go forward', () => {
  it('a daily run of the hour that is not there comes an hour later, once', () => {
    expect(next('30 2 * * *', '2026-03-28T00:00Z', 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:30', // 03:30 in Berlin
      '2026-03-30T00:30',
    ])
  })
  it('an hourly run comes every hour', () => {
    expect(next('0 * * * *', '2026-03-28T23:30Z', 3)).toEqual([
      '2026-03-29T00:00',
      '2026-03-29T01:00',
      '2026-03-29T02:00',
    ])
  })
  it('a rule leaves out the moment that is not there, as RFC 5545 says', () => {
    expect(next('FREQ=DAILY;BYHOUR=2;BYMINUTE=30', '2026-03-28T00:00Z', 2)).toEqual([
      '2026-03-28T01:30',
      '2026-03-30T00:30',
    ])
  })
  it('nothing is caught up that was never due', () => {
    expect(plan('ALL', '0 * * * *', '2026-03-29T00:00Z', '2026-03-29T02:00:30Z')).toEqual({
      runs: [
        ['2026-03-29T00:00', true],
        ['2026-03-29T01:00', true],
        ['2026-03-29T02:00', false],
      ],
      nextAt: '2026-03-29T03:00',
    })
  })
})

describe('when the clocks go back', () => {
  it('a daily run of the hour that comes twice comes once', () => {
    const moments = ['2026-10-24T00:30', '2026-10-25T00:30', '2026-10-26T01:30']
    expect(next('30 2 * * *', '2026-10-24T00:00Z', 3)).toEqual(moments)
    expect(next('FREQ=DAILY;BYHOUR=2;BYMINUTE=30', '2026-10-24T00:00Z', 3)).toEqual(moments)
    // Looked at between the two, the second is not due.
    expect(plan('ONCE', '30 2 * * *', '2026-10-25T00:30Z', '2026-10-25T01:30:10Z')).toEqual({
      runs: [['2026-10-25T00:30', true]],
      nextAt: '2026-10-26T01:30',
    })
  })
  it('an hourly run comes in both', () => {
    expect(next('0 * * * *', '2026-10-24T23:30Z', 3)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
    ])
    expect(next('*/30 * * * *', '2026-10-25T00:10Z', 3)).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:00',
      '2026-10-25T01:30',
    ])
  })
})

describe('the next moment', () => {
  it.each([
    '30 2 * * *',
    '*/20 * * * *',
    '15 */2 * * *',
    '0 0,2,3 * * *',
    'FREQ=DAILY;BYHOUR=2;BYMINUTE=30',
    'FREQ=MINUTELY;INTERVAL=20',
  ])('of %s is the same from wherever one looks, through both changes of the clocks', (expression) => {
    const recurrence = { expression, timeZone: BERLIN }
    for (const day of ['2026-03-28T20:00Z', '2026-10-24T20:00Z']) {
      const all = next(expression, day, 60)
      for (let minutes = 0; minutes < 10 * 60; minutes += 7) {
        const from = new Date(Date.parse(day) + minutes * 60_000)
        expect(short(nextOccurrences(queue, recurrence, from, 1)[0]!), from.toISOString()).toBe(
          all.find((at) => `${at}Z` > `${short(from)}Z`),
        )
      }
    }
  })
})

describe('the plan of what is due', () => {
  it('takes a run up to a minute late as one on time', () => {
    const runs = [['2026-06-01T10:00', false]]
    for (const missed of ['SKIP', 'ONCE', 'ALL'] as const)
      expect(plan(missed, '0 * * * *', '2026-06-01T10:00Z', '2026-06-01T10:00:59Z')).toEqual({
        runs,
        nextAt: '2026-06-01T11:00',
      })
    expect(plan('SKIP', '0 * * * *', '2026-06-01T10:00Z', '2026-06-01T10:01:01Z').runs).toEqual([])
  })
  it('lets a run on time stand for those missed before it with ONCE', () => {
    expect(plan('ONCE', '0 * * * *', '2026-06-01T05:00Z', '2026-06-01T10:00:02Z').runs).toEqual([
      ['2026-06-01T10:00', false],
    ])
  })
  it('finds the newest of a sparse rule over years, and of a dense one that ended long ago', () => {
    expect(plan('ONCE', '0 0 29 2 *', '2012-02-28T23:00Z', '2026-06-01T00:00Z').runs).toEqual([
      ['2024-02-28T23:00', true],
    ])
    const began = performance.now()
    const ended = 'FREQ=MINUTELY;UNTIL=20260101T000000Z'
    expect(plan('ONCE', ended, '2025-12-31T20:00Z', '2026-06-01T00:00Z')).toEqual({
      runs: [['2026-01-01T00:00', true]],
      nextAt: null,
    })
    expect(performance.now() - began).toBeLessThan(5000)
  })
  it('never looks back past the next moment, though the clock may have jumped', () => {
    expect(plan('ALL', '0 * * * *', '2026-06-01T10:00Z', '2026-06-01T10:00:00Z').runs).toEqual([
      ['2026-06-01T10:00', false],
    ])
    expect(plan('ALL', '* * * * *', '2026-06-01T10:00Z', '2030-06-01T10:00:00Z').runs.length).toBe(100)
    expect(plan('ALL', '* * * * *', '2026-06-01T10:00Z', '2030-06-01T10:00:00Z').nextAt).toBe('2026-06-01T11:40')
  })
})

describe('expressions', () => {
  it('are cron, its nicknames, or recurrence rules with a start of their own', () => {
    expect(next('@daily', '2026-06-01T10:00Z', 1)).toEqual(['2026-06-01T22:00'])
    expect(next('*/5 * * * * *', '2026-06-01T10:00Z', 1, 'UTC')).toEqual(['2026-06-01T10:00'])
    const rule = 'DTSTART;TZID=America/New_York:20261001T090000\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=2'
    expect(next(rule, '2026-10-01T00:00Z', 5, 'UTC')).toEqual(['2026-10-05T13:00', '2026-10-12T13:00'])
  })
})
