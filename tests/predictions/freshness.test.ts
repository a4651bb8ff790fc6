import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { unwatchChanges, watchChanges } from '../../ml/scores/changes.ts'
import { createScoreStore, type ScoreBatch } from '../../ml/scores/store.ts'
import { admin, type MonitoringStand, now, openMonitoringStand, stranger } from '../monitoring/stand.ts'

const MINUTE = 60_000
const ownerOf = (id: number) => (id < 1000 ? 'default' : 'elsewhere')
/** Entities that have another owner than when they were scored. */
const moved = new Map<number, string>()
const ago = (minutes: number, from = new Date()) => new Date(from.getTime() - minutes * MINUTE)

describe('a model file with freshFor', () => {
  let stand: MonitoringStand
  beforeAll(async () => {
    stand = await openMonitoringStand({
      freshForMs: 15 * MINUTE,
      tenants: async (_client, keys) => keys.map(({ id }) => moved.get(Number(id)) ?? ownerOf(Number(id))),
    })
  })
  afterAll(() => stand.close())
  beforeEach(async () => {
    await stand.database.query('DELETE FROM inkling."Score"')
    stand.client.statements = 0
  })

  const store = (ids: readonly number[], change: Partial<ScoreBatch> = {}) =>
    createScoreStore(stand.database).write({
      model: 'toy',
      version: { id: stand.ids[0]!, number: 1 },
      asOf: ago(5, now),
      scoredAt: ago(5),
      keys: ids.map((id) => ({ id })),
      tenants: ids.map(ownerOf),
      probability: ids.map(() => 0.125),
      low: ids.map(() => 0.1),
      high: ids.map(() => 0.2),
      ...change,
    })

  interface Toy {
    toy: { source: string; probability: number; scoredAt: string | null; asOf: string } | null
    toyProbability: number | null
    toyUnavailable: { code: string } | null
  }
  async function ask(ids: readonly number[], fields = PLAIN, as = admin): Promise<Toy[]> {
    const representations = ids.map((id) => ({ __typename: 'Toy', id: String(id) }))
    const { _entities } = await stand.ask(
      `query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Toy { ${fields} } } }`,
      { representations },
      as,
    )
    return _entities
  }
  const PLAIN = 'toyProbability toy { source probability scoredAt asOf } toyUnavailable { code }'
  const sources = async (ids: readonly number[], fields = PLAIN) =>
    (await ask(ids, fields)).map(({ toy }) => toy?.source ?? null)

  it('is answered by a stored score that is young enough, said to be one, and without reading features', async () => {
    await store([1, 2])
    const [one, two] = await ask([1, 2])
    expect(one).toMatchObject({
      toyProbability: 0.125,
      toyUnavailable: null,
      toy: { source: 'STORED', probability: 0.125 },
    })
    expect(two!.toy!.asOf).toBe(ago(5, now).toISOString())
    expect(one!.toy!.scoredAt).not.toBeNull()
    expect(stand.client.statements).toBe(0)
    // Whoever has none is computed, from one read for all of them.
    expect(await sources([1, 3, 2, 4, 5])).toEqual(['STORED', 'MODEL', 'STORED', 'MODEL', 'MODEL'])
    expect(stand.client.statements).toBe(1)
  })

  it('computes what is too old by either clock, what another version said, and what looks from later', async () => {
    await store([1], { scoredAt: ago(16) })
    await store([2], { asOf: ago(16, now) })
    await store([3], { version: { id: '00000000-0000-0000-0000-000000000000', number: 7 } })
    await store([4], { asOf: new Date(now.getTime() + 1) })
    await store([5], { asOf: ago(14, now), scoredAt: ago(14) })
    expect(await sources([1, 2, 3, 4, 5])).toEqual(['MODEL', 'MODEL', 'MODEL', 'MODEL', 'STORED'])
  })

  it('computes whose rows changed since, from the moment that the change is there', async () => {
    const watches = [{ schema: 'public', table: 'toy', model: 'toy', key: { id: 'id' } }]
    await watchChanges(stand.database, watches)
    await store([1, 2, 3])
    await stand.database.query('UPDATE toy SET x = x WHERE id = 2')
    expect(await sources([1, 2, 3])).toEqual(['STORED', 'MODEL', 'STORED'])
    await stand.database.query('DELETE FROM inkling."ScoreChange"')
    expect(await sources([1, 2, 3])).toEqual(['STORED', 'STORED', 'STORED'])
    await unwatchChanges(stand.database, watches)
  })

  it('computes for reasons and the like, and then for every field beside them', async () => {
    await store([1, 2])
    const whole = `a: toyProbability b: toy { ...Deep } toy { source }`
    const [one] = await stand
      .ask(
        `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Toy { ${whole} } } } fragment Deep on Prediction { ... { source probability reasons { feature } } }`,
        { r: [{ __typename: 'Toy', id: '1' }] },
      )
      .then(({ _entities }) => _entities)
    expect(one.b.reasons).toHaveLength(2)
    expect([one.b.source, one.toy.source]).toEqual(['MODEL', 'MODEL'])
    expect(one.a).toBe(one.b.probability)
    for (const field of ['quality { missing }', 'whatIf(goal: LOWER, to: 0) { newProbability }', 'baseLogOdds'])
      expect(await sources([2], `toy { source ${field} }`)).toEqual(['MODEL'])
    expect(await sources([2], 'toy { source riskLevel confidence trend { scores } modelVersion { number } }')).toEqual([
      'STORED',
    ])
  })

  it('computes about another moment, and gives no stored score about the entity of another tenant', async () => {
    await store([1, 1001])
    expect(await sources([1], `toy(asOf: "${ago(1, now).toISOString()}") { source }`)).toEqual(['MODEL'])
    expect(await ask([1001])).toMatchObject([{ toy: null, toyUnavailable: { code: 'NOT_APPLICABLE' } }])
    expect(await ask([1, 1001], PLAIN, stranger)).toMatchObject([{ toy: null }, { toyProbability: 0.125 }])
  })

  it('gives nobody the score of an entity that has moved to another tenant', async () => {
    await store([1, 1001])
    moved.set(1, 'elsewhere').set(1001, 'default')
    expect(await ask([1, 1001])).toMatchObject([{ toy: null }, { toy: { source: 'MODEL' } }])
    expect(await ask([1, 1001], PLAIN, stranger)).toMatchObject([{ toy: { source: 'MODEL' } }, { toy: null }])
    moved.clear()
  })

  it('computes everybody where too many changes are noted to look through', async () => {
    await store([1, 2])
    const note = (id: number, times: number) =>
      stand.database.query(
        `INSERT INTO inkling."ScoreChange" (model, fields, key) SELECT 'toy', 'id', $1 FROM generate_series(1, $2)`,
        [JSON.stringify([String(id)]), times],
      )
    await note(2, 5000)
    expect(await sources([1, 2])).toEqual(['STORED', 'MODEL'])
    await note(1, 1)
    expect(await sources([1, 2])).toEqual(['MODEL', 'MODEL'])
    await stand.database.query('DELETE FROM inkling."ScoreChange"')
  })

  it('remembers what was served so as what the version served', async () => {
    await stand.predictionLog.flush()
    const count = async () => {
      const { rows } = await stand.database.query<{ source: string; n: number; bins: number }>(
        `SELECT source, count(*)::int AS n, max(cardinality(bins))::int AS bins FROM inkling."Prediction" WHERE key = '["77"]'
         GROUP BY source`,
      )
      const { rows: sums } = await stand.database.query<{ answered: number }>(
        'SELECT sum(answered)::int AS answered FROM inkling."PredictionSketch" WHERE slice = \'\'',
      )
      return { rows, answered: sums[0]!.answered }
    }
    const before = await count()
    await store([77])
    await ask([77])
    await stand.predictionLog.flush()
    const after = await count()
    expect(after.rows).toEqual([{ source: 'STORED', n: 1, bins: 0 }])
    expect(after.answered).toBe(before.answered + 1)
  })
})
