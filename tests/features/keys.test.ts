import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelShape } from '../../ml/features/datamodel.ts'
import { entityKey } from '../../ml/features/keys.ts'
import { spotOf } from '../../ml/features/spot.ts'
import { defineModel } from '../../models/kit.ts'
import { type LearningClient, learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'

const shapeOf = (type: string, native: string | null = null): ModelShape => ({
  table: 't',
  schema: null,
  key: ['id'],
  columns: { id: { column: 'id', type, kind: 'scalar', list: false, native } },
  relations: {},
})
const encode = (type: string, native: string | null, value: string | number) =>
  entityKey('Thing', shapeOf(type, native), spotOf('m', 'entity')).encode({ id: value })[0]

describe('a key', () => {
  it.each([
    ['String', null, "o'brien", true],
    ['String', null, 'a\0b', false],
    ['String', null, '\udfff', false],
    ['String', 'Uuid', '3f2504e0-4f89-11d3-9a0c-0305e82c3301', true],
    ['String', 'Uuid', '3f2504e0', false],
    ['Int', null, 42, true],
    ['Int', null, '4.2', false],
    ['Int', null, '1e3', false],
    ['BigInt', null, '9223372036854775807', true],
    ['BigInt', null, '9223372036854775808', false],
    ['Decimal', null, '-12.50', true],
    ['Decimal', null, 'NaN', false],
    ['DateTime', null, '2026-01-01T00:00:00.000Z', true],
    ['DateTime', 'Timestamptz', 'yesterday', false],
    ['DateTime', null, '2026-99-01', false],
  ])('of type %s (%s) looks %j up: %s', (type, native, value, isPossible) => {
    expect(encode(type, native, value)).toBe(isPossible ? String(value) : null)
  })

  it('of a type that has no text is refused', () => {
    expect(() => entityKey('Thing', shapeOf('Bytes'), spotOf('m', 'entity'))).toThrow(/the key "id" is of type Bytes/)
    expect(() => entityKey('Thing', { ...shapeOf('Int'), key: [] }, spotOf('m', 'entity'))).toThrow(/Thing has no key/)
  })
})

describe('a key of four columns, one a moment and one an enum', () => {
  let database: Database
  let client: LearningClient
  beforeAll(async () => {
    database = await openTestDatabase()
    client = learningClient(database)
    await database.query(`
      INSERT INTO learning."Learner" VALUES ('l', 'Lea', NULL, NULL, NULL, '2026-01-01Z');
      INSERT INTO learning."Course" VALUES ('c', 'C', 'Course');
      INSERT INTO learning."Presentation" VALUES ('p', 'c', '1', '2026-01-01Z', '2026-03-01Z');
      INSERT INTO learning."Activity" VALUES ('l', 'p', '2026-02-01Z', 'QUIZ', 3), ('l', 'p', '2026-02-01Z', 'FORUM', 4),
        ('l', 'p', '2026-02-02Z', 'FORUM', 5)`)
  })
  afterAll(() => database.close())

  it('comes back from candidates as read takes it', async () => {
    const model = defineModel({
      name: 'returns',
      entity: 'Activity',
      question: 'Will the learner come back?',
      features: (f) => ({
        clicks: f.field('clicks', { immutable: true }),
        kind: f.category('kind', { immutable: true }),
      }),
      eligible: (f) => f.happened('day'),
      label: (f) => f.happens('day', { within: { days: 1 } }),
      snapshots: { every: { days: 1 }, from: 'day' },
      bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
    })
    expect(model.key).toEqual(['learnerId', 'presentationId', 'day', 'kind'])
    const asOf = new Date('2026-02-01T12:00:00Z')
    const first = await model.candidates!(client, { asOf, limit: 1 })
    const second = await model.candidates!(client, { asOf, limit: 5, after: first[0]! })
    const keys = [...first, ...second]
    expect(keys).toHaveLength(2)
    expect(keys[0]).toMatchObject({ learnerId: 'l', presentationId: 'p', day: '2026-02-01T00:00:00.000Z' })
    const rows = await model.read(
      client,
      keys.map((key) => ({ key, asOf })),
    )
    expect(rows.map(({ eligible }) => eligible)).toEqual([true, true])
    expect(rows.map(({ values }) => values)).toEqual(
      expect.arrayContaining([
        [3, 'QUIZ'],
        [4, 'FORUM'],
      ]),
    )
  })

  it('of any text is found among many and among few', async () => {
    const { churn } = await import('../../models/churn.ts')
    const odd = ['"', '\\', '\\"', 'a,b', '{}', 'NULL', ' ', 'é\u2028', 'line\nbreak']
    for (const id of odd)
      await database.query(
        `INSERT INTO learning."Learner" (id, name, "joinedAt", tenant) VALUES ($1, 'odd', '2026-01-01Z', $1)`,
        [id],
      )
    const asOf = new Date('2026-02-01T00:00:00Z')
    const joined = churn.features.findIndex(({ name }) => name === 'daysSinceJoined')
    for (const others of [0, 1000]) {
      const keys = [...odd, 'not\0possible', ...Array.from({ length: others }, (_, at) => `nobody ${at}`)].map(
        (id) => ({ id }),
      )
      const rows = await churn.read(
        client,
        keys.map((key) => ({ key, asOf })),
      )
      const wanted = keys.map((_, at) => (at < odd.length ? 31 : null))
      expect(rows.map(({ values }) => values[joined])).toEqual(wanted)
      expect(await churn.tenants!(client, keys)).toEqual(keys.map(({ id }, at) => (at < odd.length ? id : null)))
    }
  })

  it('is refused when a field is missing or the moment is no date', async () => {
    const { churn } = await import('../../models/churn.ts')
    const asOf = new Date('2026-02-01')
    await expect(churn.read(client, [{ key: { name: 'l' }, asOf }])).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: 'A key of Learner lacks "id".',
    })
    for (const moment of [new Date(Number.NaN), new Date(8.64e15)])
      await expect(churn.read(client, [{ key: { id: 'l' }, asOf: moment }])).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
      })
  })

  it('names the model when the database is gone, and may be retried', async () => {
    const { churn } = await import('../../models/churn.ts')
    const gone = { $queryRawUnsafe: () => Promise.reject(new Error('Connection terminated')) }
    await expect(churn.read(gone, [{ key: { id: 'l' }, asOf: new Date() }])).rejects.toMatchObject({
      code: 'FEATURE_READ_FAILED',
      retryable: true,
      message: expect.stringContaining('"churn"'),
    })
  })

  it('names the feature whose function threw or answered something else', async () => {
    const withFunction = (compute: () => unknown) =>
      defineModel({
        name: 'computed',
        entity: 'Learner',
        question: 'Does its function hold?',
        features: (f) => ({ name: f.from({ name: true }, compute as () => number, { immutable: true }) }),
        label: (f) => f.happens('cancellations.at', { within: { days: 1 } }),
        snapshots: { every: { days: 1 }, from: 'joinedAt' },
        bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
      })
    const pairs = [{ key: { id: 'l' }, asOf: new Date('2026-02-01') }]
    const throws = withFunction(() => {
      throw new TypeError('no')
    })
    await expect(throws.read(client, pairs)).rejects.toMatchObject({
      message: expect.stringMatching(/feature "name": its function threw/),
    })
    await expect(withFunction(() => 'text').read(client, pairs)).rejects.toMatchObject({
      message: expect.stringMatching(/feature "name" is no number/),
    })
    const [row] = await withFunction(() => undefined).read(client, pairs)
    expect(row).toEqual({ eligible: true, values: [null] })
    // Nobody is nothing to compute about.
    const [nobody] = await throws
      .read(client, [{ key: { id: 'nobody' }, asOf: new Date('2026-02-01') }])
      .catch(() => ['threw'])
    expect(nobody).toEqual({ eligible: false, values: [null] })
  })
})
