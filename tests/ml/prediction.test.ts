import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { extractDataset } from '../../ml/dataset.ts'
import type { Model } from '../../ml/define.ts'
import { createPredictionLoader } from '../../ml/loaders.ts'
import { CHAMPION, MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import { isPrediction, type Outcome, type Prediction } from '../../ml/prediction.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { contributions, marginOf } from '../../trainer/explainer.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { countingClient, fillToys, toyModel } from './toy-model.ts'

const now = new Date('2026-06-01')
const model = toyModel()

describe('a model from rows to predictions', () => {
  let database: Database
  let registry: Registry
  let serving: Serving
  let client: ReturnType<typeof countingClient>

  beforeAll(async () => {
    database = await openTestDatabase()
    registry = createRegistry(database)
    client = countingClient(database)
    await fillToys(database, 2000)
    serving = await createServing({ registry, models: [model], log: silent })
  })
  afterAll(async () => {
    await serving.close()
    await database.close()
  })

  const train = async (trained: Model = model) =>
    registerVersion(registry, await trainVersion(trained, { client, now, seed: 7, candidates: 'quick' }), {
      promote: 'always',
      createdBy: 'tests',
    })
  const loaderOf = (instant = new Date(), of: Model = model) =>
    createPredictionLoader({ model: of, serving, client, instant })
  const toy = (id: number) => ({ key: { id }, asOf: now })
  const predicted = (outcome: Outcome): Prediction => {
    if (!isPrediction(outcome)) throw new Error(outcome.message)
    return outcome
  }

  it('answers MODEL_NOT_TRAINED before the first training', async () => {
    expect(await loaderOf().load(toy(1))).toMatchObject({ code: 'MODEL_NOT_TRAINED' })
    expect(serving.states()).toMatchObject([{ model: 'toy', version: null }])
  })

  it('extracts labels and features page by page, whatever the page size', async () => {
    const one = await extractDataset(model, client, { now, pageSize: 2000 })
    const many = await extractDataset(model, client, { now, pageSize: 333 })
    expect(one.dataset.n).toBe(2000)
    expect(one.dataset.columns[1]?.levels).toEqual(['blue', 'green', 'red'])
    expect(many.dataset.x).toEqual(one.dataset.x)
    expect(Number.isNaN(one.dataset.x[6 * 2])).toBe(true) // the seventh x is missing, not zero
    expect(one.positives).toBeGreaterThan(200)
  })

  it('trains, registers and serves within a moment', async () => {
    const { version, promoted } = await train()
    expect(promoted).toBe(true)
    expect(version.contents.metrics.auc).toBeGreaterThan(0.75)
    expect(version.contents.splits[0]?.baseline.auc).toBeCloseTo(0.5, 1)
    await expect.poll(() => serving.states()[0]?.version).toBe(1)
    const outcome = predicted(await loaderOf().load(toy(3)))
    expect(outcome.probability).toBeGreaterThan(0)
    expect(outcome.probability).toBeLessThan(1)
    expect(outcome.low).toBeLessThanOrEqual(outcome.probability)
    expect(outcome.high).toBeGreaterThanOrEqual(outcome.probability)
    expect(outcome.confidence).toBeCloseTo(1 - (outcome.high - outcome.low))
  })

  it('reads features once for a thousand rows, whatever the aliases, and scores many as one', async () => {
    const loader = loaderOf()
    client.statements = 0
    const ids = Array.from({ length: 1000 }, (_, index) => index + 1)
    const twice = await Promise.all([...ids, ...ids].map((id) => loader.load(toy(id))))
    expect(client.statements).toBe(1)
    // Above the inline limit a worker thread scores; the answers are the same to the bit.
    const single = predicted(await loaderOf().load(toy(17)))
    expect(predicted(twice[16]!).probability).toBe(single.probability)
    expect(twice[1016]).toBe(twice[16])
  })

  it('says NOT_APPLICABLE for whom the question is not about, and predicts the others', async () => {
    const [known, unknown] = await Promise.all([1, 99_999_999].map((id) => loaderOf().load(toy(id))))
    expect(isPrediction(known!)).toBe(true)
    expect(unknown).toMatchObject({ code: 'NOT_APPLICABLE' })
  })

  it('routes missing, unknown and infinite values as missing, never as a silent number', async () => {
    await database.query(
      "INSERT INTO toy VALUES (900001, NULL, NULL), (900002, 'Infinity', 'purple'), (900003, 'NaN', NULL), (900004, '-Infinity', ''), (900005, 1e300, 'red')",
    )
    const outcomes = await Promise.all([900001, 900002, 900003, 900004].map((id) => loaderOf().load(toy(id))))
    for (const outcome of outcomes) expect(predicted(outcome).probability).toBe(predicted(outcomes[0]!).probability)
    expect(predicted(await loaderOf().load(toy(900005))).row[0]).toBeNaN()
  })

  it('gives reasons that add up to the log-odds', async () => {
    const loader = loaderOf()
    const outcomes = (await Promise.all([1, 2, 3, 4, 5].map((id) => loader.load(toy(id))))).map(predicted)
    for (const outcome of outcomes) {
      const reasons = await loader.reasons(outcome)
      const { explainer } = outcome.version
      const { base } = contributions(explainer, outcome.row, 1)
      const total = reasons.reduce((sum, { contribution }) => sum + contribution, base)
      expect(total).toBeCloseTo(marginOf(explainer, outcome.row)[0]!, 6)
      expect(total).toBeCloseTo(Math.log(outcome.probability / (1 - outcome.probability)), 3)
      expect(Math.abs(reasons[0]!.contribution)).toBeGreaterThanOrEqual(Math.abs(reasons[1]!.contribution))
    }
    const raising = (await loader.reasons(outcomes[0]!)).find(({ direction }) => direction === 'RAISES')
    expect(raising?.sentence).toMatch(/^(It is long|Its colour) \(/)
  })

  it('keeps a request on the versions of its instant while a promotion happens', async () => {
    const before = new Date()
    const first = predicted(await loaderOf(before).load(toy(5)))
    await train()
    await expect.poll(() => serving.states()[0]?.version).toBe(2)
    expect(predicted(await loaderOf(before).load(toy(5))).version.version.number).toBe(first.version.version.number)
    expect(predicted(await loaderOf().load(toy(5))).version.version.number).toBe(2)
  })

  it('trains to the same bytes from the same rows and seed', async () => {
    const [second, first] = await registry.list<ModelContents>(MODEL_KIND, 'toy')
    const again = await train()
    expect(again.version.artefacts.onnx).toBe(second?.artefacts.onnx)
    expect(first?.number).toBe(1)
  })

  it('keeps a version that fails a gate as rejected and leaves the champion serving', async () => {
    await serving.refresh()
    const serves = serving.states()[0]?.version
    const { version, promoted, reasons } = await train(toyModel({ gates: { auc: { min: 0.9999 } } }))
    expect(promoted).toBe(false)
    expect(version.state).toBe('REJECTED')
    expect(reasons[0]).toMatch(/^auc 0\.\d+ is below 0.9999$/)
    await serving.refresh()
    expect(serving.states()[0]?.version).toBe(serves)
  })

  it('refuses a model file that changed since training, and names the difference', async () => {
    const features = [...model.features, { name: 'weight', kind: 'number' as const, says: 'It is heavy' }]
    const changed = toyModel({ schemaHash: 'toy-2', features })
    expect(await loaderOf(new Date(), changed).load(toy(1))).toMatchObject({
      code: 'FEATURE_MISMATCH',
      message: expect.stringContaining('new: weight'),
    })
  })

  it('turns a failing feature read into an absence of this model alone', async () => {
    const broken = toyModel({ read: () => Promise.reject(new Error('connection lost; password=secret')) })
    const outcome = await loaderOf(new Date(), broken).load(toy(1))
    expect(outcome).toMatchObject({ code: 'FEATURE_READ_FAILED' })
    expect(JSON.stringify(outcome)).not.toContain('secret')
  })

  it('quarantines a version whose bytes were changed, and the previous one keeps serving', async () => {
    const { version } = await registerVersion(
      registry,
      await trainVersion(toyModel({ features: model.features }), { client, now, seed: 8, candidates: 'quick' }),
      { promote: 'never', createdBy: 'tests' },
    )
    const serves = serving.states()[0]?.version
    await database.query('ALTER TABLE "inkling"."Artefact" DISABLE TRIGGER ALL')
    await database.query(
      'UPDATE "inkling"."Artefact" SET "bytes" = set_byte("bytes", 100, (get_byte("bytes", 100) + 1) % 256) WHERE "sha256" = $1',
      [version.artefacts.onnx],
    )
    await database.query('ALTER TABLE "inkling"."Artefact" ENABLE TRIGGER ALL')
    const move = {
      kind: MODEL_KIND,
      name: 'toy',
      alias: CHAMPION,
      versionId: version.id,
      movedBy: 'tests',
      reason: 'x',
    }
    await registry.move(move)
    await serving.refresh()
    expect(serving.states()[0]).toMatchObject({ version: serves, problem: expect.stringContaining('hash differs') })
    const [again] = await registry.versions<ModelContents>(MODEL_KIND, [version.id])
    expect((again as ModelVersion).state).toBe('QUARANTINED')
    expect(isPrediction(await loaderOf().load(toy(1)))).toBe(true)
  })

  it('refuses to train without rows, with one class, or with a leak, by name and number', async () => {
    const attempt = (change: Partial<Model> = {}) =>
      trainVersion(toyModel(change), { client, now, seed: 7, candidates: 'quick' })
    await fillToys(database, 40)
    await expect(attempt()).rejects.toMatchObject({ code: 'NOT_ENOUGH_ROWS', message: expect.stringContaining('40') })
    await fillToys(database, 400, 'one class')
    await expect(attempt()).rejects.toMatchObject({ code: 'ONE_CLASS', message: expect.stringContaining('toy') })
    await fillToys(database, 0)
    await expect(attempt()).rejects.toMatchObject({ code: 'NOT_ENOUGH_ROWS' })
    await fillToys(database, 600)
    await database.query('UPDATE toy SET x = y')
    await expect(attempt()).rejects.toMatchObject({ code: 'LEAK', message: expect.stringContaining('x') })
  })

  it('stops training soon after an abort', async () => {
    await fillToys(database, 2000)
    const stop = new AbortController()
    const running = trainVersion(model, { client, now, seed: 7, candidates: 'quick', signal: stop.signal })
    setTimeout(() => stop.abort(), 150)
    await expect(running).rejects.toThrow()
  })
})
