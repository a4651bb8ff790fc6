import { expect, it } from 'vitest'
import { churn } from '../../models/churn.ts'
import { learningClient } from '../../platform/clients.ts'
import { settledSql, statementNameOf } from '../../platform/statement-names.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { openTestDatabase } from '../harness.ts'

const sql = 'SELECT p.id FROM unnest($1::text[]) WITH ORDINALITY p(id, n)'

it('names statements over few keys, by their text, and no other', () => {
  const name = statementNameOf({ sql, args: [['1']] })
  expect(name).toMatch(/^inkling_[0-9a-f]{32}$/)
  expect(statementNameOf({ sql, args: [['2', '3']] })).toBe(name)
  expect(statementNameOf({ sql: `${sql} ORDER BY n`, args: [['1']] })).not.toBe(name)
  expect(statementNameOf({ sql, args: [Array.from({ length: 201 }, String)] })).toBeUndefined()
  expect(statementNameOf({ sql: 'SELECT $1::text[]', args: [['1']] })).toBeUndefined()
  expect(statementNameOf({ sql: 'SELECT 1', args: [] })).toBeUndefined()
})

it('names a statement for few keys too, and leaves alone what is no array of a parameter', () => {
  const settled = settledSql(
    'SELECT 1 FROM unnest($1::text[], $2::timestamp without time zone[]) p, unnest($3::text[]) q',
  )
  expect(settled).toBe(
    'SELECT 1 FROM unnest((SELECT $1::text[]), (SELECT $2::timestamp without time zone[])) p, unnest((SELECT $3::text[])) q',
  )
  expect(statementNameOf({ sql: settled, args: [['1']] })).toMatch(/^inkling_/)
  for (const other of ['SELECT unnest(tags) FROM t', 'SELECT * FROM unnest(ARRAY[1, 2])', 'SELECT $1::text[]'])
    expect(settledSql(other)).toBe(other)
})

it('has the server settle on one plan for a single key', async () => {
  const database = await openTestDatabase()
  const client = learningClient(database)
  const plans = async () => {
    const { rows } = await database.query<{ generic: number }>(
      "SELECT sum(generic_plans)::int AS generic FROM pg_prepared_statements WHERE statement LIKE '%Activity%'",
    )
    return rows[0]!.generic
  }
  for (let turn = 0; turn < 5; turn++) await churn.read(client, [{ key: { id: 'nobody' }, asOf: new Date() }])
  const before = await plans()
  for (let turn = 0; turn < 5; turn++) await churn.read(client, [{ key: { id: 'nobody' }, asOf: new Date() }])
  expect((await plans()) - before).toBe(5)
  await client.$disconnect()
  await database.close()
})

it('reads the same with a kept plan, with another number of keys, and on a connection that is new', async () => {
  const database = await openTestDatabase()
  const client = learningClient(database)
  const asOf = new Date('2026-11-20T12:00:00Z')
  await seedSchool(database, { seed: 7, learners: 300, now: asOf })
  const { rows } = await database.query<{ id: string }>('SELECT id FROM learning."Learner" ORDER BY id')
  const pairs = rows.map((key) => ({ key, asOf }))
  const whole = await churn.read(client, pairs) // more than are named
  for (let turn = 0; turn < 12; turn++) {
    const few = pairs.slice(turn, turn + 1 + turn * 16) // past five runs the server may keep one plan for all
    expect(await churn.read(client, few)).toEqual(whole.slice(turn, turn + 1 + turn * 16))
    if (turn % 4 === 3) await expect(database.query('SELECT nothing')).rejects.toThrow() // the embedded pool drops its connection
  }
  await client.$disconnect()
  await database.close()
})
