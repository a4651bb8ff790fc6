import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bindKit, type Model, type Pair, type SqlClient } from '../../ml/define.ts'
import { learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import {
  createChance,
  DAY,
  drawGym,
  type Gym,
  type GymTypes,
  gym,
  type Membership,
  START,
  type Visit,
  writeGym,
} from './gym.ts'

const defineModel = bindKit<GymTypes>(gym)

/** plain: without a function, so that everything is read as SQL values. */
const modelOf = (plain: boolean) =>
  defineModel({
    name: 'leaves',
    entity: 'Membership',
    question: 'Will this member leave within 20 days?',
    group: 'clubId',
    features: (f) => ({
      hometown: f.category('hometown', { immutable: true }),
      height: f.field('height', { immutable: true }),
      isStudent: f.field('isStudent', { immutable: true }),
      city: f.category('club.city', { immutable: true }),
      heightOnceOpen: f.field('height', { immutable: true, knownFrom: 'club.opensAt' }),
      age: f.daysSince('bornAt', { immutable: true }),
      untilOpening: f.daysUntil('club.opensAt', { immutable: true }),
      sinceOpening: f.daysSince('club.opensAt', { immutable: true }),
      visits: f.count('visits', { at: 'at' }),
      visits10d: f.count('visits', { at: 'at', days: 10 }),
      swims30d: f.count('visits', { at: 'at', days: 30, where: { kind: 'SWIM' } }),
      hostile: f.count('visits', { at: 'at', where: { kind: "RUN'; --" } }),
      drySports: f.count('visits', { at: 'at', where: { kind: { in: ['LIFT', "RUN'; --"] }, isGuest: false } }),
      long: f.count('visits', { at: 'at', where: { minutes: { gt: 30, lte: 90 }, price: { gte: 10, lt: 40.5 } } }),
      untimed: f.count('visits', { at: 'at', where: { minutes: null } }),
      timed: f.count('visits', { at: 'at', where: { minutes: { not: null } } }),
      noSwims: f.count('visits', { at: 'at', where: { kind: { not: 'SWIM' } } }),
      afterMarch: f.count('visits', { at: 'at', where: { at: { gte: new Date(START + 60 * DAY) } } }),
      settled: f.count('visits', { at: 'at', lasts: { days: 2 } }),
      spent: f.sum('visits', 'price', { at: 'at' }),
      spent7d: f.sum('visits', 'price', { at: 'at', days: 7 }),
      meanMinutes: f.avg('visits', 'minutes', { at: 'at', days: 45 }),
      leastSteps: f.min('visits', 'steps', { at: 'at' }),
      mostSteps: f.max('visits', 'steps', { at: 'at', days: 60 }),
      guestShare: f.avg('visits', 'isGuest', { at: 'at' }),
      lastMinutes: f.last('visits', 'minutes', { at: 'at' }),
      lastKind: f.category('visits.kind', { at: 'at' }),
      sinceVisit: f.daysSince('visits', 'at'),
      sinceSwim: f.daysSince('visits', 'at', { where: { kind: 'SWIM' } }),
      sinceSettled: f.daysSince('visits', 'at', { lasts: { days: 2 } }),
      tier: f.category('passes.tier', { validFrom: 'startsAt', validTo: 'endsAt' }),
      fee: f.field('passes.fee', { validFrom: 'startsAt', validTo: 'endsAt' }),
      passes: f.count('passes', { validFrom: 'startsAt', validTo: 'endsAt' }),
      fees: f.sum('passes', 'fee', { validFrom: 'startsAt', validTo: 'endsAt' }),
      clubVisits: f.count('club.visits', { at: 'at', days: 3 }),
      ownOfClub: f.count('club.visits', { at: 'at', days: 9, matching: ['number'] }),
      share: f.ratio(f.count('visits', { at: 'at', days: 10 }), f.count('visits', { at: 'at' })),
      ...(plain
        ? {}
        : {
            summer: f.from(
              { bornAt: true, club: { select: { city: true } } },
              (row) => (row.bornAt ? row.bornAt.getUTCMonth() : null),
              { immutable: true },
            ),
          }),
    }),
    eligible: (f) =>
      f.all(
        f.holds('passes', { validFrom: 'startsAt', validTo: 'endsAt' }),
        f.any(f.happened('visits.at', { days: 90 }), f.matches({ isStudent: true }, { immutable: true })),
        f.not(f.happened('leftAt')),
      ),
    label: (f) => f.happens('leftAt', { within: { days: 20 } }),
    snapshots: { every: { days: 15 } },
    bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
  })
const model = modelOf(false)
const plainModel = modelOf(true)

/** What the model's features are, by looking at every row. */
function bruteForce(world: Gym, member: Membership, asOf: Date) {
  const now = asOf.getTime()
  const own = (row: { clubId: number; number: bigint }) => row.clubId === member.clubId && row.number === member.number
  const club = world.clubs.find(({ id }) => id === member.clubId)!
  const past = world.visits.filter((visit) => visit.at.getTime() <= now)
  const visits = past.filter(own).sort((a, b) => b.at.getTime() - a.at.getTime() || b.id - a.id)
  const within = (days: number) => (visit: Visit) => visit.at.getTime() > now - days * DAY
  const passes = world.passes
    .filter((pass) => own(pass) && pass.startsAt.getTime() <= now && (!pass.endsAt || pass.endsAt.getTime() > now))
    .sort((a, b) => b.startsAt.getTime() - a.startsAt.getTime() || b.id - a.id)
  const cents = (prices: readonly number[]) => prices.reduce((sum, price) => sum + Math.round(price * 100), 0) / 100
  const known = <T>(values: readonly (T | null)[]) => values.filter((value): value is T => value !== null)
  const mean = (values: readonly number[]) => (values.length ? values.reduce((a, b) => a + b) / values.length : null)
  const days = (date: Date | null | undefined) => (date ? (now - date.getTime()) / DAY : null)
  const pairsOf = (count: number | null) => (count === null ? null : Math.floor(count / 2) * 2)
  const steps = known(visits.map((visit) => visit.steps)).map(Number)
  const lateSteps = known(visits.filter(within(60)).map((visit) => visit.steps)).map(Number)
  const isOpen = club.opensAt.getTime() <= now
  return {
    eligible:
      passes.length > 0 &&
      (visits.some(within(90)) || member.isStudent === true) &&
      !(member.leftAt && member.leftAt.getTime() <= now),
    values: {
      hometown: member.hometown,
      height: member.height,
      isStudent: member.isStudent === null ? null : Number(member.isStudent),
      city: club.city,
      heightOnceOpen: isOpen ? member.height : null,
      age: days(member.bornAt),
      untilOpening: -days(club.opensAt)!,
      sinceOpening: isOpen ? days(club.opensAt) : null,
      visits: visits.length,
      visits10d: visits.filter(within(10)).length,
      swims30d: visits.filter(within(30)).filter((v) => v.kind === 'SWIM').length,
      hostile: visits.filter((v) => v.kind === "RUN'; --").length,
      drySports: visits.filter((v) => v.kind !== 'SWIM' && !v.isGuest).length,
      long: visits.filter((v) => v.minutes! > 30 && v.minutes! <= 90 && v.price >= 10 && v.price < 40.5).length,
      untimed: visits.filter((v) => v.minutes === null).length,
      timed: visits.filter((v) => v.minutes !== null).length,
      noSwims: visits.filter((v) => v.kind !== 'SWIM').length,
      afterMarch: visits.filter((v) => v.at.getTime() >= START + 60 * DAY).length,
      settled: visits.filter((v) => v.at.getTime() <= now - 2 * DAY).length,
      spent: cents(visits.map((v) => v.price)),
      spent7d: cents(visits.filter(within(7)).map((v) => v.price)),
      meanMinutes: mean(known(visits.filter(within(45)).map((v) => v.minutes))),
      leastSteps: steps.length ? Math.min(...steps) : null,
      mostSteps: lateSteps.length ? Math.max(...lateSteps) : null,
      guestShare: mean(visits.map((v) => Number(v.isGuest))),
      lastMinutes: visits.find((v) => v.minutes !== null)?.minutes ?? null,
      lastKind: visits[0]?.kind ?? null,
      sinceVisit: days(visits[0]?.at),
      sinceSwim: days(visits.find((v) => v.kind === 'SWIM')?.at),
      sinceSettled: pairsOf(days(visits.find((v) => v.at.getTime() <= now - 2 * DAY)?.at)),
      tier: passes[0]?.tier ?? null,
      fee: passes[0]?.fee ?? null,
      passes: passes.length,
      fees: cents(passes.map((pass) => pass.fee)),
      clubVisits: past.filter((v) => v.clubId === member.clubId && within(3)(v)).length,
      ownOfClub: visits.filter(within(9)).length,
      share: visits.length ? visits.filter(within(10)).length / visits.length : null,
      summer: member.bornAt?.getUTCMonth() ?? null,
    } as Record<string, number | string | null>,
  }
}

describe('the kit against looking at every row', () => {
  const world = drawGym(11)
  let database: Database
  let client: SqlClient & { $transaction: (work: (client: SqlClient) => Promise<void>) => Promise<void> }
  beforeAll(async () => {
    database = await openTestDatabase()
    await writeGym(database, world)
    client = learningClient(database) as unknown as typeof client
  })
  afterAll(() => database.close())

  const chance = createChance(5)
  const pairs = Array.from({ length: 300 }, (_, at) => {
    const member = world.members[at % world.members.length]!
    const day = START + Math.floor(chance() * 220) * DAY
    const asOf = new Date(chance() < 0.6 ? day : day + Math.floor(chance() * DAY))
    return { member, pair: { key: { clubId: member.clubId, number: String(member.number) }, asOf } satisfies Pair }
  })

  async function compare(reader: Model, on: SqlClient) {
    const rows = await reader.read(
      on,
      pairs.map(({ pair }) => pair),
    )
    expect(rows).toHaveLength(pairs.length)
    for (const [at, { member, pair }] of pairs.entries()) {
      const expected = bruteForce(world, member, pair.asOf)
      expect(rows[at]!.eligible, pair.asOf.toISOString()).toBe(expected.eligible)
      for (const [column, { name }] of reader.features.entries()) {
        const value = rows[at]!.values[column]!
        const wanted = expected.values[name]!
        const where = `${name} of ${JSON.stringify(pair)}`
        if (typeof value === 'number' && typeof wanted === 'number') expect(value, where).toBeCloseTo(wanted, 8)
        else expect(value, where).toBe(wanted)
      }
    }
  }

  it('reads the same values for random rows, keys and moments', async () => {
    await compare(model, client)
    await compare(plainModel, client)
  })

  it('reads the same bits packed into columns and row by row', async () => {
    const asked = pairs.map(({ pair }) => pair).concat({ key: { clubId: -1, number: '1' }, asOf: new Date(START) })
    const byRow = await model.read(client, asked)
    const packed = await plainModel.read(client, asked)
    expect(packed).toEqual(byRow.map((row) => ({ ...row, values: row.values.slice(0, -1) })))
    expect(packed.at(-1)).toEqual({ eligible: false, values: plainModel.features.map(() => null) })
  })

  it('reads the same in a session of another time zone, inside a transaction, across a change of the clocks', async () => {
    await client.$transaction(async (transaction) => {
      await transaction.$queryRawUnsafe(`SELECT set_config('TimeZone', 'America/New_York', true)`)
      await compare(model, transaction)
    })
  })

  it('reads one pair exactly as it reads many', async () => {
    for (const reader of [model, plainModel]) {
      const all = await reader.read(
        client,
        pairs.map(({ pair }) => pair),
      )
      for (const at of [0, 17, 123, 299]) expect(await reader.read(client, [pairs[at]!.pair])).toEqual([all[at]])
    }
  })

  it('labels what is eligible on the grid, and leaves windows out that are not over', async () => {
    const now = new Date(START + 150 * DAY + 1)
    const seen = new Map<string, number>()
    for await (const page of model.labels(client, { now, pageSize: 3 })) {
      expect(page.length).toBeLessThanOrEqual(3)
      for (const { key, asOf, label, group } of page) {
        expect(group).toBe(String(key.clubId))
        seen.set(`${key.clubId} ${key.number} ${asOf.getTime()}`, label)
      }
    }
    const wanted = new Map<string, number>()
    const first = Math.min(...world.passes.map((pass) => pass.startsAt.getTime()))
    const every = 15 * DAY
    for (let at = Math.ceil(first / every) * every; at + 20 * DAY <= now.getTime(); at += every)
      for (const member of world.members) {
        if (!bruteForce(world, member, new Date(at)).eligible) continue
        const left = member.leftAt?.getTime() ?? 0
        wanted.set(`${member.clubId} ${member.number} ${at}`, left > at && left <= at + 20 * DAY ? 1 : 0)
      }
    expect(wanted.size).toBeGreaterThan(50)
    expect([...wanted.values()]).toContain(1)
    expect(new Map([...seen].sort())).toEqual(new Map([...wanted].sort()))
  })

  it('finds the candidates of a moment in the order of their keys', async () => {
    const asOf = new Date(START + 100 * DAY)
    const wanted = world.members.filter((member) => bruteForce(world, member, asOf).eligible)
    const found: unknown[] = []
    let after: Awaited<ReturnType<NonNullable<Model['candidates']>>>[number] | undefined
    do {
      const page = await model.candidates!(client, { asOf, limit: 2, ...(after ? { after } : {}) })
      found.push(...page)
      after = page.length < 2 ? undefined : page.at(-1)
    } while (after)
    const sorted = wanted.sort((a, b) => a.clubId - b.clubId || Number(a.number - b.number))
    expect(found).toEqual(sorted.map(({ clubId, number }) => ({ clubId, number: String(number) })))
  })
})
