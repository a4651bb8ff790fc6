import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Extraction, extractDataset } from '../../ml/dataset.ts'
import type { Model } from '../../ml/define.ts'
import { judge } from '../../ml/gates.ts'
import { type Evidence, gatherEvidence } from '../../ml/rollout/evidence.ts'
import { heldBack } from '../../ml/rollout/first-training.ts'
import { readRival } from '../../ml/rollout/opponent.ts'
import { decide, type Promotion } from '../../ml/rollout/policy.ts'
import { judgedContents, registerVersion, type TrainedModel, trainVersion } from '../../ml/training.ts'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { contest } from '../../trainer/contest.ts'
import { createRandom } from '../../trainer/random.ts'
import { openTestDatabase } from '../harness.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'

const now = new Date('2026-06-01')

describe('gates and policies', () => {
  let database: Database
  let registry: Registry
  let client: ReturnType<typeof countingClient>
  let first: TrainedModel
  /** Of every row, after the first. */
  let second: TrainedModel
  let extraction: Extraction
  const model = toyModel({ rule: ({ x }) => (x === null ? null : Number(x) > 0 ? 0.9 : 0.1) })

  beforeAll(async () => {
    database = await openTestDatabase()
    registry = createRegistry(database)
    client = countingClient(database)
    await fillToys(database, 1500)
    first = await train({ labels: (...given) => until(model.labels(...given), 700) })
    extraction = await extractDataset(model, client, { now })
  })
  afterAll(() => database.close())

  const train = (change: Partial<Model> = {}) =>
    trainVersion(
      { ...model, ...change },
      {
        client,
        now,
        seed: 7,
        candidates: 'quick',
        rival: () => readRival(registry, model),
      },
    )
  /** The same rows, seed and settings give the same bytes: only what they are held against and by what rules is new. */
  async function judgedAgain(change: Partial<Model> = {}): Promise<TrainedModel> {
    const own = { ...model, ...change }
    const { artefact, receipt } = second
    const evidence = await gatherEvidence(own, artefact, extraction.dataset, await readRival(registry, own))
    return { ...second, model: own, evidence, ...judgedContents(own, artefact, extraction, receipt, evidence) }
  }
  const register = (trained: TrainedModel, promote: Promotion) =>
    registerVersion(registry, trained, { promote, createdBy: 'tests' })

  it('promote the first version under if-better: nothing served before it', async () => {
    expect(first.evidence.champion).toBeNull()
    expect(await register(first, 'if-better')).toMatchObject({ promoted: true, why: 'nothing served before it' })
  })

  it('hold a new version against the champion on rows that it has not seen, where there are enough', async () => {
    second = await train({
      gates: { auc: { champion: { atLeast: -0.2 } }, logLoss: { baseline: { atLeast: 0 } } },
    })
    const { champion, baseline } = second.evidence
    expect(champion).toMatchObject({ number: 1, isUnseen: true })
    expect(champion!.rows).toBeGreaterThanOrEqual(100)
    const gain = champion!.gains.auc!
    expect(gain.low).toBeLessThanOrEqual(gain.gain)
    expect(gain.high).toBeGreaterThanOrEqual(gain.gain)
    expect(gain.gain).toBeCloseTo(gain.own - gain.other, 12)
    expect(baseline).toMatchObject({ by: 'RULE' })
    expect(second.contents.gates).toMatchObject([
      { gate: 'auc', against: 'CHAMPION', isPassed: true },
      { gate: 'logLoss', against: 'BASELINE', isPassed: true, says: expect.stringContaining('than the rule') },
    ])
  })

  it('say so when the champion has learned from the rows that judge, and keep it unless the other is surely not worse', async () => {
    await register(await judgedAgain(), 'always') // saw every row
    const again = await judgedAgain()
    expect(again.evidence.champion).toMatchObject({ number: 2, isUnseen: false })
    const outcome = await register(again, 'if-better')
    expect(outcome).toMatchObject({
      promoted: false,
      why: expect.stringContaining('some of which taught the champion'),
    })
    expect(outcome.version.state).toBe('REGISTERED')
    const demanding = await judgedAgain({ gates: { logLoss: { champion: { atLeast: 0.5 } } } })
    expect(demanding.reasons[0]).toMatch(
      /^logLoss .* than the champion \(version 2, which has learned from some of these rows\): surely at least 0.5 is demanded$/,
    )
  })

  it('do not promote over a champion that came while the version was compared with another', async () => {
    const trained = await judgedAgain({ better: { metric: 'auc', atLeast: -1 } })
    await registry.move({
      kind: 'model',
      name: 'toy',
      alias: 'champion',
      versionId: (await registry.find('model', 'toy', 1))!,
      movedBy: 'tests',
      reason: 'meanwhile',
    })
    expect(await register(trained, 'if-better')).toMatchObject({
      promoted: false,
      why: expect.stringContaining('no longer serves'),
    })
    expect(decide(trained.model, 'if-better', trained)).toMatchObject({ isPromoted: true })
  })

  it('keep a version waiting for approval, and one that failed a gate rejected with every reason', async () => {
    const trained = await judgedAgain({
      gates: { auc: { min: 0.99, slices: { colour: { min: 0.999, rows: 20 } } }, logLoss: { max: 0.01 } },
    })
    expect((await register({ ...trained, reasons: [] }, 'after-approval')).version.state).toBe('PENDING')
    expect(await heldBack(registry, model)).toMatchObject({ state: 'PENDING' })
    const { version, why } = await register(trained, 'always')
    expect(version).toMatchObject({ state: 'REJECTED' })
    expect(why).toBe('it failed a gate')
    expect(version.reasons).toEqual([
      expect.stringMatching(/^auc 0\.\d+ is below 0.99$/),
      ...['blue', 'green', 'red'].map((colour) =>
        expect.stringMatching(`^auc where colour is ${colour} 0\\.\\d+ is below 0.999$`),
      ),
      expect.stringMatching(/^logLoss 0\.\d+ is above 0.01$/),
    ])
    expect(await heldBack(registry, model)).toMatchObject({ state: 'REJECTED' })
    expect(await heldBack(registry, { ...model, schemaHash: 'mended' })).toBeNull()
  })

  it('let a version replace a champion that reads other features and cannot serve any more', async () => {
    const trained = await judgedAgain({ schemaHash: 'toy-2' })
    expect(trained.evidence.champion).toBeNull()
    expect(decide(trained.model, 'if-better', trained)).toMatchObject({
      isPromoted: true,
      why: expect.stringContaining('trained with other features'),
    })
  })

  it('leave slices of few rows unjudged and metrics without data failed', () => {
    const evidence: Evidence = {
      metrics: { auc: null },
      champion: null,
      incomparable: null,
      baseline: { by: 'BASE_RATE', rows: 10, gains: {} },
      slices: [{ feature: 'colour', slice: 'red', rows: 9, metrics: { auc: 0.1 } }],
    }
    const results = judge(
      toyModel({ gates: { auc: { min: 0.5, slices: { colour: { min: 0.5 } }, baseline: { atLeast: 0 } } } }),
      evidence,
    )
    expect(results.map(({ isPassed, says }) => [isPassed, says])).toEqual([
      [false, 'auc is not known: not enough data'],
      [true, 'auc where colour is red: 9 rows, judged from 100 on'],
      [false, 'auc could not be compared with the base rate: not enough data'],
    ])
  })
})

describe('a paired comparison', () => {
  const random = createRandom(3)
  const n = 600
  const truth = Float64Array.from({ length: n }, () => random.next())
  const y = Float32Array.from(truth, (p) => (random.next() < p ? 1 : 0))
  const compare = (answers: Float64Array, other: Float64Array, groups?: Int32Array) =>
    contest({
      y,
      answers,
      opponents: [{ name: 'other', answers: other }],
      threshold: 0.5,
      seed: 5,
      ...(groups ? { groups } : {}),
    }).other!

  it('finds the better of two, with a sign that does not depend on which way the metric goes', () => {
    const worse = truth.map((p) => 0.5 + (p - 0.5) * 0.3)
    const gains = compare(truth, worse)
    expect(gains.logLoss!.low).toBeGreaterThan(0)
    expect(gains.brier!.low).toBeGreaterThan(0)
    expect(compare(worse, truth).logLoss!.high).toBeLessThan(0)
    expect(gains.auc).toMatchObject({ gain: 0, low: 0, high: 0 }) // the same order
  })

  it('holds the difference of equals in an interval around nothing', () => {
    expect(compare(truth, truth).logLoss).toMatchObject({ gain: 0, low: 0, high: 0 })
    const noisy = () => truth.map((p) => Math.min(0.99, Math.max(0.01, p + 0.05 * (random.next() - 0.5))))
    const gain = compare(noisy(), noisy()).logLoss!
    expect(gain.low).toBeLessThan(0)
    expect(gain.high).toBeGreaterThan(0)
  })

  it('is less sure when whole groups are drawn', () => {
    const other = truth.map((p, at) => (at % 2 ? p : 0.5))
    const groups = Int32Array.from({ length: n }, (_, at) => (at % 2 ? at : 0)) // half of the rows are one group
    const width = ({ logLoss }: ReturnType<typeof compare>) => logLoss!.high - logLoss!.low
    expect(width(compare(truth, other, groups))).toBeGreaterThan(1.5 * width(compare(truth, other)))
  })
})

async function* until(pages: ReturnType<Model['labels']>, id: number): ReturnType<Model['labels']> & AsyncGenerator {
  for await (const page of pages) yield page.filter(({ key }) => Number(key.id) <= id)
}
