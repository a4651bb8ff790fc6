// The SQL of `struggle`: one statement over pairs of key and moment, one over labelled pairs, one over candidates.
// `p."at"` is the moment; every table of happenings is cut off there. Timetables (due dates, exams, the course's length) are
// published before a course begins and count as known. Sums and means are decimal, so that the order of rows decides nothing.

/** Under this score an objective was a struggle. */
const STRUGGLE = 60
/** From this score on a prerequisite counts as mastered. */
const MASTERY = 70

const LEVEL = (complexity: string) =>
  `CASE ${complexity} WHEN 'BASIC' THEN 1 WHEN 'INTERMEDIATE' THEN 2 WHEN 'ADVANCED' THEN 3 END`

/** Enrolled, not withdrawn, the course not over. */
const RUNS = (moment: string) => `
  COALESCE(en."registeredAt" <= ${moment}, true)
  AND (en."withdrawnAt" IS NULL OR en."withdrawnAt" > ${moment})
  AND ${moment} < pr."endsAt"`

/** Parameters: learner ids, objective ids, moments; arrays of the same length. */
export const READ = `
SELECT
  (en."id" IS NOT NULL AND ${RUNS('p."at"')} AND h."scoredHere" = 0) AS "eligible",
  h."meanScore"::float8 AS "meanScore",
  h."courseMeanScore"::float8 AS "courseMeanScore",
  (h."earlierScore" - h."recentScore")::float8 AS "scoreDecline",
  h."lastScore"::float8 AS "lastScore",
  h."lowestScore"::float8 AS "lowestScore",
  h."scored"::float8 AS "scored",
  h."daysLate"::float8 AS "daysLate",
  GREATEST(due."past" - h."handedIn", 0)::float8 AS "missed",
  (100.0 * h."similarStruggles" / NULLIF(h."similar", 0))::float8 AS "similarStruggles",
  h."similarScore"::float8 AS "similarScore",
  (100.0 * recall."lapses" / NULLIF(recall."reviews", 0))::float8 AS "lapseRate",
  session."performance"::float8 AS "lastSessionPerformance",
  (100.0 * required."unmastered" / NULLIF(required."prerequisites", 0))::float8 AS "unmasteredPrerequisites",
  required."gap"::float8 AS "prerequisiteGap",
  (${LEVEL('o."complexity"')})::float8 AS "complexity",
  (${LEVEL('o."complexity"')} - (1 + h."meanScore" / 50))::float8 AS "complexityMismatch",
  (100.0 - 100.0 * content."same" / NULLIF(content."minutes", 0))::float8 AS "contentMismatch",
  ahead."hours"::float8 AS "cognitiveLoad",
  ahead."tasks"::float8 AS "workload",
  (extract(epoch FROM exam."at" - p."at") / 86400)::float8 AS "daysToExam",
  (extract(epoch FROM p."at" - GREATEST(h."lastAt", recall."lastAt", content."lastAt", clicks."lastAt")) / 86400)::float8
    AS "daysSinceStudy",
  clicks."clicks"::float8 AS "clicks14d",
  CASE WHEN pr."startsAt" <= p."at" THEN en."clicksBeforeStart"::float8 END AS "clicksBeforeStart",
  (extract(epoch FROM COALESCE(o."dueAt", pr."endsAt") - p."at") / 86400)::float8 AS "daysToDue",
  (extract(epoch FROM COALESCE(o."dueAt", pr."endsAt") - pr."startsAt") / 86400)::float8 AS "dueDay",
  o."weight"::float8 AS "weight",
  o."position"::float8 AS "position",
  o."type"::text AS "type",
  c."code" AS "course",
  en."education" AS "education",
  en."previousAttempts"::float8 AS "previousAttempts",
  en."studiedCredits"::float8 AS "studiedCredits"
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS p("learnerId", "objectiveId", "at", place)
LEFT JOIN "learning"."Objective" o ON o."id" = p."objectiveId"
LEFT JOIN "learning"."Presentation" pr ON pr."id" = o."presentationId"
LEFT JOIN "learning"."Course" c ON c."id" = pr."courseId"
LEFT JOIN "learning"."Enrollment" en ON en."learnerId" = p."learnerId" AND en."presentationId" = o."presentationId"
-- Everything that was handed in, scored or not: one scan of the learner's attempts.
LEFT JOIN LATERAL (
  SELECT count(s."score") AS "scored",
         count(s."score") FILTER (WHERE s."objectiveId" = o."id") AS "scoredHere",
         avg(s."score") AS "meanScore",
         avg(s."score") FILTER (WHERE s."presentationId" = o."presentationId") AS "courseMeanScore",
         avg(s."score") FILTER (WHERE s.recency <= 3) AS "recentScore",
         avg(s."score") FILTER (WHERE s.recency > 3) AS "earlierScore",
         max(s."score") FILTER (WHERE s.recency = 1) AS "lastScore",
         min(s."score") AS "lowestScore",
         avg(extract(epoch FROM s."submittedAt" - s."dueAt") / 86400) FILTER (WHERE NOT s."isBanked") AS "daysLate",
         count(DISTINCT s."objectiveId") FILTER (WHERE s."presentationId" = o."presentationId" AND s."dueAt" <= p."at") AS "handedIn",
         count(s."score") FILTER (WHERE s.similar) AS "similar",
         count(s."score") FILTER (WHERE s.similar AND s."score" < ${STRUGGLE}) AS "similarStruggles",
         avg(s."score") FILTER (WHERE s.similar) AS "similarScore",
         max(s."submittedAt") AS "lastAt"
  FROM (
    SELECT t."score"::numeric AS "score", t."submittedAt", t."objectiveId", t."isBanked", x."presentationId", x."dueAt",
           x."type" = o."type" AND x."complexity" IS NOT DISTINCT FROM o."complexity" AS similar,
           row_number() OVER (ORDER BY t."score" IS NULL, t."submittedAt" DESC, t."id" DESC) AS recency
    FROM "learning"."Attempt" t
    JOIN "learning"."Objective" x ON x."id" = t."objectiveId"
    WHERE t."learnerId" = p."learnerId" AND t."submittedAt" <= p."at"
  ) s
) h ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS "past" FROM "learning"."Objective" x WHERE x."presentationId" = o."presentationId" AND x."dueAt" <= p."at"
) due ON true
LEFT JOIN LATERAL (
  SELECT count(*) FILTER (WHERE r."reviewedAt" > p."at" - interval '2160 hours') AS "reviews",
         count(*) FILTER (WHERE r."reviewedAt" > p."at" - interval '2160 hours' AND r."rating" = 1) AS "lapses",
         max(r."reviewedAt") AS "lastAt"
  FROM "learning"."Review" r
  WHERE r."learnerId" = p."learnerId" AND r."reviewedAt" <= p."at"
) recall ON true
-- A session is known once it is over.
LEFT JOIN LATERAL (
  SELECT s."performance"
  FROM "learning"."StudySession" s
  WHERE s."learnerId" = p."learnerId" AND s."startedAt" <= p."at" AND s."performance" IS NOT NULL
    AND s."startedAt" + s."minutes" * interval '1 minute' <= p."at"
  ORDER BY s."startedAt" DESC, s."id" DESC
  LIMIT 1
) session ON true
LEFT JOIN LATERAL (
  SELECT sum(s."minutes"::numeric) FILTER (WHERE s."contentType" IS NOT NULL AND o."contentType" IS NOT NULL) AS "minutes",
         COALESCE(sum(s."minutes"::numeric) FILTER (WHERE s."contentType" = o."contentType"), 0) AS "same",
         max(s."startedAt") AS "lastAt"
  FROM "learning"."StudySession" s
  WHERE s."learnerId" = p."learnerId" AND s."startedAt" <= p."at" AND s."startedAt" > p."at" - interval '1440 hours'
    AND s."startedAt" + s."minutes" * interval '1 minute' <= p."at"
) content ON true
-- A day's clicks are known once the day is over.
LEFT JOIN LATERAL (
  SELECT CASE WHEN max(a."day") IS NOT NULL THEN
           COALESCE(sum(a."clicks") FILTER (WHERE a."day" > p."at" - interval '360 hours' AND a."presentationId" = o."presentationId"), 0)
         END AS "clicks",
         max(a."day") + interval '24 hours' AS "lastAt"
  FROM "learning"."Activity" a
  WHERE a."learnerId" = p."learnerId" AND a."day" <= p."at" - interval '24 hours' AND a."day" > p."at" - interval '1440 hours'
) clicks ON true
LEFT JOIN LATERAL (
  SELECT count(*) AS "prerequisites",
         count(*) FILTER (WHERE COALESCE(b.best, 0) < ${MASTERY}) AS "unmastered",
         avg(${MASTERY} - COALESCE(b.best, 0)) FILTER (WHERE COALESCE(b.best, 0) < ${MASTERY}) AS "gap"
  FROM "learning"."Prerequisite" q
  LEFT JOIN LATERAL (
    SELECT max(t."score")::numeric AS best
    FROM "learning"."Attempt" t
    WHERE t."objectiveId" = q."requiresId" AND t."learnerId" = p."learnerId" AND t."submittedAt" <= p."at"
  ) b ON true
  WHERE q."objectiveId" = o."id"
) required ON true
-- What is due in the next 14 days in any running course and not handed in yet.
LEFT JOIN LATERAL (
  SELECT count(*) AS "tasks", sum(x."expectedMinutes" * (${LEVEL('x."complexity"')}) / 60.0) AS "hours"
  FROM "learning"."Enrollment" e
  JOIN "learning"."Objective" x ON x."presentationId" = e."presentationId"
  WHERE e."learnerId" = p."learnerId" AND COALESCE(e."registeredAt" <= p."at", true)
    AND (e."withdrawnAt" IS NULL OR e."withdrawnAt" > p."at")
    AND x."dueAt" > p."at" AND x."dueAt" <= p."at" + interval '336 hours'
    AND NOT EXISTS (
      SELECT 1 FROM "learning"."Attempt" t
      WHERE t."objectiveId" = x."id" AND t."learnerId" = p."learnerId" AND t."submittedAt" <= p."at"
    )
) ahead ON true
LEFT JOIN LATERAL (
  SELECT min(x."heldAt") AS "at" FROM "learning"."Exam" x WHERE x."presentationId" = o."presentationId" AND x."heldAt" > p."at"
) exam ON true
ORDER BY p.place`

/** A number that depends on the key alone, the same on every machine. */
const HASH = `(('x' || substr(md5(en."learnerId" || ':' || o."id"), 1, 8))::bit(32)::bigint & 2147483647)`

/**
 * The moment of a training row: 1..14 days before the due date, and for one in eight 1..14 days after it, as people ask about
 * work that is late. It is drawn from the key, never from the submission: a moment that depended on when the learner handed in
 * would tell the model what it cannot know. Who had a score by then is left out, as serving leaves them out.
 */
const MOMENT = `COALESCE(o."dueAt", pr."endsAt")
  - (CASE WHEN ${HASH} % 8 = 0 THEN -1 ELSE 1 END * (1 + ${HASH} / 8 % 14)) * interval '24 hours'`

/** Parameters: the last learner of the page before, how many. */
export const LEARNERS = 'SELECT "id" FROM "learning"."Learner" WHERE "id" > $1::text ORDER BY "id" LIMIT $2::int'

/** Parameters: now, learners. OFFSET 0 keeps the moment from being worked out again in every condition. */
export const LABELS = `
SELECT m."learnerId", m."objectiveId", m."at", (first."score" < ${STRUGGLE})::int AS "label"
FROM (
  SELECT en."learnerId", o."id" AS "objectiveId", ${MOMENT} AS "at", en."registeredAt", en."withdrawnAt", pr."endsAt"
  FROM "learning"."Enrollment" en
  JOIN "learning"."Presentation" pr ON pr."id" = en."presentationId"
  JOIN "learning"."Objective" o ON o."presentationId" = en."presentationId"
  WHERE en."learnerId" = ANY($2::text[])
  OFFSET 0
) m
CROSS JOIN LATERAL (
  SELECT t."score", t."submittedAt", t."isBanked"
  FROM "learning"."Attempt" t
  WHERE t."objectiveId" = m."objectiveId" AND t."learnerId" = m."learnerId" AND t."score" IS NOT NULL
  ORDER BY t."submittedAt", t."id"
  LIMIT 1
) first
WHERE first."submittedAt" > m."at" AND first."submittedAt" <= m."at" + interval '720 hours' AND NOT first."isBanked"
  AND m."at" + interval '720 hours' <= $1::timestamptz
  AND COALESCE(m."registeredAt" <= m."at", true) AND (m."withdrawnAt" IS NULL OR m."withdrawnAt" > m."at") AND m."at" < m."endsAt"
ORDER BY m."learnerId", m."objectiveId"`

/** Parameters: moment, learner and objective of the key before (empty texts at first), limit, tenant (null: all). */
export const CANDIDATES = `
SELECT en."learnerId", o."id" AS "objectiveId"
FROM "learning"."Enrollment" en
JOIN "learning"."Presentation" pr ON pr."id" = en."presentationId"
JOIN "learning"."Objective" o ON o."presentationId" = en."presentationId"
WHERE ($5::text IS NULL OR EXISTS (SELECT FROM "learning"."Learner" l WHERE l."id" = en."learnerId" AND l."tenant" = $5::text))
  AND en."learnerId" >= $2::text AND (en."learnerId", o."id") > ($2::text, $3::text) AND ${RUNS('$1::timestamptz')}
  AND NOT EXISTS (
    SELECT 1 FROM "learning"."Attempt" t
    WHERE t."objectiveId" = o."id" AND t."learnerId" = en."learnerId" AND t."submittedAt" <= $1::timestamptz AND t."score" IS NOT NULL
  )
ORDER BY en."learnerId", o."id"
LIMIT $4::int`
