import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindKit, type Model } from '../../ml/define.ts'
import { keepRetrainSchedules } from '../../ml/retraining.ts'
import { admin, type MonitoringStand, now, openMonitoringStand, outcomeOf, RECORD, range } from './stand.ts'

const DAY_MS = 86_400_000
const rented = new Date('2026-03-01T00:00:00Z')

const column = (name: string, type: string) => ({ column: name, type, kind: 'scalar', list: false, native: null })
const rows = (table: string) => ({
  table,
  schema: 'public',
  key: ['id'],
  columns: {
    id: column('id', 'Int'),
    toy: column('toy', 'Int'),
    at: column('at', 'DateTime'),
    until: column('until', 'DateTime'),
  },
  relations: {},
})
const ofToy = (model: string) => ({ model, list: true, from: ['id'], to: ['toy'] })
const datamodel = {
  Toy: {
    table: 'toy',
    schema: 'public',
    key: ['id'],
    columns: { id: column('id', 'Int') },
    relations: { rentals: ofToy('Rental'), breakages: ofToy('Breakage') },
  },
  Rental: rows('rental'),
  Breakage: rows('breakage'),
}

// biome-ignore lint/suspicious/noExplicitAny: the types of a generated client are tested elsewhere
const kit = bindKit<any>(datamodel as never)({
  name: 'toy',
  entity: 'Toy',
  question: 'Will this toy break within 30 days?',
  // biome-ignore lint/suspicious/noExplicitAny: as above
  features: (f: any) => ({ breakages: f.count('breakages', { at: 'at', says: 'It broke before' }) }),
  // biome-ignore lint/suspicious/noExplicitAny: as above
  eligible: (f: any) => f.holds('rentals', { validFrom: 'at', validTo: 'until' }),
  // biome-ignore lint/suspicious/noExplicitAny: as above
  label: (f: any) => f.happens('breakages.at', { within: { days: 30 } }),
  snapshots: { every: { days: 30 } },
  bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
} as never) as Model

describe('retraining', () => {
  let stand: MonitoringStand
  beforeAll(async () => {
    stand = await openMonitoringStand({
      labelsAt: kit.labelsAt!,
      labelWindowMs: kit.labelWindowMs!,
      slices: ['colour'],
      gates: { auc: { champion: { atLeast: 0.2 } } }, // the same rows again give nothing that is so much better
      retrain: { every: false, onOutcomes: 30 },
    })
    await stand.database.query('CREATE TABLE rental (id serial, toy int, at timestamp, until timestamp)')
    await stand.database.query('CREATE TABLE breakage (id serial, toy int, at timestamp, until timestamp)')
    await stand.database.query(`INSERT INTO rental (toy, at) SELECT i, $1::timestamp FROM generate_series(1, 30) i`, [
      rented,
    ])
  })
  afterAll(() => stand.close())

  const breaks = (ids: readonly number[], days: number) =>
    stand.database.query('INSERT INTO breakage (toy, at) SELECT unnest($1::int[]), $2::timestamp', [
      ids,
      new Date(rented.getTime() + days * DAY_MS),
    ])
  async function labels(at: Date): Promise<(number | null)[]> {
    const { rows } = await stand.database.query<{ label: number | null }>(
      `SELECT label FROM inkling."Prediction" WHERE "asOf" = $1 ORDER BY (key::jsonb ->> 0)::int`,
      [at],
    )
    return rows.map(({ label }) => label)
  }

  it("learns what became of a prediction from the model's own labels once they are due, each prediction by its own moment", async () => {
    await breaks(range(1, 10), 20)
    await breaks(range(11, 10), 40) // later than the question asks about
    await stand.serve(range(1, 40), rented)
    await stand.serve(range(1, 10), new Date(now.getTime() - 10 * DAY_MS))
    await stand.ask(RECORD, outcomeOf(1, false, rented), admin, rented) // about the very moment, and wrong
    await stand.ask(RECORD, outcomeOf(2, false, new Date(rented.getTime() + DAY_MS)))
    const { toy } = await stand.monitor()
    expect(toy!.labelled).toBe(30)
    const expected = range(1, 40).map((id) => (id > 30 ? null : id <= 10 ? 1 : 0))
    expect(await labels(rented)).toEqual(expected)
    expect(await labels(new Date(now.getTime() - 10 * DAY_MS))).toEqual(new Array(10).fill(null))
    const revised = await stand.database.query(
      `SELECT label, source FROM inkling."OutcomeRevision" WHERE key = '["1"]' ORDER BY revision`,
    )
    expect(revised.rows).toEqual([
      { label: 0, source: 'RECORDED' },
      { label: 1, source: 'DERIVED' },
    ])
    expect((await stand.monitor()).toy!.labelled).toBe(0)
  })

  it('counts outcomes by slice, and the slices add up to the whole', async () => {
    const { model } = await stand.ask(
      `{ model(name: "toy") { performance(window: DAY, by: [SLICE], from: "2026-03-01T00:00:00Z", to: "2026-03-02T00:00:00Z") {
         nodes { slice served labelled positives isEnough accuracy } } } }`,
    )
    const { nodes } = model.performance
    const colourOf = (id: number) => (id % 10 === 0 ? '(missing)' : ['red', 'green', 'blue'][id % 3])
    const counted = Map.groupBy(range(1, 40), (id) => `colour=${colourOf(id)}`)
    expect(nodes).toHaveLength(1 + counted.size)
    expect(nodes).toContainEqual(expect.objectContaining({ slice: null, served: 40, labelled: 30, positives: 10 }))
    for (const [slice, ids] of counted)
      expect(nodes).toContainEqual({
        slice,
        served: ids.length,
        labelled: ids.filter((id) => id <= 30).length,
        positives: ids.filter((id) => id <= 10).length,
        isEnough: false, // a dozen rows say nothing, and nothing is said
        accuracy: null,
      })
  })

  it('starts one training for so many outcomes, through the gate, and counts anew from there', async () => {
    const { rows } = await stand.database.query<{ id: string }>(`SELECT id FROM inkling."Job" WHERE kind = 'train'`)
    expect(rows).toHaveLength(1) // by the first look: 30 outcomes had become known
    const job = await stand.jobs.ended(rows[0]!.id)
    expect(job).toMatchObject({ state: 'SUCCEEDED', input: { model: 'toy', promote: 'if-better' } })
    const [run] = await stand.registry.runs.list('training', 'toy', 1)
    expect(run).toMatchObject({
      state: 'SUCCEEDED',
      report: { promoted: false, why: 'it failed a gate' },
    })
    expect((await stand.monitor()).toy!.retrainings).toEqual([])
  })

  const viewer = { id: 'system', tenant: 'default', scopes: [] }
  const keep = (...models: Partial<Model>[]) =>
    keepRetrainSchedules({
      ...stand,
      viewer,
      seed: 7,
      models: models.map((change) => ({ ...stand.model, retrain: {}, ...change })),
    })
  const schedules = async () =>
    (await stand.jobs.schedules.list({ viewer })).schedules.map(
      ({ name, expression, timeZone, missed, overlap, isPaused }) => [
        name,
        expression,
        timeZone,
        missed,
        overlap,
        isPaused,
      ],
    )

  it('is weekly unless the model file says otherwise, and follows the file when it changes', async () => {
    const berlin = { name: 'berlin', retrain: { every: '30 2 * * *', timeZone: 'Europe/Berlin' } }
    await Promise.all([keep({}, berlin, { name: 'never', retrain: false }), keep({}, berlin)]) // two processes start at once
    const weekly = ['retrain toy', '0 3 * * 1', 'UTC', 'ONCE', 'SKIP', false]
    const daily = ['retrain berlin', '30 2 * * *', 'Europe/Berlin', 'ONCE', 'SKIP', false]
    expect((await schedules()).sort()).toEqual([daily, weekly])
    // 02:30 in Berlin is half past one by UTC in winter, half past midnight in summer, and comes once when the clocks go back
    const next = stand.jobs.schedules.preview(
      { expression: '30 2 * * *', timeZone: 'Europe/Berlin' },
      new Date('2026-10-24T12:00:00Z'),
      2,
    )
    expect(next.map((at) => at.toISOString())).toEqual(['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'])
    const [first] = (await stand.jobs.schedules.list({ viewer })).schedules.filter(
      ({ name }) => name === 'retrain berlin',
    )
    await stand.jobs.schedules.pause(first!.id, viewer)
    await keep({}, { ...berlin, retrain: { ...berlin.retrain, every: '30 4 * * *' } })
    expect(await schedules()).toContainEqual(['retrain berlin', '30 4 * * *', 'Europe/Berlin', 'ONCE', 'SKIP', true])
    await keep({}, { ...berlin, retrain: { every: false } })
    expect(await schedules()).toEqual([weekly])
  })

  it('makes many missed runs good by one, whose report says why the champion stays', async () => {
    const { database, registry, jobs } = stand
    await database.query(
      `UPDATE inkling."JobSchedule" SET "nextAt" = date_trunc('week', now()) - interval '25 days' + interval '3 hours'`,
    )
    const ids = async () =>
      (await database.query<{ id: string }>(`SELECT id FROM inkling."Job" WHERE "scheduleId" IS NOT NULL`)).rows
    await expect.poll(ids, { timeout: 5000, interval: 50 }).toHaveLength(1)
    const [job] = await ids()
    expect(await jobs.ended(job!.id)).toMatchObject({ state: 'SUCCEEDED', kind: 'train' })
    const [run] = await registry.runs.list('training', 'toy', 1)
    expect(run).toMatchObject({
      jobId: job!.id,
      report: { promoted: false, why: 'it failed a gate', reasons: [expect.stringContaining('than the champion')] },
    })
    expect(await ids()).toHaveLength(1)
    const [schedule] = (await jobs.schedules.list({ viewer })).schedules
    expect(schedule!.nextAt!.getTime()).toBeGreaterThan(Date.now())
    expect((await registry.moves('model', 'toy')).at(-1)!.toId).toBe(stand.ids[0])
  })
})
