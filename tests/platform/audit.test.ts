import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createAudit, readAudit, shapeOf } from '../../platform/audit.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase, silent } from '../harness.ts'

describe('the audit', () => {
  let database: Database
  beforeAll(async () => {
    database = await openTestDatabase()
  })
  afterAll(() => database.close())
  const entry = (field: string, tenant = 'north') => ({
    at: new Date('2026-11-25T12:00:00Z'),
    tenant,
    viewerId: 'ada',
    requestId: 'r-1',
    field,
    input: { id: 'x' },
    outcome: 'OK',
  })

  it('keeps what it was given in order, and loses nothing at a clean stop', async () => {
    const audit = createAudit(database, silent)
    for (let index = 0; index < 2_500; index++) audit.record(entry(`field${index}`))
    await audit.close()
    const { rows } = await database.query<{ field: string }>(
      'SELECT "field" FROM "inkling"."Audit" ORDER BY "sequence"',
    )
    expect(rows.map(({ field }) => field)).toEqual(Array.from({ length: 2_500 }, (_, index) => `field${index}`))
  })

  it('is read by tenant, newest first, page by page', async () => {
    const audit = createAudit(database, silent)
    audit.record(entry('foreign', 'south'))
    await audit.close()
    const first = await readAudit(database, 'north', { first: 2, before: null })
    expect(first.entries.map(({ field }) => field)).toEqual(['field2499', 'field2498'])
    const next = await readAudit(database, 'north', { first: 2, before: first.entries[1]!.sequence })
    expect([next.entries.map(({ field }) => field), next.hasNext]).toEqual([['field2497', 'field2496'], true])
  })

  it('cannot be changed, shortened or emptied', async () => {
    for (const sql of [
      `UPDATE "inkling"."Audit" SET "outcome" = 'OK'`,
      `DELETE FROM "inkling"."Audit"`,
      `TRUNCATE "inkling"."Audit"`,
    ])
      await expect(database.query(sql)).rejects.toThrow(/immutable/)
  })

  it('waits for a database that is away, and logs what it could not write', async () => {
    const lines: { field?: string }[] = []
    const log = Object.assign(Object.create(silent), { error: (line: { field?: string }) => lines.push(line) })
    let isAway = true
    const flaky = {
      query: (async (...given: Parameters<Database['query']>) => {
        if (isAway) throw new Error('away')
        return database.query(...given)
      }) as Database['query'],
    }
    const audit = createAudit(flaky, log)
    audit.record(entry('late'))
    await audit.flush()
    isAway = false
    await audit.flush()
    const { entries } = await readAudit(database, 'north', { first: 1, before: null })
    expect(entries[0]!.field).toBe('late')
    isAway = true
    audit.record(entry('lost'))
    await audit.close()
    expect(lines.at(-1)).toMatchObject({ field: 'lost' })
  })

  it('keeps the shape of an input and nothing that it says about people', () => {
    const input = {
      learnerId: 'l-7',
      ids: ['a', 'b'],
      model: 'churn',
      name: 'Ada Lovelace',
      note: 'is often ill',
      score: 37.5,
      isUrgent: true,
      at: new Date(),
      id: 'a text that is no id',
      many: Array.from({ length: 9 }, () => 'x'),
    }
    expect(shapeOf(input)).toEqual({
      learnerId: 'l-7',
      ids: ['a', 'b'],
      model: 'churn',
      name: 'text of 12',
      note: 'text of 12',
      score: 'number',
      isUrgent: true,
      at: 'moment',
      id: 'text of 20',
      many: [...Array.from({ length: 5 }, () => 'text of 1'), '4 more'],
    })
  })
})
