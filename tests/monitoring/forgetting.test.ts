import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyValues } from '../../ml/define.ts'
import type { People } from '../../ml/people/forgetting.ts'
import { createTrainedKeys, hasTrainedKey } from '../../ml/people/trained-keys.ts'
import { createScoreStore } from '../../ml/scores/store.ts'
import { admin, type MonitoringStand, now, openMonitoringStand, outcomeOf, RECORD, stranger } from './stand.ts'

const owners: People = {
  entity: 'Toy',
  key: ['id'],
  async traces(db, { id }, tenant) {
    if (tenant !== 'default') return null
    const found = await db.$queryRawUnsafe<object[]>('SELECT 1 FROM toy WHERE id = $1', Number(id))
    return found.length > 0 ? [{ model: 'toy', key: { id: String(id) } }] : null
  },
  async remove(db, { id }) {
    if (Number(id) === 13) throw new Error('cannot be removed')
    await db.$queryRawUnsafe('DELETE FROM toy WHERE id = $1', Number(id))
  },
}
const FORGET = `mutation ($id: String!) { forgetPerson(input: { entity: "Toy", key: [{ field: "id", value: $id }] }) {
  ... on ForgetPersonPayload { scores predictions outcomes versions { number forgottenPeople } } ... on Error { code } } }`

describe('removing a person', () => {
  let stand: MonitoringStand
  beforeAll(async () => {
    stand = await openMonitoringStand({}, { people: [owners] })
    const batch = { model: 'toy', version: { id: stand.ids[0]!, number: 1 }, asOf: now, scoredAt: now }
    const keys: KeyValues[] = [{ id: 5 }, { id: 6 }, { id: 13 }]
    await createScoreStore(stand.database).write({
      ...batch,
      keys,
      probability: [0.1, 0.2, 0.3],
      low: [0, 0, 0],
      high: [1, 1, 1],
    })
    await stand.serve([5, 6, 13])
    for (const id of [5, 6, 13]) await stand.ask(RECORD, outcomeOf(id, true))
  })
  afterAll(() => stand.close())
  const left = async (id: number) => {
    const counts: Record<string, number> = {}
    for (const table of ['Score', 'ScoreHistory', 'Prediction', 'Outcome', 'OutcomeRevision'])
      counts[table] = (
        await stand.database.query<{ n: number }>(`SELECT count(*)::int AS n FROM inkling."${table}" WHERE key = $1`, [
          `["${id}"]`,
        ])
      ).rows[0]!.n
    return counts
  }

  it('takes scores, predictions and outcomes away with the rows, and flags what learned from them', async () => {
    const { forgetPerson } = await stand.ask(FORGET, { id: '5' })
    expect(forgetPerson).toEqual({
      scores: 2,
      predictions: 1,
      outcomes: 1,
      versions: [{ number: 1, forgottenPeople: 1 }],
    })
    expect(Object.values(await left(5))).toEqual([0, 0, 0, 0, 0])
    expect(Object.values(await left(6))).toEqual([1, 1, 1, 1, 1])
    expect((await stand.database.query('SELECT 1 FROM toy WHERE id = 5')).rows).toEqual([])
    expect((await stand.ask(FORGET, { id: '5' })).forgetPerson).toEqual({ code: 'NOT_FOUND' })
  })

  it('is all or nothing', async () => {
    await expect(stand.ask(FORGET, { id: '13' })).rejects.toThrow('cannot be removed')
    expect(Object.values(await left(13))).toEqual([1, 1, 1, 1, 1])
  })

  it("refuses another tenant's person, who may not, and what is no person", async () => {
    expect((await stand.ask(FORGET, { id: '6' }, stranger)).forgetPerson).toEqual({ code: 'NOT_FOUND' })
    await expect(stand.ask(FORGET, { id: '6' }, { ...admin, scopes: ['models:promote'] })).rejects.toThrow(
      'people:delete',
    )
    const other = FORGET.replace('"Toy"', '"Course"')
    expect((await stand.ask(other, { id: '6' })).forgetPerson).toEqual({ code: 'BAD_USER_INPUT' })
  })

  it('lets nothing come back that another process still held', async () => {
    const loader = stand.loader({
      now,
      served: (batch) =>
        stand.predictionLog.record({
          ...batch,
          model: stand.model,
          tenant: 'default',
          asOf: now,
          servedAt: new Date(),
        }),
    })
    await loader.load({ key: { id: '20' }, asOf: now })
    // Removed elsewhere: this process's buffer was not written first.
    const { bury } = await import('../../ml/people/tombstones.ts')
    await bury(stand.database, 'default', 'toy', { id: '20' })
    await stand.predictionLog.flush()
    expect((await left(20)).Prediction).toBe(0)
  })

  it('recognises whole keys and parts of keys that a version learned from', async () => {
    const keys = createTrainedKeys()
    for (let learner = 0; learner < 500; learner++)
      keys.add({ learnerId: `l${learner}`, objectiveId: `o${learner % 7}` })
    const bytes = await keys.finish()
    expect(bytes.length).toBe(8 * (500 + 500 + 7))
    expect(hasTrainedKey(bytes, { learnerId: 'l499' })).toBe(true)
    expect(hasTrainedKey(bytes, { objectiveId: 'o3', learnerId: 'l10' })).toBe(true)
    expect(hasTrainedKey(bytes, { learnerId: 'l500' })).toBe(false)
    expect(hasTrainedKey(bytes, { learnerId: 'l10', objectiveId: 'o4' })).toBe(false)
  })
})
