import type { Database } from '../../platform/database.ts'
import { NOW } from './school.ts'

/**
 * A school made by one statement per table: `learners` learners, 4 courses with 1 presentation of `objectives` objectives each,
 * 2 enrolments per learner, attempts at what was due. Values repeat and are empty here and there, so that orders tie.
 */
export async function fillSchool(database: Database, { learners = 60, objectives = 8 } = {}): Promise<void> {
  const now = `'${NOW.toISOString()}'::timestamptz`
  await database.query(`
INSERT INTO learning."Learner" ("id", "name", "country", "region", "joinedAt")
SELECT 'l' || n, 'name ' || chr(97 + n % 7) || CASE WHEN n % 5 = 0 THEN '' ELSE ' ' || n END,
       (ARRAY['chile', 'ghana', 'nepal', NULL])[1 + n % 4], NULL, ${now} - (n % 11) * interval '1 day'
FROM generate_series(1, ${learners}) n;
INSERT INTO learning."Course" ("id", "code", "title") SELECT 'c' || n, 'C' || n, 'Course ' || n FROM generate_series(0, 3) n;
INSERT INTO learning."Presentation" ("id", "courseId", "code", "startsAt", "endsAt")
SELECT 'p' || n, 'c' || n, 'spring', ${now} - interval '60 days', ${now} + interval '60 days' FROM generate_series(0, 3) n;
INSERT INTO learning."Objective" ("id", "presentationId", "title", "type", "complexity", "position", "dueAt", "weight")
SELECT 'p' || p || 'o' || o, 'p' || p, 'Objective ' || o, 'QUIZ', CASE WHEN o % 3 = 0 THEN NULL ELSE 'BASIC'::learning."Complexity" END,
       o, CASE WHEN o = ${objectives} THEN NULL ELSE ${now} + (o - ${objectives} / 2) * interval '5 days' - interval '1 hour' END, o % 3
FROM generate_series(0, 3) p, generate_series(1, ${objectives}) o;
INSERT INTO learning."Prerequisite" ("objectiveId", "requiresId")
SELECT 'p' || p || 'o' || o, 'p' || p || 'o' || r FROM generate_series(0, 3) p, generate_series(2, ${objectives}) o, generate_series(1, ${objectives}) r
WHERE r < o AND r >= o - 2;
INSERT INTO learning."Enrollment" ("id", "learnerId", "presentationId", "registeredAt", "withdrawnAt")
SELECT 'e' || n || '-' || k, 'l' || n, 'p' || (n + k) % 4, CASE WHEN n % 6 = 0 THEN NULL ELSE ${now} - interval '70 days' END,
       CASE WHEN n % 10 = 0 AND k = 1 THEN ${now} - interval '3 days' END
FROM generate_series(1, ${learners}) n, generate_series(0, 1) k;
INSERT INTO learning."Attempt" ("id", "learnerId", "objectiveId", "enrollmentId", "submittedAt", "score")
SELECT 'a-' || e."id" || '-' || o."id" || '-' || t, e."learnerId", o."id", e."id", o."dueAt" - t * interval '1 day',
       CASE WHEN (length(e."id") + o."position" + t) % 5 = 0 THEN NULL ELSE (o."position" * 13 + t * 7 + length(e."id") * 3) % 101 END
FROM learning."Enrollment" e JOIN learning."Objective" o USING ("presentationId"), generate_series(0, 2) t
WHERE o."dueAt" < ${now} AND o."position" % 3 <> 0;
INSERT INTO learning."Review" ("id", "learnerId", "objectiveId", "reviewedAt", "rating")
SELECT 'r-' || a."id", a."learnerId", a."objectiveId", a."submittedAt" + interval '2 hours', 1 + length(a."id") % 4
FROM learning."Attempt" a WHERE a."id" LIKE '%-1';
INSERT INTO learning."Activity" ("learnerId", "presentationId", "day", "kind", "clicks")
SELECT e."learnerId", e."presentationId", date_trunc('day', ${now} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - d * interval '1 day', k, 1 + d
FROM learning."Enrollment" e, generate_series(0, 9, 3) d, unnest(ARRAY['CONTENT', 'FORUM']::learning."ActivityKind"[]) k;
INSERT INTO learning."StudySession" ("id", "learnerId", "startedAt", "minutes", "performance")
SELECT 's' || n || '-' || d, 'l' || n, ${now} - d * interval '1 day', 20 + d, CASE WHEN d = 4 THEN NULL ELSE 50 + d END
FROM generate_series(1, ${learners}) n, generate_series(0, 8, 2) d;
INSERT INTO learning."Exam" ("id", "presentationId", "title", "heldAt")
SELECT 'x' || n || k, 'p' || n, 'Exam ' || k, ${now} + k * interval '10 days' FROM generate_series(0, 3) n, generate_series(1, 2) k;
INSERT INTO learning."Subscription" ("id", "learnerId", "plan", "priceUsd", "startsAt", "endsAt")
SELECT 'u' || n, 'l' || n, 'PRO', 19.90, ${now} - interval '100 days', CASE WHEN n % 4 = 0 THEN ${now} - interval '1 day' END
FROM generate_series(2, ${learners}, 2) n;
INSERT INTO learning."Payment" ("id", "learnerId", "subscriptionId", "amount", "paidAt")
SELECT 'y' || s."id" || m, s."learnerId", s."id", 19.90, s."startsAt" + m * interval '30 days' FROM learning."Subscription" s, generate_series(0, 3) m;
INSERT INTO learning."Cancellation" ("id", "learnerId", "at") SELECT 'k' || "id", "learnerId", "endsAt" FROM learning."Subscription" WHERE "endsAt" IS NOT NULL;
ANALYZE;`)
}
