import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { FeatureRow, KeyValues, Model } from '../../ml/define.ts'
import { churn } from '../../models/churn.ts'
import { struggle } from '../../models/struggle.ts'
import { withdrawal } from '../../models/withdrawal.ts'
import { type LearningClient, learningClient } from '../../platform/clients.ts'
import type { Database } from '../../platform/database.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { openTestDatabase } from '../harness.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
/** Noon, so that the day itself is not over yet. */
const AS_OF = new Date('2026-02-10T12:00:00Z')

/** Every kind of row later than the moment, deleted, changed or moved; by its hash, so that each happens to some. */
const later = (asOf: string) => `
  DELETE FROM learning."Attempt" WHERE "submittedAt" > ${asOf} AND hashtext("id") % 3 = 0;
  UPDATE learning."Attempt" SET "score" = 100 - COALESCE("score", 50), "submittedAt" = "submittedAt" + interval '3 days' WHERE "submittedAt" > ${asOf};
  DELETE FROM learning."Review" WHERE "reviewedAt" > ${asOf} AND hashtext("id") % 2 = 0;
  UPDATE learning."Review" SET "rating" = 1 WHERE "reviewedAt" > ${asOf};
  UPDATE learning."Activity" SET "clicks" = "clicks" * 7 + 1 WHERE "day" > ${asOf} - interval '24 hours';
  DELETE FROM learning."Activity" WHERE "day" > ${asOf} AND hashtext("learnerId") % 2 = 0;
  UPDATE learning."StudySession" SET "performance" = 1, "minutes" = "minutes" + 500
    WHERE "startedAt" + "minutes" * interval '1 minute' > ${asOf};
  DELETE FROM learning."Payment" WHERE "paidAt" > ${asOf} AND hashtext("id") % 2 = 0;
  UPDATE learning."Payment" SET "amount" = 999 WHERE "paidAt" > ${asOf};
  DELETE FROM learning."Cancellation" WHERE "at" > ${asOf};
  DELETE FROM learning."Subscription" WHERE "startsAt" > ${asOf};
  UPDATE learning."Subscription" SET "endsAt" = CASE WHEN hashtext("id") % 2 = 0 THEN NULL ELSE ${asOf} + interval '1 hour' END
    WHERE "endsAt" IS NULL OR "endsAt" > ${asOf};
  UPDATE learning."Enrollment" SET "finalResult" = 'Fail',
    "withdrawnAt" = CASE WHEN hashtext("id") % 2 = 0 THEN NULL ELSE ${asOf} + interval '2 hours' END
    WHERE "withdrawnAt" IS NULL OR "withdrawnAt" > ${asOf};
  INSERT INTO learning."Attempt" SELECT 'later ' || e."id", e."learnerId", o."id", e."id", ${asOf} + interval '1 second', 1
    FROM learning."Enrollment" e JOIN learning."Objective" o ON o."presentationId" = e."presentationId" AND o."position" = 3;
  INSERT INTO learning."Review" SELECT 'later ' || l."id", l."id", (SELECT min("id") FROM learning."Objective"), ${asOf} + interval '1 second', 1
    FROM learning."Learner" l;
  INSERT INTO learning."StudySession" SELECT 'later ' || "id", "id", ${asOf} + interval '1 second', 600, 'TEXT', 0 FROM learning."Learner";
  INSERT INTO learning."StudySession" SELECT 'running ' || "id", "id", ${asOf} - interval '5 minutes', 10, 'TEXT', 0 FROM learning."Learner";
  INSERT INTO learning."Cancellation" SELECT 'later ' || "id", "id", ${asOf} + interval '1 second', 'Later' FROM learning."Learner";
  INSERT INTO learning."Payment" SELECT 'later ' || "id", "id", NULL, 5, ${asOf} + interval '1 second' FROM learning."Learner";`

describe('a moment in the past', () => {
  let database: Database
  let client: LearningClient
  beforeAll(async () => {
    database = await openTestDatabase()
    await seedSchool(database, { seed: 3, learners: 80, now: NOW })
    client = learningClient(database)
  })
  afterAll(() => database.close())

  async function readAll(model: Model, asOf: Date): Promise<{ keys: KeyValues[]; rows: readonly FeatureRow[] }> {
    const keys = await model.candidates!(client, { asOf, limit: 10_000 })
    return {
      keys,
      rows: await model.read(
        client,
        keys.map((key) => ({ key, asOf })),
      ),
    }
  }

  it('looks the same to every model, bit by bit, whatever later rows are added, changed or deleted', async () => {
    const models = [churn, withdrawal, struggle]
    const before = await Promise.all(models.map((model) => readAll(model, AS_OF)))
    const today = await Promise.all(models.map((model) => readAll(model, new Date(NOW.getTime() - 86_400_000))))

    await database.query(later(`timestamptz '${AS_OF.toISOString()}'`))

    const after = await Promise.all(models.map((model) => readAll(model, AS_OF)))
    for (const [at, model] of models.entries()) {
      expect(before[at]!.keys.length, model.name).toBeGreaterThan(20)
      expect(after[at], model.name).toEqual(before[at])
    }
    // The same change is seen from a later moment: the rows did move.
    const moved = await Promise.all(models.map((model) => readAll(model, new Date(NOW.getTime() - 86_400_000))))
    for (const [at, model] of models.entries()) expect(moved[at], model.name).not.toEqual(today[at])
  })
})
