import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { openTestDatabase } from '../harness.ts'

describe('aliases of a model', () => {
  let database: Database
  let registry: Registry
  beforeAll(async () => {
    database = await openTestDatabase()
    registry = createRegistry(database)
  })
  afterAll(() => database.close())

  const place = (name: string, alias = 'champion') => ({ kind: 'model', name, alias, movedBy: 'tests', reason: 'test' })
  const move = (name: string, versionId: string, more: { alias?: string; expected?: string | null } = {}) =>
    registry.move({ ...place(name), versionId, ...more })
  async function versions(name: string, count: number, state: 'REGISTERED' | 'PENDING' = 'REGISTERED') {
    const ids: string[] = []
    for (let at = 0; at < count; at++) {
      const draft = { kind: 'model', name, state, artefacts: {}, schemaHash: 'h', contents: {}, reasons: [] }
      ids.push((await registry.register({ ...draft, createdBy: 'tests' })).id)
    }
    return ids
  }
  const champion = async (name: string) =>
    (await registry.moves('model', name)).findLast(({ alias }) => alias === 'champion')?.toId

  it('go back version by version, however often one rolls back', async () => {
    const [a, b, c, d] = await versions('back', 4)
    for (const id of [a, b, c]) await move('back', id!)
    expect(await registry.rollback(place('back'))).toMatchObject({ toId: b, fromId: c, act: 'ROLLBACK' })
    expect((await registry.rollback(place('back'))).toId).toBe(a)
    await expect(registry.rollback(place('back'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await move('back', d!)
    expect((await registry.rollback(place('back'))).toId).toBe(a)
  })

  it('do not go back to a version that may not serve any more', async () => {
    const [a, b] = await versions('unfit', 2)
    await move('unfit', a!)
    await move('unfit', b!)
    await registry.quarantine(a!, 'its hash differs')
    await expect(registry.rollback(place('unfit'))).rejects.toMatchObject({
      code: 'ARTEFACT_INVALID',
      message: expect.stringContaining('quarantined'),
    })
    expect(await champion('unfit')).toBe(b)
  })

  it('move for one of two movers who believe the same, and tell the other', async () => {
    const [a, b, c] = await versions('race', 3)
    await move('race', a!, { expected: null })
    const both = await Promise.allSettled([b, c].map((id) => move('race', id!, { expected: a! })))
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const lost = both.find(({ status }) => status === 'rejected') as PromiseRejectedResult
    expect(lost.reason).toMatchObject({ code: 'CONFLICT' })
  })

  it('are removed, and the log says so; a champion never is, not even by SQL', async () => {
    const [a] = await versions('gone', 1)
    await move('gone', a!)
    await move('gone', a!, { alias: 'before-holidays' })
    expect(await registry.remove(place('gone', 'before-holidays'))).toMatchObject({ toId: null, act: 'REMOVE' })
    await expect(registry.remove(place('gone', 'before-holidays'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(registry.remove(place('gone'))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(database.query(`DELETE FROM "inkling"."Alias" WHERE "name" = 'gone'`)).rejects.toThrow(/replaced/)
    await expect(database.query(`DELETE FROM "inkling"."AliasMove" WHERE "name" = 'gone'`)).rejects.toThrow(/immutable/)
  })

  it('have names that are no path, no number, no device and no wish of an attacker', async () => {
    const [a] = await versions('named', 1)
    const wrong = [
      '../../etc/x',
      '%2e%2e',
      'a\0b',
      'x'.repeat(300),
      'con',
      'lpt1',
      '7',
      '',
      'Champion',
      '__proto__',
      'a/b',
    ]
    for (const alias of wrong)
      await expect(async () => move('named', a!, { alias })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    expect((await move('named', a!, { alias: 'before-holidays-2026' })).alias).toBe('before-holidays-2026')
  })

  it('wait for an approval, which is given once', async () => {
    const [a, b] = await versions('wait', 2, 'PENDING')
    await expect(move('wait', a!)).rejects.toMatchObject({ code: 'ARTEFACT_INVALID' })
    const approval = { kind: 'model', decidedBy: 'somebody', reason: 'looks right' }
    const both = await Promise.allSettled(
      [true, false].map((isApproved) => registry.decide({ ...approval, versionId: a!, isApproved })),
    )
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await registry.decide({ ...approval, versionId: b!, isApproved: false })).toMatchObject({
      state: 'REJECTED',
      reasons: ['rejected by somebody: looks right'],
    })
    await expect(registry.decide({ ...approval, versionId: 'x', isApproved: true })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    })
  })

  it('point at versions that never change, and whose state only moves on', async () => {
    await versions('fixed', 1)
    const change = (set: string) => database.query(`UPDATE "inkling"."Version" SET ${set} WHERE "name" = 'fixed'`)
    await expect(change(`"contents" = '{"metrics": {"auc": 1}}'`)).rejects.toThrow(/immutable/)
    await expect(change(`"state" = 'REJECTED'`)).rejects.toThrow(/does not become/)
  })

  it('end the experiment that the champion stood in when it moves', async () => {
    const [a, b, c] = await versions('split', 3)
    const start = (challengerId: string) =>
      registry.experiments.start({
        kind: 'model',
        name: 'split',
        challengerId,
        plan: {},
        steps: [{ share: 0.1 }],
        startedBy: 'tests',
      })
    await expect(start(b!)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await move('split', a!)
    await expect(start(a!)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    const tried = await Promise.allSettled([start(b!), start(c!)])
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const [running] = await registry.experiments.running('model')
    expect(running).toMatchObject({ baselineId: a, endedAt: null, steps: [{ number: 1, buckets: 1000 }] })
    const ramped = await registry.experiments.ramp(
      running!.id,
      [{ share: 0.5 }, { share: 1, at: new Date('2100-01-01') }],
      'tests',
    )
    expect(ramped.steps.map(({ buckets }) => buckets)).toEqual([1000, 5000, 10_000])
    expect(
      (await registry.experiments.ramp(running!.id, [{ share: 0.2 }], 'tests')).steps.map(({ buckets }) => buckets),
    ).toEqual([1000, 5000, 2000])
    await move('split', a!) // to where it is: nothing changes
    expect(await registry.experiments.running('model')).toHaveLength(1)
    await move('split', c!)
    await registry.rollback(place('split'))
    expect(await registry.experiments.find(running!.id)).toMatchObject({ outcome: 'CHAMPION_MOVED', endedBy: 'tests' })
    await expect(registry.experiments.ramp(running!.id, [{ share: 1 }], 'tests')).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    const second = await start(b!)
    await registry.experiments.stop(second.id, { endedBy: 'tests', outcome: 'STOPPED', reason: 'enough' })
    expect(await registry.experiments.find(second.id)).toMatchObject({ outcome: 'STOPPED', reason: 'enough' })
  })
})
