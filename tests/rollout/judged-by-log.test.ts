import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createReadArms } from '../../ml/rollout/arms.ts'
import { createExperimentUpkeep } from '../../ml/rollout/upkeep.ts'
import { registerVersion, type TrainedModel, trainVersion } from '../../ml/training.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { admin, type MonitoringStand, now, openMonitoringStand, outcomeOf, RECORD, range } from '../monitoring/stand.ts'

/** May look, and move nothing. */
const reader: Viewer = { id: 'rita', tenant: 'default', scopes: ['models:read', 'predictions:read'] }
const promoter: Viewer = { id: 'pia', tenant: 'default', scopes: ['models:promote', 'models:read'] }

describe('moving versions through the graph', () => {
  let stand: MonitoringStand
  let backwards: TrainedModel
  beforeAll(async () => {
    stand = await openMonitoringStand()
    const { model, client } = stand
    const inverted: typeof model = {
      ...model,
      async *labels(...given) {
        for await (const page of model.labels(...given)) yield page.map((row) => ({ ...row, label: 1 - row.label }))
      },
    }
    backwards = await trainVersion(inverted, { client, now, seed: 3, candidates: 'quick' })
  })
  afterAll(() => stand.close())

  const register = async (promote: 'never' | 'after-approval') =>
    (await registerVersion(stand.registry, backwards, { promote, createdBy: 'tests' })).version
  const champion = async () =>
    (await stand.registry.moves('model', 'toy')).findLast(({ alias }) => alias === 'champion')!
  const MUTATIONS: Record<string, { input: string; selects: string }> = {
    approveVersion: {
      input: 'DecideVersionInput',
      selects: '... on ApproveVersionPayload { version { number state } }',
    },
    rejectVersion: {
      input: 'DecideVersionInput',
      selects: '... on RejectVersionPayload { version { number state reasons } }',
    },
    moveAlias: { input: 'MoveAliasInput', selects: '... on MoveAliasPayload { move { alias to { number } } }' },
    removeAlias: {
      input: 'RemoveAliasInput',
      selects: '... on RemoveAliasPayload { move { alias act to { id } from { number } } }',
    },
    rollbackModel: {
      input: 'RollbackModelInput',
      selects: '... on RollbackModelPayload { move { to { number } act } }',
    },
    promoteVersion: {
      input: 'PromoteVersionInput',
      selects: '... on PromoteVersionPayload { move { to { number } } }',
    },
  }
  async function send(name: string, input: object, as: Viewer = promoter) {
    const { input: type, selects } = MUTATIONS[name]!
    const source = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selects} ... on Error { code message hint } } }`
    return (await stand.ask(source, { input }, as))[name]
  }

  it('approves and rejects what waits, once, and says who and why', async () => {
    const [kept, dropped] = [await register('after-approval'), await register('after-approval')]
    expect(await send('rejectVersion', { id: dropped.id, reason: 'it is backwards' })).toEqual({
      version: { number: dropped.number, state: 'REJECTED', reasons: ['rejected by pia: it is backwards'] },
    })
    expect(await send('approveVersion', { id: dropped.id })).toMatchObject({ code: 'CONFLICT' })
    expect(await send('approveVersion', { id: kept.id, expected: dropped.id })).toMatchObject({ code: 'CONFLICT' })
    expect((await champion()).toId).toBe(stand.ids[0])
    expect(await send('approveVersion', { id: kept.id, expected: stand.ids[0] })).toEqual({
      version: { number: kept.number, state: 'REGISTERED' },
    })
    expect(await champion()).toMatchObject({ toId: kept.id, movedBy: 'pia' })
    expect(await send('approveVersion', { id: kept.id })).toMatchObject({ code: 'CONFLICT' })
    expect(await send('rollbackModel', { model: 'toy' })).toEqual({ move: { to: { number: 1 }, act: 'ROLLBACK' } })
  })

  it('removes an alias, and never the champion', async () => {
    expect(await send('moveAlias', { model: 'toy', alias: 'shadow', version: '1' })).toEqual({
      move: { alias: 'shadow', to: { number: 1 } },
    })
    expect(await send('removeAlias', { model: 'toy', alias: 'champion' })).toMatchObject({ code: 'BAD_USER_INPUT' })
    expect(await send('removeAlias', { model: 'toy', alias: 'shadow' })).toEqual({
      move: { alias: 'shadow', act: 'REMOVE', to: null, from: { number: 1 } },
    })
    expect(await send('removeAlias', { model: 'toy', alias: 'shadow' })).toMatchObject({ code: 'NOT_FOUND' })
  })

  it('names what is wrong with what it is given', async () => {
    const nobody = '00000000-0000-4000-8000-000000000000'
    for (const [name, input, code, says] of [
      ['promoteVersion', { model: 'toi', version: '1' }, 'MODEL_UNKNOWN', '"toi"'],
      ['promoteVersion', { model: 'toy', version: '77' }, 'NOT_FOUND', '77'],
      ['promoteVersion', { model: 'toy', version: '1.5' }, 'NOT_FOUND', '1.5'],
      ['moveAlias', { model: 'toy', alias: 'No Such!', version: '1' }, 'BAD_USER_INPUT', 'No Such!'],
      ['removeAlias', { model: 'toi', alias: 'shadow' }, 'MODEL_UNKNOWN', '"toi"'],
      ['rejectVersion', { id: nobody }, 'NOT_FOUND', nobody],
      ['approveVersion', { id: 'x' }, 'NOT_FOUND', 'x'],
    ] as const) {
      const answer = await send(name, input)
      expect(answer, name).toMatchObject({ code, hint: expect.stringMatching(/\w/) })
      expect(answer.message).toContain(says)
    }
  })

  it('lets nobody move anything who may not', async () => {
    const waiting = await register('after-approval')
    const inputs: Record<string, object> = {
      approveVersion: { id: waiting.id },
      rejectVersion: { id: waiting.id },
      moveAlias: { model: 'toy', alias: 'shadow', version: '1' },
      removeAlias: { model: 'toy', alias: 'shadow' },
      rollbackModel: { model: 'toy' },
      promoteVersion: { model: 'toy', version: String(waiting.number) },
    }
    const before = await stand.registry.moves('model', 'toy')
    for (const name of Object.keys(MUTATIONS))
      await expect(send(name, inputs[name]!, reader), name).rejects.toMatchObject({
        message: expect.stringContaining('models:promote'),
      })
    expect(await stand.registry.moves('model', 'toy')).toEqual(before)
    expect((await stand.registry.version(waiting.id)).state).toBe('PENDING')
  })

  it('ends an experiment by what was served and what became of it, without anybody looking', async () => {
    const challenger = await register('never')
    const { startExperiment } = await stand.ask(
      `mutation ($version: String!) { startExperiment(input: { model: "toy", version: $version, steps: [{ share: 0.5 }], metric: LOG_LOSS, leastKeys: 50 }) {
         ... on StartExperimentPayload { experiment { id share } } ... on Error { code message } } }`,
      { version: String(challenger.number) },
    )
    expect(startExperiment).toMatchObject({ experiment: { share: 0.5 } })
    await stand.serving.refresh()
    const upkeep = createExperimentUpkeep({
      ...stand,
      readArms: createReadArms(stand.database),
      log: silent,
      everyMs: 50,
    })
    const find = () => stand.registry.experiments.find(startExperiment.experiment.id)
    await stand.serve(range(1, 240))
    const { rows } = await stand.database.query<{ id: number; y: number; versionId: string }>(
      `SELECT toy.id, y, "versionId" FROM toy JOIN inkling."Prediction" p ON p.key = format('["%s"]', toy.id) WHERE p."asOf" = $1`,
      [now],
    )
    expect(new Set(rows.map(({ versionId }) => versionId))).toEqual(new Set([stand.ids[0], challenger.id]))
    const answer = (from: number, to: number) =>
      Promise.all(rows.slice(from, to).map(({ id, y }) => stand.ask(RECORD, outcomeOf(id, y === 1), admin)))
    await answer(0, 60)
    await expect.poll(async () => (await find())!.verdict, { interval: 20 }).toMatchObject({ interval: null }) // too few
    expect((await find())!.endedAt).toBeNull()
    await answer(60, 240)
    await expect.poll(async () => (await find())!.outcome, { interval: 20, timeout: 5000 }).toBe('CHALLENGER_WORSE')
    await upkeep.stop()
    expect(await find()).toMatchObject({
      endedBy: 'sequential test',
      verdict: { interval: { low: expect.any(Number) } },
    })
    expect((await champion()).toId).toBe(stand.ids[0])
  })
})
