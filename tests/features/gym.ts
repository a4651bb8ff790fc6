// A second schema for the kit: mapped names with spaces and quotes, a composite key, moments without time zone, an enum, a
// decimal, a bigint; with its tables, random rows and nothing of Prisma's generator.
import type { Database } from '../../platform/database.ts'

const scalar = (column: string, type: string, native: string | null = null) => ({
  column,
  type,
  kind: 'scalar',
  list: false,
  native,
})

export const gym = {
  Membership: {
    table: 'the "members"',
    schema: 'gym',
    key: ['clubId', 'number'],
    columns: {
      clubId: scalar('club id', 'Int'),
      number: scalar('no', 'BigInt'),
      hometown: scalar('home_town', 'String'),
      height: scalar('height', 'Float'),
      bornAt: scalar('born', 'DateTime'),
      isStudent: scalar('student', 'Boolean'),
      leftAt: scalar('left_at', 'DateTime', 'Timestamptz'),
      tags: { ...scalar('tags', 'String'), list: true },
      secret: scalar('secret', 'Bytes'),
    },
    relations: {
      club: { model: 'Club', list: false, from: ['clubId'], to: ['id'] },
      visits: { model: 'Visit', list: true, from: ['clubId', 'number'], to: ['clubId', 'number'] },
      passes: { model: 'Pass', list: true, from: ['clubId', 'number'], to: ['clubId', 'number'] },
      friends: { model: 'Membership', list: true, from: [], to: [] },
    },
  },
  Club: {
    table: 'club',
    schema: 'gym',
    key: ['id'],
    columns: { id: scalar('id', 'Int'), city: scalar('CITY', 'String'), opensAt: scalar('opens', 'DateTime') },
    relations: { visits: { model: 'Visit', list: true, from: ['id'], to: ['clubId'] } },
  },
  Visit: {
    table: 'visit',
    schema: 'gym',
    key: ['id'],
    columns: {
      id: scalar('id', 'Int'),
      clubId: scalar('club', 'Int'),
      number: scalar('member_no', 'BigInt'),
      at: scalar('came_at', 'DateTime'),
      minutes: scalar('minutes', 'Float'),
      price: scalar('price', 'Decimal'),
      kind: { ...scalar('kind', 'VisitKind'), kind: 'enum' },
      isGuest: scalar('guest', 'Boolean'),
      steps: scalar('steps', 'BigInt'),
    },
    relations: {},
  },
  Pass: {
    table: 'pass',
    schema: 'gym',
    key: ['id'],
    columns: {
      id: scalar('id', 'Int'),
      clubId: scalar('club', 'Int'),
      number: scalar('member_no', 'BigInt'),
      startsAt: scalar('starts', 'DateTime', 'Timestamptz'),
      endsAt: scalar('ends', 'DateTime', 'Timestamptz'),
      tier: scalar('tier', 'String'),
      fee: scalar('fee', 'Decimal'),
    },
    relations: {},
  },
} as const

export interface Visit {
  id: number
  clubId: number
  number: bigint
  at: Date
  minutes: number | null
  price: number
  kind: 'SWIM' | 'LIFT' | "RUN'; --"
  isGuest: boolean
  steps: bigint | null
}
export interface Pass {
  id: number
  clubId: number
  number: bigint
  startsAt: Date
  endsAt: Date | null
  tier: string
  fee: number
}
export interface Membership {
  clubId: number
  number: bigint
  hometown: string | null
  height: number | null
  bornAt: Date | null
  isStudent: boolean | null
  leftAt: Date | null
}
interface Club {
  id: number
  city: string
  opensAt: Date
}

interface Payload<Name extends string, Scalars, Objects> {
  payload: { name: Name; scalars: Scalars; objects: Objects }
  operations: {
    findMany: {
      args: {
        select?: { [K in keyof Scalars]?: boolean } & {
          [K in keyof Objects]?: boolean | { select?: Record<string, boolean> }
        }
      }
    }
  }
}
interface Named<N extends string> {
  name: N
}
/** The shape of Prisma.TypeMap, by hand. */
export interface GymTypes {
  model: {
    Membership: Payload<
      'Membership',
      Membership,
      { club: Named<'Club'>; visits: Named<'Visit'>[]; passes: Named<'Pass'>[] }
    >
    Club: Payload<'Club', Club, { visits: Named<'Visit'>[] }>
    Visit: Payload<'Visit', Visit, Record<never, never>>
    Pass: Payload<'Pass', Pass, Record<never, never>>
  }
}

export interface Gym {
  readonly members: readonly Membership[]
  readonly visits: readonly Visit[]
  readonly passes: readonly Pass[]
  readonly clubs: readonly Club[]
}

export const DAY = 86_400_000
export const START = Date.UTC(2024, 0, 1)
/** The first multiple of 15 days since the epoch that is not before START. */
const GRID = Math.ceil(START / (15 * DAY)) * 15 * DAY

/** The same numbers in 0..1 for the same seed (mulberry32). */
export function createChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Random rows over 200 days; many fall on whole days, so that moments and rows meet exactly. */
export function drawGym(seed: number): Gym {
  const chance = createChance(seed)
  const below = (n: number) => Math.floor(chance() * n)
  const moment = () => new Date(START + below(200) * DAY + (chance() < 0.5 ? 0 : below(DAY)))
  const maybe = <T>(value: T): T | null => (chance() < 0.2 ? null : value)
  const clubs = [1, 2].map((id) => ({ id, city: `City ${id}`, opensAt: new Date(START + id * 40 * DAY) }))
  const members = Array.from({ length: 24 }, (_, at) => ({
    clubId: 1 + (at % 2),
    number: 9_007_199_254_740_993n + BigInt(at >> 1), // beyond what a float can tell apart
    hometown: maybe(`Town ${below(3)}`),
    height: maybe(150 + below(500) / 10),
    bornAt: maybe(new Date(Date.UTC(1990, below(12), 1 + below(28), below(24)))),
    isStudent: maybe(chance() < 0.5),
    // Half of those who leave do so exactly at a moment of the test's grid, or exactly 20 days later.
    leftAt: chance() < 0.4 ? (at % 2 ? moment() : new Date(GRID + below(8) * 15 * DAY + (at % 4) * 10 * DAY)) : null,
  }))
  const kinds = ['SWIM', 'LIFT', "RUN'; --"] as const
  const owner = () => members[below(members.length - 2)]! // the last two have no rows at all
  const visits = Array.from({ length: 700 }, (_, id) => {
    const { clubId, number } = owner()
    return {
      id,
      clubId,
      number,
      at: moment(),
      minutes: maybe(below(1200) / 10),
      price: below(5000) / 100,
      kind: kinds[below(3)]!,
      isGuest: chance() < 0.3,
      steps: maybe(BigInt(below(20_000))),
    }
  })
  const passes = Array.from({ length: 90 }, (_, id) => {
    const { clubId, number } = owner()
    const startsAt = moment()
    const endsAt = maybe(new Date(startsAt.getTime() + below(60) * DAY))
    return { id, clubId, number, startsAt, endsAt, tier: `Tier ${below(3)}`, fee: below(9000) / 100 }
  })
  return { members, visits, passes, clubs }
}

/** Creates the tables and writes the rows. */
export async function writeGym(database: Database, { members, visits, passes, clubs }: Gym): Promise<void> {
  await database.query(`
    CREATE SCHEMA gym;
    CREATE TYPE gym."VisitKind" AS ENUM ('SWIM', 'LIFT', 'RUN''; --');
    CREATE TABLE gym.club (id int PRIMARY KEY, "CITY" text, opens timestamp(3));
    CREATE TABLE gym."the ""members""" ("club id" int, no bigint, home_town text, height float8, born timestamp(3), student boolean,
      left_at timestamptz(3), tags text[], secret bytea, PRIMARY KEY ("club id", no));
    CREATE TABLE gym.visit (id int PRIMARY KEY, club int, member_no bigint, came_at timestamp(3), minutes float8,
      price decimal(10,2), kind gym."VisitKind", guest boolean, steps bigint);
    CREATE TABLE gym.pass (id int PRIMARY KEY, club int, member_no bigint, starts timestamptz(3), ends timestamptz(3), tier text,
      fee decimal(10,2));
  `)
  const utc = (date: Date | null) => date?.toISOString().replace('Z', '') ?? null
  const zoned = (date: Date | null) => date?.toISOString() ?? null
  const insert = async (table: string, rows: readonly (readonly unknown[])[]) => {
    for (const row of rows)
      await database.query(`INSERT INTO gym.${table} VALUES (${row.map((_, at) => `$${at + 1}`).join(', ')})`, row)
  }
  await database.transaction(async () => {
    await insert(
      'club',
      clubs.map((c) => [c.id, c.city, utc(c.opensAt)]),
    )
    await insert(
      '"the ""members"""',
      members.map((m) => [
        m.clubId,
        String(m.number),
        m.hometown,
        m.height,
        utc(m.bornAt),
        m.isStudent,
        zoned(m.leftAt),
      ]),
    )
    await insert(
      'visit',
      visits.map((v) => [
        ...[v.id, v.clubId, String(v.number), utc(v.at), v.minutes, v.price, v.kind, v.isGuest],
        v.steps === null ? null : String(v.steps),
      ]),
    )
    await insert(
      'pass',
      passes.map((p) => [p.id, p.clubId, String(p.number), zoned(p.startsAt), zoned(p.endsAt), p.tier, p.fee]),
    )
  })
}
