import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cardOfVersion } from '../../ml/card/version-card.ts'
import { importModel } from '../../ml/import/importing.ts'
import { parsePlan } from '../../ml/import/plan.ts'
import { CHAMPION, MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import { isPrediction } from '../../ml/prediction.ts'
import { readRival } from '../../ml/rollout/opponent.ts'
import type { Promotion } from '../../ml/rollout/policy.ts'
import { createServing } from '../../ml/serving.ts'
import { registerVersion } from '../../ml/training.ts'
import { exportVersion, importTransferred } from '../../ml/transfer/transfer.ts'
import { createRegistry } from '../../registry/registry.ts'
import { silent } from '../harness.ts'
import { now, openToyStand, type ToyStand, toy } from '../predictions/toy-stand.ts'
import { readVector, type VectorName } from './vectors.ts'

describe('a version from elsewhere', () => {
  let stand: ToyStand
  /** Boosted trees of scikit-learn, judged on rows after their training. */
  let boosted: ModelVersion
  let lightgbm: ModelVersion
  beforeAll(async () => {
    stand = await openToyStand(1, { slices: ['colour'], gates: { auc: { min: 0.6 } } })
  })
  afterAll(() => stand.close())

  async function bring(name: VectorName, promote: Promotion = 'never', more: object = {}) {
    const { file, content } = readVector(name)
    const { registry, client, model } = stand
    const plan = parsePlan({ ...content, ...more })
    const imported = await importModel(model, {
      file,
      plan,
      client,
      now,
      seed: 7,
      rival: () => readRival(registry, model),
    })
    return registerVersion(registry, imported, { promote, createdBy: 'tests' })
  }

  it('is judged here, on rows after its training where it says so', async () => {
    const unsaid = await bring('scikit-boosted', 'always')
    expect(unsaid).toMatchObject({ promoted: false, isJudgedUnseen: false })
    // it was fitted on toys 1 to 400, a minute apart
    const said = await bring('scikit-boosted', 'never', { trainedUntil: '2026-01-01T06:40:00Z' })
    boosted = said.version
    const { contents, state } = boosted
    expect(said.isJudgedUnseen).toBe(true)
    expect(state).toBe('REGISTERED')
    expect(contents.splits[0]).toMatchObject({ by: 'time', test: 1100 })
    expect(contents.metrics.auc).toBeGreaterThan(0.85)
    expect(contents.metrics.ece).toBeGreaterThan(0)
    expect(contents.intervals.auc![0]).toBeLessThan(contents.metrics.auc!)
    expect(contents.slices.map(({ slice }) => slice).sort()).toEqual(['blue', 'green', 'red'])
    expect(contents.importances[0]).toMatchObject({ feature: 'x' })
    expect(contents.importances[0]!.permutation).toBeGreaterThan(0)
    expect(contents.statistics.map(({ feature }) => feature)).toEqual(['x', 'colour'])
    expect(contents.reliability!.reduce((sum, { rows }) => sum + rows, 0)).toBe(1100)
    expect(contents.comparison).not.toBeNull() // beside the champion, on the same rows
    expect(contents.origin).toMatchObject({
      kind: 'IMPORTED',
      producer: 'skl2onnx',
      trainedUntil: '2026-01-01T06:40:00Z',
    })
  })

  it('serves like any other, and says that it has no reasons instead of inventing some', async () => {
    const { version, promoted } = await bring('lightgbm', 'always', { trainedUntil: '2026-01-01T06:40:00Z' })
    lightgbm = version
    expect(promoted).toBe(true)
    await stand.serving.refresh()
    const loader = stand.loader()
    const answers = await Promise.all(Array.from({ length: 300 }, (_, at) => loader.load(toy(at + 1))))
    const predictions = answers.filter(isPrediction)
    expect(predictions).toHaveLength(300)
    for (const { probability, low, high, versionId } of predictions) {
      expect(versionId).toBe(version.id)
      expect(low).toBeLessThanOrEqual(probability)
      expect(high).toBeGreaterThanOrEqual(probability)
    }
    const [first] = readVector('lightgbm').plan.golden!
    expect(predictions[0]!.probability).toBeCloseTo(first!.probability, 5)
    expect(await loader.reasons(predictions[0]!)).toEqual([])
    await stand.point(CHAMPION, stand.ids[0]!)
    await stand.serving.refresh()
  })

  it('is kept as rejected when it fails a gate of the model file', async () => {
    const { model } = stand
    const strict = { ...model, gates: { auc: { min: 0.99 } } }
    const { file, content } = readVector('scikit-logistic')
    const plan = parsePlan({ ...content, trainedUntil: '2026-01-01T06:40:00Z' })
    const imported = await importModel(strict, { file, plan, client: stand.client, now, seed: 7 })
    const outcome = await registerVersion(stand.registry, imported, { promote: 'always', createdBy: 'tests' })
    expect(outcome).toMatchObject({ promoted: false, version: { state: 'REJECTED' } })
    expect(outcome.reasons[0]).toMatch(/auc 0\.\d+ is below 0.99/)
  })

  it('leaves nothing behind when it is refused', async () => {
    const before = await stand.registry.list(MODEL_KIND, 'toy')
    await expect(bring('zipmap')).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
    const { client, model } = stand
    const { plan } = readVector('network')
    const pickle = Uint8Array.from([0x80, 4, 0x95, 1])
    await expect(importModel(model, { file: pickle, plan, client, now, seed: 7 })).rejects.toMatchObject({
      message: expect.stringContaining('pickle'),
    })
    expect(await stand.registry.list(MODEL_KIND, 'toy')).toHaveLength(before.length)
  })

  it('is taken out of service when its bytes change under their hash, and the one before serves, after a restart too', async () => {
    const { database, registry, model } = stand
    const version = boosted
    await stand.point(CHAMPION, version.id)
    const change = (sql: string) => database.query(`ALTER TABLE "inkling"."Artefact" ${sql} TRIGGER ALL`)
    await change('DISABLE')
    await database.query(
      `UPDATE "inkling"."Artefact" SET "bytes" = set_byte("bytes", 100, get_byte("bytes", 100) # 1) WHERE "sha256" = $1`,
      [version.artefacts.onnx],
    )
    await change('ENABLE')
    const restarted = await createServing({ registry, models: [model], log: silent })
    expect(restarted.championAt(model, new Date(Date.now() + 1000)).version.id).toBe(stand.ids[0])
    expect((await registry.version(version.id)).state).toBe('QUARANTINED')
    await restarted.close()
    await stand.point(CHAMPION, stand.ids[0]!)
  })

  describe('and its model card', () => {
    const cardOf = async (id: string, format: 'MARKDOWN' | 'HTML') => {
      const { registry, model } = stand
      return cardOfVersion(registry, [model], await registry.version<ModelContents>(id), format)
    }

    it('says what it was trained on, how good it is, what it looks at and where it came from', async () => {
      const id = stand.ids[0]!
      const { contents, artefacts } = await stand.registry.version<ModelContents>(id)
      const card = await cardOf(id, 'MARKDOWN')
      for (const title of [
        'Data',
        'Metrics',
        'Calibration',
        'What it looks at',
        'Slices',
        'Gates',
        'Features',
        'Limits',
        'Provenance',
      ])
        expect(card).toContain(`## ${title}`)
      expect(card).toContain(`| AUC | ${contents.metrics.auc!.toFixed(4)} | ${contents.intervals.auc![0].toFixed(4)} –`)
      expect(card).toContain(`| Artefact onnx | ${artefacts.onnx} |`)
      expect(card).toContain(contents.receipt.rows)
      expect(card).toMatch(/colour = red/)
      expect(card).toMatch(/registered, champion/)
    })

    it('is one page without a script, in which nothing from the database is markup', async () => {
      const { registry, ids } = stand
      const version = await registry.version<ModelContents>(ids[0]!)
      const evil = { ...version.contents, warnings: ['<script>alert(1)</script> | **bold**'] }
      const draft = { kind: MODEL_KIND, name: 'toy', state: 'REGISTERED', schemaHash: version.schemaHash } as const
      const made = await registry.register({ ...draft, artefacts: {}, contents: evil, reasons: [], createdBy: 'tests' })
      const page = await cardOf(made.id, 'HTML')
      expect(page).not.toMatch(/<script|src=|href=|@import|url\(/)
      expect(page.match(/<svg/g)!.length).toBeGreaterThanOrEqual(2)
      expect(page).toContain('Reliability: on the line is calibrated')
      expect(await cardOf(made.id, 'MARKDOWN')).toContain('\\<script\\>alert(1)\\</script\\> \\| \\*\\*bold')
    })
  })

  describe('in one file', () => {
    const first = () => stand.registry.version<ModelContents>(stand.ids[0]!) as Promise<ModelVersion>
    const file = async () => exportVersion(stand.registry, await first())

    it('has the same bytes each time, and comes back under a new number with where it came from', async () => {
      const bytes = await file()
      expect(Buffer.from(await file()).equals(bytes)).toBe(true)
      const version = await importTransferred(stand.registry, stand.model, bytes, 'tests')
      const original = await first()
      expect(version.artefacts).toMatchObject({
        onnx: original.artefacts.onnx,
        explainer: original.artefacts.explainer,
      })
      expect(version.number).toBeGreaterThan(original.number)
      expect(version.contents.metrics).toEqual(original.contents.metrics)
      expect(version.contents.origin).toMatchObject({
        kind: 'TRANSFERRED',
        version: { id: original.id, number: original.number },
      })
      const served = await stand.serving.load(version.id)
      expect(served.version.contents.learner).toBe(original.contents.learner)
      const moves = await stand.registry.moves(MODEL_KIND, 'toy')
      expect(moves.some(({ toId }) => toId === version.id)).toBe(false) // nobody promoted it
    })

    it('travels when it was imported there, too', async () => {
      const bytes = await exportVersion(stand.registry, lightgbm)
      const copy = await importTransferred(stand.registry, stand.model, bytes, 'tests')
      expect(copy.contents.origin).toMatchObject({ kind: 'IMPORTED', sha256: lightgbm.contents.origin!.sha256 })
    })

    it('is refused where the model file reads other features, with the difference', async () => {
      const features = [stand.model.features[0]!, { name: 'weight', kind: 'number', says: 'Heavy' } as const]
      const other = { ...stand.model, features, schemaHash: 'toy-2' }
      await expect(
        importTransferred(createRegistry(stand.database), other, await file(), 'tests'),
      ).rejects.toMatchObject({
        code: 'FEATURE_MISMATCH',
        message: expect.stringMatching(/new: weight; gone: colour/),
      })
      const stranger = { ...stand.model, name: 'other' }
      await expect(importTransferred(stand.registry, stranger, await file(), 'tests')).rejects.toMatchObject({
        code: 'IMPORT_INVALID',
      })
    })

    it('is refused when it was cut or changed by one bit anywhere', async () => {
      const bytes = await file()
      const before = (await stand.registry.list(MODEL_KIND, 'toy')).length
      const damaged = [0.001, 0.2, 0.5, 0.8, 0.999].map((share) => {
        const copy = Buffer.from(bytes)
        copy[Math.floor(share * copy.length)]! ^= 1
        return copy
      })
      for (const copy of [...damaged, bytes.subarray(0, bytes.length - 1), Buffer.concat([bytes, Buffer.from('x')])])
        await expect(importTransferred(stand.registry, stand.model, copy, 'tests')).rejects.toMatchObject({
          code: 'IMPORT_INVALID',
        })
      expect(await stand.registry.list(MODEL_KIND, 'toy')).toHaveLength(before)
    })
  })
})
