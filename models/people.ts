import type { People } from '../index.ts'

/** How a learner is found in this application's models, and removed. Everything that belongs to a learner goes with the learner's row. */
export const learners: People = {
  entity: 'Learner',
  key: ['id'],
  async traces(db, { id }, tenant) {
    const found = await db.$queryRawUnsafe<object[]>(
      'SELECT 1 FROM "learning"."Learner" WHERE "id" = $1 AND "tenant" = $2',
      String(id),
      tenant,
    )
    if (found.length === 0) return null
    const enrollments = await db.$queryRawUnsafe<{ id: string }[]>(
      'SELECT "id" FROM "learning"."Enrollment" WHERE "learnerId" = $1',
      String(id),
    )
    return [
      { model: 'churn', key: { id: String(id) } },
      { model: 'struggle', key: { learnerId: String(id) } },
      ...enrollments.map((enrollment) => ({ model: 'withdrawal', key: { id: enrollment.id } })),
    ]
  },
  async remove(db, { id }, tenant) {
    await db.$queryRawUnsafe('DELETE FROM "learning"."Learner" WHERE "id" = $1 AND "tenant" = $2', String(id), tenant)
  },
}

export const people: readonly People[] = [learners]
