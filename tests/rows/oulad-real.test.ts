import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { importOulad } from '../../prisma/learning/import/oulad/oulad.ts'
import { openTestDatabase } from '../harness.ts'

const folder = fileURLToPath(new URL('../../../shared/data/oulad', import.meta.url))
const isThere = existsSync(folder)
if (!isThere) console.log(`The real tables are not at ${folder}: their import is not tested.`)

it.skipIf(!isThere)(
  'imports every student, registration and submission of the real tables, twice the same',
  { timeout: 300_000 },
  async () => {
    const database = await openTestDatabase()
    try {
      const first = await importOulad(database, folder)
      expect(Object.fromEntries(Object.entries(first.rows).map(([table, { inserted }]) => [table, inserted]))).toEqual({
        Learner: 28_785,
        Course: 7,
        Presentation: 22,
        Objective: 206,
        Exam: 24,
        Enrollment: 32_593,
        Attempt: 173_912,
      })
      expect(first.withdrawn).toBe(10_072)
      expect(first.now).toBe('2015-09-15T23:59:59.999Z')
      const { rows } = await database.query(
        `SELECT count(*) FILTER (WHERE "score" < 60)::int AS "low", count("score")::int AS "scored" FROM "learning"."Attempt"`,
      )
      expect(rows[0]).toEqual({ low: expect.any(Number), scored: 173_739 })
      const again = await importOulad(database, folder)
      for (const count of Object.values(again.rows)) expect(count).toMatchObject({ inserted: 0, updated: 0 })
    } finally {
      await database.close()
    }
  },
)
