import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import type { NewVersion } from '../../registry/version.ts'
import { openTestDatabase } from '../harness.ts'

describe('the registry', () => {
  let database: Database
  let registry: Registry
  beforeAll(async () => {
    database = await openTestDatabase()
    registry = createRegistry(database)
  })
  afterAll(() => database.close())

  const draft = (name: string, more: Partial<NewVersion> = {}): NewVersion => ({
    kind: 'model',
    name,
    state: 'REGISTERED',
    artefacts: { onnx: new TextEncoder().encode(`bytes of ${name}`) },
    schemaHash: 'h',
    contents: { metrics: { auc: 0.8 } },
    reasons: [],
    createdBy: 'tests',
    ...more,
  })
  const promote = (name: string, versionId: string) =>
    registry.move({ kind: 'model', name, alias: 'champion', versionId, movedBy: 'tests', reason: 'because' })

  it('numbers versions from 1 and gives the bytes back', async () => {
    const first = await registry.register<{ metrics: { auc: number } }>(draft('a'))
    const second = await registry.register(draft('a'))
    expect([first.number, second.number]).toEqual([1, 2])
    expect(first.contents.metrics.auc).toBe(0.8)
    expect(new TextDecoder().decode(await registry.artefact(first, 'onnx'))).toBe('bytes of a')
    expect((await registry.list('model', 'a')).map((version) => version.number)).toEqual([2, 1])
  })

  it('numbers concurrent registrations without a gap', async () => {
    const versions = await Promise.all(Array.from({ length: 8 }, () => registry.register(draft('b'))))
    expect(versions.map((version) => version.number).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('refuses bytes that changed under their hash', async () => {
    const version = await registry.register(draft('c'))
    await database.query('ALTER TABLE "inkling"."Artefact" DISABLE TRIGGER ALL')
    await database.query('UPDATE "inkling"."Artefact" SET "bytes" = \'x\' WHERE "sha256" = $1', [
      version.artefacts.onnx,
    ])
    await database.query('ALTER TABLE "inkling"."Artefact" ENABLE TRIGGER ALL')
    await expect(registry.artefact(version, 'onnx')).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
  })

  it('leaves one champion and an audit log that explains it after concurrent moves', async () => {
    const versions = await Promise.all(Array.from({ length: 5 }, () => registry.register(draft('d'))))
    await Promise.all(Array.from({ length: 40 }, (_, index) => promote('d', versions[index % 5]!.id)))
    const moves = await registry.moves('model', 'd')
    expect(moves).toHaveLength(40)
    for (const [index, move] of moves.entries()) {
      expect(move.fromId).toBe(moves[index - 1]?.toId ?? null)
      expect(move.movedAt.getTime()).toBeGreaterThanOrEqual(moves[index - 1]?.movedAt.getTime() ?? 0)
    }
    const { rows } = await database.query('SELECT "versionId" FROM "inkling"."Alias" WHERE "name" = $1', ['d'])
    expect(rows).toEqual([{ versionId: moves.at(-1)?.toId }])
  })

  it('never lets a rejected, quarantined or foreign version serve', async () => {
    const rejected = await registry.register(draft('e', { state: 'REJECTED', reasons: ['auc 0.6 < 0.75'] }))
    await expect(promote('e', rejected.id)).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    const good = await registry.register(draft('e'))
    await registry.quarantine(good.id, 'golden rows differ')
    await expect(promote('e', good.id)).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    const foreign = await registry.register(draft('f'))
    await expect(promote('e', foreign.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(promote('e', 'nonsense')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps a log that cannot be changed in place', async () => {
    await expect(database.query(`UPDATE "inkling"."AliasMove" SET "reason" = 'other'`)).rejects.toThrow(/immutable/)
  })

  it('tells listeners of a move', async () => {
    let heard = 0
    const stop = await registry.onMove(() => {
      heard++
    })
    const version = await registry.register(draft('g'))
    await promote('g', version.id)
    await expect.poll(() => heard).toBeGreaterThan(0)
    await stop()
  })

  it('keeps an ended run as it ended', async () => {
    const run = await registry.runs.create({ id: randomUUID(), kind: 'training', name: 'a', createdBy: 'tests' })
    await registry.runs.mark(run.id, 'RUNNING')
    await registry.runs.mark(run.id, 'FAILED', { report: { why: 'one class' } })
    await registry.runs.mark(run.id, 'SUCCEEDED')
    expect(await registry.runs.find(run.id)).toMatchObject({ state: 'FAILED', report: { why: 'one class' } })
    expect(await registry.runs.find('nonsense')).toBeNull()
    expect((await registry.runs.list('training', 'a', 10)).map((found) => found.id)).toEqual([run.id])
  })
})
