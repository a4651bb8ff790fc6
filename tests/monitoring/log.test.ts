import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { createPredictionLog, type ServedBatch } from '../../ml/monitoring/prediction-log.ts'
import { type Database, openDatabase } from '../../platform/database.ts'
import { createServerDatabase, openTestDatabase, silent } from '../harness.ts'
import { startProcess } from '../jobs/processes.ts'
import { toyModel } from '../ml/toy-model.ts'

const model = toyModel({ rule: () => 0.4 })
let next = 0

/** Answers by the rule of the model file: they need no version. */
function batchOf(rows: number): ServedBatch {
  const asOf = new Date('2026-06-01')
  const answers = Array.from({ length: rows }, () => {
    const estimate = { model, key: { id: next++ }, asOf, source: 'RULE' as const, probability: 0.4, low: 0, high: 1 }
    return { ...estimate, confidence: 0, riskLevel: 'MEDIUM' as const, versionId: null, scoredAt: null }
  })
  return { model, tenant: 'default', versionId: null, answers, areFallbacks: true, asOf, servedAt: new Date() }
}

const countRows = async (database: Database) =>
  (await database.query<{ n: number }>('SELECT count(*)::int AS n FROM inkling."Prediction"')).rows[0]!.n

describe('the log of served predictions', () => {
  it('loses nothing on a clean stop, and drops the oldest, counted, beyond its bound', async () => {
    const database = await openTestDatabase()
    const log = createPredictionLog({ database, log: silent, flushMs: 60_000 })
    for (let batch = 0; batch < 30; batch++) log.record(batchOf(50))
    expect(log.waiting()).toBe(1500)
    await log.stop()
    expect(await countRows(database)).toBe(1500)
    expect(log.dropped()).toBe(0)

    const small = createPredictionLog({ database, log: silent, flushMs: 60_000, mostWaiting: 100 })
    for (let batch = 0; batch < 10; batch++) small.record(batchOf(30))
    expect(small.dropped()).toBe(210)
    expect(small.waiting()).toBe(90)
    await small.stop()
    expect(await countRows(database)).toBe(1590)
    await database.close()
  })

  it('keeps what it could not write until the database answers again', async () => {
    const database = await openTestDatabase()
    let isDown = true
    const shaky: Database = {
      ...database,
      transaction: (work) => (isDown ? Promise.reject(new Error('down')) : database.transaction(work)),
    }
    const log = createPredictionLog({ database: shaky, log: silent, flushMs: 60_000 })
    log.record(batchOf(10))
    await log.flush()
    expect(log.waiting()).toBe(10)
    isDown = false
    log.record(batchOf(5))
    await log.stop()
    expect(await countRows(database)).toBe(15)
    await database.close()
  })

  it('samples by key, the same ones wherever they are served', async () => {
    const database = await openTestDatabase()
    const sampled = toyModel({ rule: () => 0.4, predictionLog: { share: 0.25 } })
    const batch = { ...batchOf(2000), model: sampled }
    for (let repeat = 0; repeat < 2; repeat++) {
      const log = createPredictionLog({ database, log: silent })
      log.record(batch)
      await log.stop()
    }
    const { rows } = await database.query<{ n: number }>(
      'SELECT count(*)::int AS n FROM inkling."Prediction" GROUP BY key',
    )
    expect(rows.every(({ n }) => n === 2)).toBe(true)
    expect(rows.length).toBeGreaterThan(400)
    expect(rows.length).toBeLessThan(600)
    await database.close()
  })

  it('loses no acknowledged outcome when the process is killed', async () => {
    const server = inject('server')
    const made = server ? await createServerDatabase(server) : null
    const dataDir = mkdtempSync(join(tmpdir(), 'inkling-outcomes-'))
    const where = made ? { url: made.url } : { dataDir: join(dataDir, 'data') }
    const child = startProcess(new URL('./recorder.ts', import.meta.url), where)
    await child.says(/acknowledged 20\n/, 100_000)
    child.kill('SIGKILL')
    await child.exited
    const acknowledged = [...child.said().matchAll(/acknowledged (\d+)\n/g)].map((match) => Number(match[1]))
    const database = await openDatabase({ ...where, log: silent })
    const { rows } = await database.query<{ key: string; revisions: number }>(
      `SELECT key, (SELECT count(*)::int FROM inkling."OutcomeRevision" r WHERE r.key = o.key) AS revisions FROM inkling."Outcome" o`,
    )
    const kept = new Set(rows.map(({ key }) => Number(JSON.parse(key)[0])))
    expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
    expect(rows.every(({ revisions }) => revisions === 1)).toBe(true)
    await database.close()
    await made?.drop()
    rmSync(dataDir, { recursive: true, force: true })
  }, 150_000)
})
