import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Model, SqlClient } from '../../ml/define.ts'
import { churn } from '../../models/churn.ts'
import { defineModel } from '../../models/kit.ts'
import { withdrawal } from '../../models/withdrawal.ts'
import { type LearningClient, learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'

const asOf = new Date('2026-02-01T00:00:00Z')

/** A model with a function, whose rows come one by one. */
const byRow = defineModel({
  name: 'byRow',
  entity: 'Learner',
  question: 'Does a function mind tenants?',
  tenant: 'tenant',
  features: (f) => ({
    letters: f.from({ name: true }, ({ name }) => name.length, { immutable: true }),
    active: f.count('activities', { at: 'day' }),
  }),
  label: (f) => f.happens('cancellations.at', { within: { days: 1 } }),
  snapshots: { every: { days: 1 }, from: 'joinedAt' },
  bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
})

describe('a read about the entities of tenants', () => {
  let database: Database
  let client: LearningClient
  let statements = 0
  const counting: SqlClient = {
    $queryRawUnsafe(sql, ...values) {
      statements++
      return client.$queryRawUnsafe(sql, ...values)
    },
  }
  beforeAll(async () => {
    database = await openTestDatabase()
    client = learningClient(database)
    await database.query(`
      INSERT INTO learning."Learner" (id, name, "joinedAt", tenant) VALUES ('a', 'Ada', '2026-01-01Z', 'one'), ('b', 'Bo', '2026-01-01Z', 'two');
      INSERT INTO learning."Course" (id, code, title, tenant) VALUES ('ca', 'CA', 'Course', 'one'), ('cb', 'CB', 'Course', 'two');
      INSERT INTO learning."Presentation" VALUES ('pa', 'ca', '1', '2026-01-01Z', '2026-03-01Z'), ('pb', 'cb', '1', '2026-01-01Z', '2026-03-01Z');
      INSERT INTO learning."Enrollment" (id, "learnerId", "presentationId") VALUES ('ea', 'a', 'pa'), ('eb', 'b', 'pb');
      INSERT INTO learning."Activity" VALUES ('a', 'pa', '2026-01-02Z', 'QUIZ', 3), ('b', 'pb', '2026-01-02Z', 'QUIZ', 4)`)
  })
  afterAll(() => database.close())

  it.each([
    ['a column of its own', churn, ['a', 'b']],
    ['behind a relation', withdrawal, ['ea', 'eb']],
    ['with a function', byRow, ['a', 'b']],
  ] as [string, Model, string[]][])(
    '%s: another’s is like one that is not there, in the one statement',
    async (_, model, ids) => {
      const read = (asked: readonly [string, string?][]) =>
        model.read(
          counting,
          asked.map(([id, tenant]) => ({ key: { id }, asOf, tenant })),
        )
      const [a, b] = ids as [string, string]
      const whole = await read([[a], [b], ['nobody']])
      const nobody = { eligible: false, values: model.features.map(() => null) }
      expect(whole[2]).toEqual(nobody)
      expect(whole[0]).not.toEqual(nobody)
      statements = 0
      const asked: [string, string?][] = [[a, 'one'], [b, 'one'], [a, 'two'], [b, 'two'], [b], ['nobody', 'one']]
      expect(await read(asked)).toEqual([whole[0], nobody, nobody, whole[1], whole[1], nobody])
      expect(statements).toBe(1)
      const many = Array.from({ length: 300 }, (_, at): [string, string] => [
        ids[at % 2]!,
        at % 3 === 0 ? 'one' : 'two',
      ])
      const rows = await read(many)
      for (const [at, [id, tenant]] of many.entries())
        expect(rows[at], `${id} of ${tenant}`).toEqual(
          (id === a) === (tenant === 'one') ? whole[ids.indexOf(id)] : nobody,
        )
    },
  )
})
