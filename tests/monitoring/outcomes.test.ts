import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createOutcomeStore } from '../../ml/outcomes/store.ts'
import {
  admin,
  type MonitoringStand,
  now,
  openMonitoringStand,
  outcomeOf,
  pupil,
  RECORD,
  range,
  stranger,
} from './stand.ts'

describe('outcomes of what was served', () => {
  let stand: MonitoringStand
  beforeAll(async () => {
    stand = await openMonitoringStand({}, { caps: { perHour: 30, weighedPerDay: 5 } })
  })
  afterAll(() => stand.close())
  // biome-ignore lint/suspicious/noExplicitAny: a row as it is stored
  const rows = async (where = 'true'): Promise<any[]> =>
    (await stand.database.query(`SELECT * FROM inkling."Prediction" WHERE ${where} ORDER BY id`)).rows
  const sums = async () =>
    (
      await stand.database.query<{ labelled: number; positives: number; served: number }>(
        `SELECT tenant, sum((SELECT sum(n) FROM unnest(served) n)) AS served, sum((SELECT sum(n) FROM unnest(labelled) n)) AS labelled,
           sum((SELECT sum(n) FROM unnest(positives) n)) AS positives FROM inkling."PredictionSketch" WHERE slice = '' GROUP BY tenant ORDER BY tenant`,
      )
    ).rows

  it('remembers each prediction once, whatever asked for it, without the raw features', async () => {
    const served = await stand.serve(range(1, 20))
    const remembered = await rows()
    expect(remembered).toHaveLength(20)
    for (const row of remembered) {
      expect(row).toMatchObject({
        tenant: 'default',
        model: 'toy',
        versionId: stand.ids[0],
        source: 'MODEL',
        values: null,
      })
      expect(row.asOf).toEqual(now)
      expect(row.probability).toBeCloseTo(served.get(Number(JSON.parse(row.key)[0]))!, 6)
      expect(row.bins).toHaveLength(2)
    }
    // Toy 7 has no x, toy 10 no colour.
    expect(remembered[6]!.bins[0]).toBe(-1)
    expect(remembered[9]!.bins[1]).toBe(-1)
  })

  it('does not remember questions about the past, nor whom the question is not about', async () => {
    await stand.ask(
      `{ _entities(representations: [{ __typename: "Toy", id: "3" }]) { ... on Toy { toy(asOf: "2026-03-01T00:00:00Z") { probability } } } }`,
    )
    await stand.serve([9_000_001])
    expect(await rows()).toHaveLength(20)
  })

  it('answers the predictions shortly before it, once; another label is a correction that is kept', async () => {
    const first = await stand.ask(RECORD, outcomeOf(1, true))
    expect(first.recordOutcome).toMatchObject({
      isRepeated: false,
      predictions: 1,
      outcome: { label: true, source: 'RECORDED', isCounted: true },
    })
    expect((await sums())[0]).toMatchObject({ served: 20, labelled: 1, positives: 1 })
    const again = await stand.ask(RECORD, outcomeOf(1, true))
    expect(again.recordOutcome).toMatchObject({ isRepeated: true, predictions: 0 })
    const other = await stand.ask(RECORD, outcomeOf(1, false))
    expect(other.recordOutcome.outcome).toMatchObject({
      label: false,
      revisions: [
        { revision: 1, label: true, recordedBy: 'ada' },
        { revision: 2, label: false, recordedBy: 'ada' },
      ],
    })
    expect((await sums())[0]).toMatchObject({ labelled: 1, positives: 0 })
    const store = createOutcomeStore(stand.database)
    expect(await store.outcomesOf({ model: stand.model, since: new Date(0) })).toEqual([
      { versionId: stand.ids[0], key: { id: '1' }, label: 0, at: now, probability: expect.any(Number) },
    ])
  })

  it('gives the nearest outcome to a prediction, and none that is too old', async () => {
    const earlier = new Date(now.getTime() - 40 * 86_400_000)
    await stand.serve([30], earlier)
    await stand.serve([30])
    expect((await stand.ask(RECORD, outcomeOf(30, true))).recordOutcome.predictions).toBe(1)
    const near = new Date(earlier.getTime() + 86_400_000)
    expect((await stand.ask(RECORD, outcomeOf(30, false, near))).recordOutcome.predictions).toBe(1)
    const labels = (await rows(`key = '["30"]'`)).map(({ label }) => label)
    expect(labels).toEqual([0, 1])
  })

  it('refuses what is not known yet, a foreign key, an unknown model and who may not write', async () => {
    const code = async (input: object, as = admin) => (await stand.ask(RECORD, input, as)).recordOutcome.code
    expect(await code(outcomeOf(2, true, new Date(now.getTime() + 1000)))).toBe('BAD_USER_INPUT')
    expect(await code({ input: { model: 'toy', key: [{ field: '__proto__', value: 'x' }], label: true } })).toBe(
      'BAD_USER_INPUT',
    )
    expect(await code({ input: { model: 'none', key: [{ field: 'id', value: '1' }], label: true } })).toBe(
      'MODEL_UNKNOWN',
    )
    await expect(stand.ask(RECORD, outcomeOf(2, true), { ...pupil, scopes: [] })).rejects.toThrow('predictions:write')
  })

  it("leaves another tenant's predictions alone", async () => {
    expect((await stand.ask(RECORD, outcomeOf(2, true), stranger)).recordOutcome.predictions).toBe(0)
    const list = 'query ($model: String!) { outcomes(model: $model) { nodes { key { value } label } } }'
    expect((await stand.ask(list, { model: 'toy' }, stranger)).outcomes.nodes).toEqual([
      { key: [{ value: '2' }], label: true },
    ])
    expect(
      (await stand.ask(list, { model: 'toy' })).outcomes.nodes.map(
        ({ key }: { key: [{ value: string }] }) => key[0].value,
      ),
    ).toEqual(['30', '30', '1'])
  })

  it('row 46: lets one viewer say so much an hour, and of that count so much a day', async () => {
    await stand.serve(range(100, 40))
    const [before] = await sums()
    const answers = []
    for (const id of range(100, 35))
      answers.push((await stand.ask(RECORD, outcomeOf(id, id % 2 === 0), pupil)).recordOutcome)
    expect(answers.filter(({ outcome }) => outcome?.isCounted)).toHaveLength(5)
    expect(answers.filter(({ outcome }) => outcome && !outcome.isCounted)).toHaveLength(25)
    expect(answers.filter(({ code }) => code === 'RATE_LIMITED')).toHaveLength(5)
    expect((await sums())[0]!.labelled - before!.labelled).toBe(5)
    const { toy } = await stand.monitor()
    expect(toy!.events).toContain('OPENED FEEDBACK')
  })

  it('derives outcomes from the rows once they are due, and rows win over what was recorded', async () => {
    // The toys' own labels look from the minutes after New Year.
    const early = new Date('2026-01-01T00:00:00Z')
    await stand.serve(range(200, 10), early)
    await stand.ask(RECORD, outcomeOf(200, true, new Date('2026-01-03T00:00:00Z')))
    const nearer = new Date(early.getTime() + 60_000)
    const {
      rows: [known],
    } = await stand.database.query<{ y: number }>('SELECT y FROM toy WHERE id = 205')
    await stand.ask(RECORD, outcomeOf(205, known!.y === 0, nearer)) // nearer than the rows' own, and wrong
    expect((await stand.monitor()).toy!.labelled).toBe(10)
    const truth = await stand.database.query<{ id: number; y: number }>(
      'SELECT id, y FROM toy WHERE id BETWEEN 200 AND 209',
    )
    for (const { id, y } of truth.rows) {
      const [row] = await rows(`key = '["${id}"]' AND "asOf" = '${early.toISOString()}'`)
      expect(row).toMatchObject({ label: y, weight: 1 })
    }
    expect((await stand.monitor()).toy!.labelled).toBe(0)
    const conflict = await stand.ask(
      RECORD,
      outcomeOf(201, truth.rows[1]!.y === 0, new Date(early.getTime() + 201 * 60_000)),
    )
    expect(conflict.recordOutcome.code).toBe('OUTCOME_DERIVED')
  })

  it('keeps sums that are exactly those of the rows', async () => {
    const counted = await rows(`tenant = 'default' AND label IS NOT NULL AND weight > 0`)
    const [sum] = await sums()
    expect(sum).toMatchObject({
      labelled: counted.length,
      positives: counted.filter(({ label }) => label === 1).length,
    })
    expect(sum!.served).toBe((await rows(`tenant = 'default'`)).length)
  })
})
