import { expect, it } from 'vitest'
import { churn } from '../../models/churn.ts'
import { learningClient } from '../../platform/clients.ts'
import { statementNameOf } from '../../platform/statement-names.ts'
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
