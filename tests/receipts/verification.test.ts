import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Model } from '../../ml/define.ts'
import { MODEL_KIND, type ModelContents } from '../../ml/model-version.ts'
import { parseReceipt, type Receipt, serialiseReceipt } from '../../ml/receipt/receipt.ts'
import { type Verification, verifyReceipt } from '../../ml/receipt/verification.ts'
import { registerVersion, type TrainingOptions, trainVersion } from '../../ml/training.ts'
import type { Database } from '../../platform/database.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { parseExplainer } from '../../trainer/index.ts'
import { openTestDatabase } from '../harness.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'

const now = new Date('2026-06-01')
const ROWS = 500
const model = toyModel({
  slices: ['colour'],
  lastKnown: 'x',
  costs: { falsePositive: 1, falseNegative: 4 },
  calibration: 'isotonic',
})

describe('a receipt', () => {
  let database: Database
  let registry: Registry
  let client: ReturnType<typeof countingClient>
  let receipt: Receipt
  let number: number

  beforeAll(async () => {
    database = await openTestDatabase()
    registry = createRegistry(database)
    client = countingClient(database)
    await fillToys(database, ROWS)
    ;({ receipt, number } = await train())
  })
  afterAll(() => database.close())

  async function train(options: Partial<TrainingOptions> = {}, of: Model = model) {
    const trained = await trainVersion(of, { client, now, seed: 7, candidates: 'quick', ...options })
    const { version } = await registerVersion(registry, trained, { promote: 'always', createdBy: 'tests' })
    return { receipt: trained.receipt, version, number: version.number }
  }
  const verify = (of: Receipt = receipt, by: Model | null = model): Promise<Verification> =>
    verifyReceipt({ receipt: of, model: by, registry, client })
  const parts = ({ differences }: Verification) => [...new Set(differences.map(({ part }) => part))].sort()
  const says = ({ differences }: Verification) => differences.map((difference) => difference.says).join('; ')
  /** A bit of the stored bytes turns over, as on a failing disk: no statement of ours could do it. */
  const flip = (sha256: string) => `
    ALTER TABLE "inkling"."Artefact" DISABLE TRIGGER USER;
    UPDATE "inkling"."Artefact" SET "bytes" = set_byte("bytes", 40, get_byte("bytes", 40) # 1) WHERE "sha256" = '${sha256}';
    ALTER TABLE "inkling"."Artefact" ENABLE TRIGGER USER`
  /** Changes rows for as long as `work` takes. */
  async function changed<T>(change: string, back: string, work: () => Promise<T>): Promise<T> {
    await database.query(change)
    try {
      return await work()
    } finally {
      await database.query(back)
    }
  }

  it('is stored with the version and comes back as it was', async () => {
    const [version] = await registry.list<ModelContents>(MODEL_KIND, 'toy')
    const stored = Buffer.from(await registry.artefact(version!, 'receipt')).toString()
    expect(stored).toBe(serialiseReceipt(receipt))
    expect(parseReceipt(stored, 'the stored receipt')).toEqual(receipt)
    expect(version!.contents.receipt.rows).toBe(receipt.rows.sha256)
    expect(version!.contents).not.toHaveProperty('heldOut')
    expect(version!.artefacts).toMatchObject(receipt.artefacts)
    expect(receipt).toMatchObject({ model: 'toy', seed: 7, extractedAt: now.toISOString(), continued: null })
    expect(receipt.definition.settings).toEqual({
      slices: ['colour'],
      lastKnown: 'x',
      costs: { falsePositive: 1, falseNegative: 4 },
      calibration: 'isotonic',
    })
  })

  it('carries what the model file declares to the trainer', async () => {
    const [version] = await registry.list<ModelContents>(MODEL_KIND, 'toy')
    const { slices, splits, metrics } = version!.contents
    expect(slices.map(({ column, slice }) => `${column} ${slice}`)).toEqual([
      'colour blue',
      'colour green',
      'colour red',
    ])
    expect(splits[0]!.baseline['lastKnown.auc']).toBeGreaterThan(0.5)
    expect(metrics.threshold).toBeLessThan(0.5)
    const { model: trained } = parseExplainer(await registry.artefact(version!, 'explainer'))
    expect(trained.calibration?.kind).toBe('isotonic')
  })

  it('is equal when the training is repeated from the database', async () => {
    const verification = await verify()
    expect(verification).toEqual({
      model: 'toy',
      isEqual: true,
      differences: [],
      notes: [],
      rowsFrom: 'database',
      version: number,
    })
  })

  it('is equal after a search under the clock, which the repetition does not look at', async () => {
    const searched = await train({ candidates: 'full', budgetMs: 400 })
    expect(await verify(searched.receipt)).toMatchObject({ isEqual: true })
  })

  it('names a changed row by its columns, and what follows from it', async () => {
    const verification = await changed(
      'UPDATE toy SET x = x + 0.5 WHERE id BETWEEN 100 AND 160',
      'UPDATE toy SET x = x - 0.5 WHERE id BETWEEN 100 AND 160',
      () => verify(),
    )
    expect(says(verification)).toContain('other values of x')
    expect(says(verification)).not.toContain('colour')
    expect(parts(verification)).toEqual(['artefact', 'metrics', 'rows'])
  })

  it('names one changed label and one row more', async () => {
    const label = await changed(
      'UPDATE toy SET y = 1 - y WHERE id = 55',
      'UPDATE toy SET y = 1 - y WHERE id = 55',
      () => verify(),
    )
    expect(says(label)).toContain('other labels')
    const more = await changed(
      "INSERT INTO toy VALUES (5000, 1, 'red', 1, '2026-02-01')",
      'DELETE FROM toy WHERE id = 5000',
      () => verify(),
    )
    expect(says(more)).toContain(`${ROWS} rows were recorded, ${ROWS + 1} are there now`)
  })

  it('names a changed definition: SQL, a feature, a declared setting, a model that is gone', async () => {
    const sql = await verify(receipt, toyModel({ ...model, schemaHash: 'toy-2' }))
    expect(sql.differences).toEqual([{ part: 'definition', says: 'the SQL that reads the features changed' }])
    expect(sql.notes).toEqual(['bytes and metrics came out equal all the same'])
    const features = model.features.map((spec) => (spec.name === 'x' ? { ...spec, unit: 'inch' } : spec))
    const costs = { falsePositive: 2, falseNegative: 4 }
    const declared = { ...model, features, costs, threshold: 0.3 }
    expect(says(await verify(receipt, declared))).toBe('the feature x changed; costs changed; threshold changed')
    const gone = await verify(receipt, null)
    expect(parts(gone)).toEqual(['definition', 'rows'])
    expect(gone.rowsFrom).toBeNull()
  })

  it('names changed code by its file, and a metric that was written up', async () => {
    const files = { ...receipt.code.files, 'trainer/search.ts': '0000000000000000' }
    const code = { version: '0.0.1', sha256: '0'.repeat(64), files }
    const verification = await verify({ ...receipt, code, metrics: { ...receipt.metrics, auc: 0.99 } })
    expect(verification.differences).toEqual(
      expect.arrayContaining([
        { part: 'receipt', says: 'code, metrics of the receipt are not what was stored' },
        { part: 'code', says: expect.stringMatching(/^version 0\.0\.1 then/) },
        { part: 'code', says: 'trainer/search.ts changed' },
        { part: 'metrics', says: expect.stringMatching(/auc 0\.99 then, 0\.\d+ now/) },
      ]),
    )
  })

  it.each(['onnx', 'explainer'])('names a flipped byte of the stored %s', async (role) => {
    const bit = flip(receipt.artefacts[role]!)
    const verification = await changed(bit, bit, () => verify())
    expect(parts(verification)).toEqual(['artefact'])
    expect(says(verification)).toContain(`The ${role} of toy version ${number} is not what was registered`)
  })

  it('is repeated from the kept rows when the database has moved on, and says when those are damaged', async () => {
    const kept = await train({ keepDataset: true, seed: 9 })
    expect(kept.version.artefacts.dataset).toBe(kept.receipt.artefacts.dataset)
    await changed('UPDATE toy SET x = -x', 'UPDATE toy SET x = -x', async () => {
      expect(await verify(kept.receipt)).toMatchObject({ isEqual: true, rowsFrom: 'kept dataset' })
    })
    const bit = flip(kept.receipt.artefacts.dataset!)
    const damaged = await changed(bit, bit, () => verify(kept.receipt))
    expect(damaged.rowsFrom).toBe('database')
    expect(damaged.differences).toEqual([{ part: 'rows', says: expect.stringContaining('The dataset of toy version') }])
  })

  it('repeats a version that went on from another', async () => {
    // no line tells these labels apart
    await database.query('UPDATE toy SET y = (abs(COALESCE(x, 0)) > 1 AND id % 11 > 0)::int')
    const trees = { candidates: 'quick', seed: 3 } as const
    const first = await trainVersion(model, { client, now, ...trees })
    expect(first.artefact.learner).not.toBe('linear')
    const { version } = await registerVersion(registry, first, { promote: 'never', createdBy: 'tests' })
    const until = new Date('2026-01-01T05:00:00.000Z') // row 300 of 500, a minute each: the others are newer
    const continueFrom = { version: version.number, explainer: first.artefact.explainer, until }
    const next = await train({ ...trees, continueFrom })
    const { continued } = next.receipt
    expect(continued).toEqual({
      version: version.number,
      explainer: first.receipt.artefacts.explainer,
      until: until.toISOString(),
    })
    expect(next.version.contents.splits).toMatchObject([{ by: 'time', train: 300, test: 200 }])
    expect(await verify(next.receipt)).toMatchObject({ isEqual: true })
    const lost = { ...next.receipt, continued: { ...continued!, version: 9999 } }
    expect(says(await verify(lost))).toContain('version 9999, which it went on from, is not stored here')
    await fillToys(database, ROWS)
  })

  it('does not let a continued version serve that only rows already learned from could judge', async () => {
    const first = await registry.list<ModelContents>(MODEL_KIND, 'toy')
    const source = first.find(({ contents }) => contents.learner !== 'linear')!
    const explainer = await registry.artefact(source, 'explainer')
    const continueFrom = { version: source.number, explainer, until: new Date(source.contents.window.to) }
    const trained = await trainVersion(model, { client, now, seed: 7, candidates: 'quick', continueFrom })
    const outcome = await registerVersion(registry, trained, { promote: 'always', createdBy: 'tests' })
    expect(outcome).toMatchObject({ promoted: false, isJudgedUnseen: false, reasons: [] })
    expect(outcome.version.contents.warnings.join()).toContain('the metrics flatter: only 0 rows are newer')
  })

  it('says when this database has no version of it, and compares the rest', async () => {
    const elsewhere = { ...receipt, artefacts: { ...receipt.artefacts, onnx: '1'.repeat(64) } }
    const verification = await verify(elsewhere)
    expect(verification.version).toBeNull()
    expect(verification.notes.join()).toContain('no version of toy in this database')
    expect(says(verification)).toBe('the onnx came out with other bytes')
  })

  it('stops when it is aborted', async () => {
    const signal = AbortSignal.abort()
    await expect(verifyReceipt({ receipt, model, registry, client, signal })).rejects.toThrow()
  })

  it('refuses what is no receipt with the field that is wrong', () => {
    expect(() => parseReceipt('{', 'a.json')).toThrow('a.json is no receipt: it is not JSON')
    const text = JSON.stringify({ ...receipt, rows: { ...receipt.rows, n: 'many' } })
    expect(() => parseReceipt(text, 'a.json')).toThrow(/rows\.n/)
  })
})
