import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../platform/database.ts'
import { clearRows, readOrigin } from '../../prisma/learning/rows/origin.ts'
import { tableNames, tables } from '../../prisma/learning/rows/tables.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { auc } from '../../trainer/metrics.ts'
import { openTestDatabase } from '../harness.ts'

const now = new Date('2026-11-20T15:30:00Z')

/** sha256 over every row of every table, in key order. */
async function hashRows(database: Database): Promise<string> {
  const hash = createHash('sha256')
  for (const name of tableNames) {
    const key = tables[name].key.map((column) => `"${column}"`).join(', ')
    const { rows } = await database.query<{ digest: string }>(
      `SELECT md5(string_agg(kept::text, E'\\n' ORDER BY ${key})) AS "digest" FROM "learning"."${name}" kept`,
    )
    hash.update(`${name} ${rows[0]!.digest}\n`)
  }
  return hash.digest('hex')
}

describe('the school', () => {
  let database: Database
  const count = async (sql: string, values: unknown[] = []) =>
    (await database.query<{ count: number }>(`SELECT count(*)::int AS "count" FROM ${sql}`, values)).rows[0]!.count

  async function reseed(seed: number, learners: number): Promise<{ hash: string; names: string[] }> {
    await database.transaction(() => clearRows(database))
    await seedSchool(database, { seed, learners, now })
    const { rows } = await database.query<{ name: string }>(
      'SELECT "name" FROM "learning"."Learner" ORDER BY "id" LIMIT 60',
    )
    return { hash: await hashRows(database), names: rows.map(({ name }) => name) }
  }

  beforeAll(async () => {
    database = await openTestDatabase()
    const said: number[] = []
    await seedSchool(database, { seed: 7, now, onProgress: ({ done }) => said.push(done) })
    expect(said.at(-1)).toBe(2_000)
    expect(said).toEqual([...said].sort((a, b) => a - b))
  })
  afterAll(() => database.close())

  it('has at least 2,000 learners and 40,000 attempts', async () => {
    expect(await count('"learning"."Learner"')).toBe(2_000)
    expect(await count('"learning"."Attempt"')).toBeGreaterThan(40_000)
    for (const name of tableNames) expect(await count(`"learning"."${name}"`), name).toBeGreaterThan(0)
  })

  it('keeps every foreign key, though the embedded database was told not to look', async () => {
    const { rows: keys } = await database.query<{ child: string; parent: string; from: string; to: string }>(
      `SELECT k.conrelid::regclass::text AS "child", k.confrelid::regclass::text AS "parent",
              quote_ident(c.attname) AS "from", quote_ident(p.attname) AS "to"
       FROM pg_constraint k
       JOIN pg_attribute c ON c.attrelid = k.conrelid AND c.attnum = k.conkey[1]
       JOIN pg_attribute p ON p.attrelid = k.confrelid AND p.attnum = k.confkey[1]
       WHERE k.contype = 'f' AND k.connamespace = 'learning'::regnamespace`,
    )
    expect(keys.length).toBeGreaterThan(15)
    for (const { child, parent, from, to } of keys) {
      const orphans = `${child} c WHERE c.${from} IS NOT NULL AND NOT EXISTS (SELECT FROM ${parent} p WHERE p.${to} = c.${from})`
      expect(await count(orphans), `${child}.${from}`).toBe(0)
    }
  })

  it('knows nothing of the future', async () => {
    const moments = {
      Learner: 'joinedAt',
      Attempt: 'submittedAt',
      Review: 'reviewedAt',
      Activity: 'day',
      StudySession: 'startedAt',
      Payment: 'paidAt',
      Cancellation: 'at',
      Subscription: 'startsAt',
    }
    for (const [table, column] of Object.entries(moments))
      expect(await count(`"learning"."${table}" WHERE "${column}" > $1`, [now]), `${table}.${column}`).toBe(0)
    for (const column of ['registeredAt', 'withdrawnAt'])
      expect(await count(`"learning"."Enrollment" WHERE "${column}" > $1`, [now]), column).toBe(0)
    expect(await count('"learning"."Subscription" WHERE "endsAt" > $1', [now])).toBe(0)
  })

  it('never lets anything happen after a learner left, nor before they came', async () => {
    const broken = [
      `"learning"."Attempt" a JOIN "learning"."Enrollment" e ON e."id" = a."enrollmentId"
       WHERE a."submittedAt" > e."withdrawnAt" OR a."submittedAt" < e."registeredAt"`,
      `"learning"."Payment" p JOIN "learning"."Subscription" s ON s."id" = p."subscriptionId"
       WHERE p."paidAt" > s."endsAt" OR p."paidAt" < s."startsAt"`,
      `"learning"."Subscription" a JOIN "learning"."Subscription" b ON a."learnerId" = b."learnerId" AND a."id" < b."id"
       WHERE a."startsAt" < coalesce(b."endsAt", 'infinity') AND b."startsAt" < coalesce(a."endsAt", 'infinity')`,
      `"learning"."Enrollment" e JOIN "learning"."Learner" l ON l."id" = e."learnerId" WHERE e."registeredAt" < l."joinedAt"`,
      `"learning"."Prerequisite" r JOIN "learning"."Objective" o ON o."id" = r."objectiveId"
       JOIN "learning"."Objective" q ON q."id" = r."requiresId"
       WHERE q."position" >= o."position" OR q."presentationId" <> o."presentationId"`,
    ]
    for (const sql of broken) expect(await count(sql), sql).toBe(0)
  })

  it('has courses under way, objectives still to come, and people paying', async () => {
    const upcoming = '"learning"."Progress" WHERE "dueAt" > $1 AND "firstScoredAt" IS NULL'
    expect(await count(upcoming, [now])).toBeGreaterThan(2_000)
    expect(await count('"learning"."Subscription" WHERE "endsAt" IS NULL')).toBeGreaterThan(1_000)
    const running = '"learning"."Enrollment" e JOIN "learning"."Presentation" p ON p."id" = e."presentationId"'
    expect(
      await count(`${running} WHERE e."withdrawnAt" IS NULL AND p."startsAt" <= $1 AND p."endsAt" > $1`, [now]),
    ).toBeGreaterThan(800)
  })

  it('loses 3 to 6 percent of its subscribers a month', async () => {
    const months = Array.from({ length: 9 }, (_, month) => new Date(now.getTime() - (month + 1) * 30 * 86_400_000))
    let paying = 0
    let lost = 0
    for (const at of months) {
      paying += await count(
        '"learning"."Subscription" WHERE "startsAt" <= $1 AND coalesce("endsAt", \'infinity\') > $1',
        [at],
      )
      lost += await count(
        '"learning"."Cancellation" WHERE "at" > $1 AND "at" <= $1::timestamptz + interval \'30 days\'',
        [at],
      )
    }
    expect(lost / paying).toBeGreaterThan(0.03)
    expect(lost / paying).toBeLessThan(0.06)
    expect(lost).toBeGreaterThan(300)
  })

  /** How well each column alone tells the labels apart, as an area under the curve of at least one half. */
  async function separations(sql: string): Promise<Record<string, number>> {
    const { rows } = await database.query<Record<string, number>>(sql, [now])
    const labels = rows.map((row) => row.label!)
    expect(labels.filter((label) => label === 1).length).toBeGreaterThan(200)
    const columns = Object.keys(rows[0]!).filter((column) => column !== 'label')
    return Object.fromEntries(
      columns.map((column) => {
        const area =
          auc(
            labels,
            Float64Array.from(rows, (row) => row[column] ?? 0),
          ) ?? 0
        return [column, Math.max(area, 1 - area)]
      }),
    )
  }

  it('gives nobody away who cancels: every trace tells something, none tells all', async () => {
    const areas = await separations(`
      WITH moment AS (SELECT $1::timestamptz - month * interval '30 days' AS "at" FROM generate_series(1, 9) month)
      SELECT (EXISTS (SELECT FROM "learning"."Cancellation" c
                      WHERE c."learnerId" = s."learnerId" AND c."at" > m."at" AND c."at" <= m."at" + interval '30 days'))::int AS "label",
        (SELECT count(*)::int FROM "learning"."Activity" a
         WHERE a."learnerId" = s."learnerId" AND a."day" <= m."at" AND a."day" > m."at" - interval '14 days') AS "activeDays",
        (SELECT count(*)::int FROM "learning"."StudySession" t
         WHERE t."learnerId" = s."learnerId" AND t."startedAt" <= m."at" AND t."startedAt" > m."at" - interval '30 days') AS "sessions",
        (SELECT coalesce(extract(epoch FROM m."at" - max(p."paidAt")), 0)::float8 FROM "learning"."Payment" p
         WHERE p."learnerId" = s."learnerId" AND p."paidAt" <= m."at") AS "sincePaid",
        (SELECT coalesce(avg(a."score"), 0)::float8 FROM "learning"."Attempt" a
         WHERE a."learnerId" = s."learnerId" AND a."submittedAt" <= m."at") AS "meanScore",
        s."priceUsd"::float8 AS "price", extract(epoch FROM m."at" - s."startsAt")::float8 AS "tenure"
      FROM moment m JOIN "learning"."Subscription" s ON s."startsAt" <= m."at" AND coalesce(s."endsAt", 'infinity') > m."at"`)
    for (const [column, area] of Object.entries(areas)) expect(area, column).toBeLessThan(0.82)
    expect(areas.activeDays).toBeGreaterThan(0.62)
  })

  it('gives nobody away who withdraws', async () => {
    const areas = await separations(`
      WITH moment AS (SELECT $1::timestamptz - month * interval '30 days' AS "at" FROM generate_series(1, 9) month)
      SELECT (coalesce(e."withdrawnAt", 'infinity') <= m."at" + interval '30 days')::int AS "label",
        (SELECT count(*)::int FROM "learning"."Activity" a WHERE a."learnerId" = e."learnerId"
         AND a."presentationId" = p."id" AND a."day" <= m."at" AND a."day" > m."at" - interval '14 days') AS "activeDays",
        (SELECT coalesce(avg(a."score"), 0)::float8 FROM "learning"."Attempt" a
         WHERE a."enrollmentId" = e."id" AND a."submittedAt" <= m."at") AS "meanScore",
        e."clicksBeforeStart", e."previousAttempts", e."studiedCredits", e."hasDisability"::int AS "hasDisability"
      FROM moment m JOIN "learning"."Presentation" p ON p."startsAt" <= m."at" AND p."endsAt" > m."at"
      JOIN "learning"."Enrollment" e ON e."presentationId" = p."id" AND e."registeredAt" <= m."at"
       AND coalesce(e."withdrawnAt", 'infinity') > m."at"`)
    for (const [column, area] of Object.entries(areas)) expect(area, column).toBeLessThan(0.82)
    expect(areas.activeDays).toBeGreaterThan(0.62)
  })

  it('lets past scores say much about the next one, and not everything', async () => {
    const areas = await separations(`
      SELECT (f."score" < 60)::int AS "label", o."position", o."weight",
        coalesce((SELECT avg(b."score") FROM "learning"."Attempt" b
                  WHERE b."learnerId" = f."learnerId" AND b."submittedAt" < f."submittedAt"), 70)::float8 AS "meanScore"
      FROM "learning"."Attempt" f JOIN "learning"."Objective" o ON o."id" = f."objectiveId"
      WHERE f."score" IS NOT NULL AND f."id" LIKE '%-1' AND f."submittedAt" <= $1 AND f."learnerId" < 'L0600'`)
    for (const [column, area] of Object.entries(areas)) expect(area, column).toBeLessThan(0.88)
    expect(areas.meanScore).toBeGreaterThan(0.7)
  })

  it('says where its rows came from, and refuses a second school', async () => {
    expect(await readOrigin(database)).toEqual({
      source: 'simulated',
      seed: 7,
      learners: 2_000,
      now: now.toISOString(),
    })
    await expect(seedSchool(database, { seed: 8, now })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      hint: expect.stringContaining('inkling reset'),
    })
  })

  it('is the same from the same seed, another from another, and keeps its first learners when it grows', async () => {
    const first = await reseed(7, 120)
    const other = await reseed(8, 120)
    const again = await reseed(7, 120)
    const smaller = await reseed(7, 60)
    expect(again.hash).toBe(first.hash)
    expect(other.hash).not.toBe(first.hash)
    expect(smaller.names).toEqual(first.names)
  })
})
