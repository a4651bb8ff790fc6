-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "learning";

-- CreateEnum
CREATE TYPE "ObjectiveType" AS ENUM ('LESSON', 'QUIZ', 'ASSIGNMENT', 'COMPUTER_MARKED', 'EXAM');

-- CreateEnum
CREATE TYPE "ContentType" AS ENUM ('TEXT', 'VIDEO', 'EXERCISE', 'DISCUSSION');

-- CreateEnum
CREATE TYPE "Complexity" AS ENUM ('BASIC', 'INTERMEDIATE', 'ADVANCED');

-- CreateEnum
CREATE TYPE "ActivityKind" AS ENUM ('CONTENT', 'FORUM', 'QUIZ', 'RESOURCE', 'OTHER');

-- CreateEnum
CREATE TYPE "Plan" AS ENUM ('BASIC', 'PRO', 'TEAM');

-- CreateTable
CREATE TABLE "Learner" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "gender" TEXT,
    "country" TEXT,
    "region" TEXT,
    "joinedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Learner_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Course" (
    "id" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "title" TEXT NOT NULL,

    CONSTRAINT "Course_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Presentation" (
    "id" TEXT NOT NULL,
    "courseId" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "startsAt" TIMESTAMPTZ(3) NOT NULL,
    "endsAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Presentation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Objective" (
    "id" TEXT NOT NULL,
    "presentationId" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "type" "ObjectiveType" NOT NULL,
    "contentType" "ContentType",
    "complexity" "Complexity",
    "weight" DOUBLE PRECISION,
    "position" INTEGER NOT NULL,
    "dueAt" TIMESTAMPTZ(3),
    "expectedMinutes" INTEGER,

    CONSTRAINT "Objective_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Prerequisite" (
    "objectiveId" TEXT NOT NULL,
    "requiresId" TEXT NOT NULL,

    CONSTRAINT "Prerequisite_pkey" PRIMARY KEY ("objectiveId","requiresId")
);

-- CreateTable
CREATE TABLE "Enrollment" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "presentationId" TEXT NOT NULL,
    "registeredAt" TIMESTAMPTZ(3),
    "withdrawnAt" TIMESTAMPTZ(3),
    "finalResult" TEXT,
    "education" TEXT,
    "ageBand" TEXT,
    "deprivationBand" TEXT,
    "hasDisability" BOOLEAN,
    "previousAttempts" INTEGER,
    "studiedCredits" INTEGER,
    "clicksBeforeStart" INTEGER,

    CONSTRAINT "Enrollment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Attempt" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "objectiveId" TEXT NOT NULL,
    "enrollmentId" TEXT NOT NULL,
    "submittedAt" TIMESTAMPTZ(3) NOT NULL,
    "score" DOUBLE PRECISION,
    "durationMinutes" DOUBLE PRECISION,
    "isBanked" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "Attempt_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Review" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "objectiveId" TEXT NOT NULL,
    "reviewedAt" TIMESTAMPTZ(3) NOT NULL,
    "rating" INTEGER NOT NULL,

    CONSTRAINT "Review_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Activity" (
    "learnerId" TEXT NOT NULL,
    "presentationId" TEXT NOT NULL,
    "day" TIMESTAMPTZ(3) NOT NULL,
    "kind" "ActivityKind" NOT NULL,
    "clicks" INTEGER NOT NULL,

    CONSTRAINT "Activity_pkey" PRIMARY KEY ("learnerId","presentationId","day","kind")
);

-- CreateTable
CREATE TABLE "StudySession" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "minutes" DOUBLE PRECISION NOT NULL,
    "contentType" "ContentType",
    "performance" DOUBLE PRECISION,

    CONSTRAINT "StudySession_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Exam" (
    "id" TEXT NOT NULL,
    "presentationId" TEXT NOT NULL,
    "title" TEXT NOT NULL,
    "heldAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Exam_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Subscription" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "plan" "Plan" NOT NULL,
    "priceUsd" DECIMAL(10,2) NOT NULL,
    "startsAt" TIMESTAMPTZ(3) NOT NULL,
    "endsAt" TIMESTAMPTZ(3),

    CONSTRAINT "Subscription_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Payment" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "subscriptionId" TEXT,
    "amount" DECIMAL(10,2) NOT NULL,
    "paidAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Payment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Cancellation" (
    "id" TEXT NOT NULL,
    "learnerId" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "reason" TEXT,

    CONSTRAINT "Cancellation_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Learner_name_id_idx" ON "Learner"("name", "id");

-- CreateIndex
CREATE INDEX "Learner_joinedAt_id_idx" ON "Learner"("joinedAt", "id");

-- CreateIndex
CREATE UNIQUE INDEX "Course_code_key" ON "Course"("code");

-- CreateIndex
CREATE UNIQUE INDEX "Presentation_courseId_code_key" ON "Presentation"("courseId", "code");

-- CreateIndex
CREATE INDEX "Objective_presentationId_dueAt_idx" ON "Objective"("presentationId", "dueAt");

-- CreateIndex
CREATE UNIQUE INDEX "Objective_presentationId_position_key" ON "Objective"("presentationId", "position");

-- CreateIndex
CREATE INDEX "Prerequisite_requiresId_idx" ON "Prerequisite"("requiresId");

-- CreateIndex
CREATE INDEX "Enrollment_presentationId_idx" ON "Enrollment"("presentationId");

-- CreateIndex
CREATE UNIQUE INDEX "Enrollment_learnerId_presentationId_key" ON "Enrollment"("learnerId", "presentationId");

-- CreateIndex
CREATE INDEX "Attempt_learnerId_submittedAt_idx" ON "Attempt"("learnerId", "submittedAt");

-- CreateIndex
CREATE INDEX "Attempt_objectiveId_learnerId_submittedAt_idx" ON "Attempt"("objectiveId", "learnerId", "submittedAt");

-- CreateIndex
CREATE INDEX "Attempt_enrollmentId_submittedAt_idx" ON "Attempt"("enrollmentId", "submittedAt");

-- CreateIndex
CREATE INDEX "Review_learnerId_reviewedAt_idx" ON "Review"("learnerId", "reviewedAt");

-- CreateIndex
CREATE INDEX "Review_objectiveId_idx" ON "Review"("objectiveId");

-- CreateIndex
CREATE INDEX "Activity_learnerId_day_idx" ON "Activity"("learnerId", "day");

-- CreateIndex
CREATE INDEX "StudySession_learnerId_startedAt_idx" ON "StudySession"("learnerId", "startedAt");

-- CreateIndex
CREATE INDEX "Exam_presentationId_heldAt_idx" ON "Exam"("presentationId", "heldAt");

-- CreateIndex
CREATE INDEX "Subscription_learnerId_startsAt_idx" ON "Subscription"("learnerId", "startsAt");

-- CreateIndex
CREATE INDEX "Payment_learnerId_paidAt_idx" ON "Payment"("learnerId", "paidAt");

-- CreateIndex
CREATE INDEX "Payment_subscriptionId_idx" ON "Payment"("subscriptionId");

-- CreateIndex
CREATE INDEX "Cancellation_learnerId_at_idx" ON "Cancellation"("learnerId", "at");

-- AddForeignKey
ALTER TABLE "Presentation" ADD CONSTRAINT "Presentation_courseId_fkey" FOREIGN KEY ("courseId") REFERENCES "Course"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Objective" ADD CONSTRAINT "Objective_presentationId_fkey" FOREIGN KEY ("presentationId") REFERENCES "Presentation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Prerequisite" ADD CONSTRAINT "Prerequisite_objectiveId_fkey" FOREIGN KEY ("objectiveId") REFERENCES "Objective"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Prerequisite" ADD CONSTRAINT "Prerequisite_requiresId_fkey" FOREIGN KEY ("requiresId") REFERENCES "Objective"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Enrollment" ADD CONSTRAINT "Enrollment_presentationId_fkey" FOREIGN KEY ("presentationId") REFERENCES "Presentation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Attempt" ADD CONSTRAINT "Attempt_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Attempt" ADD CONSTRAINT "Attempt_objectiveId_fkey" FOREIGN KEY ("objectiveId") REFERENCES "Objective"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Attempt" ADD CONSTRAINT "Attempt_enrollmentId_fkey" FOREIGN KEY ("enrollmentId") REFERENCES "Enrollment"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Review" ADD CONSTRAINT "Review_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Review" ADD CONSTRAINT "Review_objectiveId_fkey" FOREIGN KEY ("objectiveId") REFERENCES "Objective"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Activity" ADD CONSTRAINT "Activity_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Activity" ADD CONSTRAINT "Activity_presentationId_fkey" FOREIGN KEY ("presentationId") REFERENCES "Presentation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "StudySession" ADD CONSTRAINT "StudySession_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Exam" ADD CONSTRAINT "Exam_presentationId_fkey" FOREIGN KEY ("presentationId") REFERENCES "Presentation"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Subscription" ADD CONSTRAINT "Subscription_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Payment" ADD CONSTRAINT "Payment_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Payment" ADD CONSTRAINT "Payment_subscriptionId_fkey" FOREIGN KEY ("subscriptionId") REFERENCES "Subscription"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Cancellation" ADD CONSTRAINT "Cancellation_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner"("id") ON DELETE CASCADE ON UPDATE CASCADE;



-- Views: derived from the rows above by set-based SQL, never typed in, and so never stale.

-- An enrolment x an objective of its presentation.
CREATE VIEW "Progress" AS
SELECT e."learnerId", o."id" AS "objectiveId", e."id" AS "enrollmentId", o."presentationId", o."dueAt",
       COALESCE(a."attempts", 0)::int AS "attempts", a."lastScore", a."bestScore", a."firstScoredAt", a."lastSubmittedAt"
FROM "Enrollment" e
JOIN "Objective" o ON o."presentationId" = e."presentationId"
LEFT JOIN LATERAL (
  SELECT count(*) AS "attempts",
         (array_agg(t."score" ORDER BY t."submittedAt" DESC, t."id" DESC) FILTER (WHERE t."score" IS NOT NULL))[1] AS "lastScore",
         max(t."score") AS "bestScore",
         min(t."submittedAt") FILTER (WHERE t."score" IS NOT NULL) AS "firstScoredAt",
         max(t."submittedAt") AS "lastSubmittedAt"
  FROM "Attempt" t
  WHERE t."objectiveId" = o."id" AND t."learnerId" = e."learnerId"
) a ON true;

-- What a learner did about one objective on one UTC day.
CREATE VIEW "PerformanceMetric" AS
SELECT "learnerId", "objectiveId", "day",
       sum("attempts")::int AS "attempts",
       sum("scoreSum") / nullif(sum("scored"), 0) AS "meanScore",
       max("bestScore") AS "bestScore",
       sum("reviews")::int AS "reviews",
       sum("lapses")::int AS "lapses"
FROM (
  SELECT "learnerId", "objectiveId", ("submittedAt" AT TIME ZONE 'UTC')::date AS "day", 1 AS "attempts",
         "score" AS "scoreSum", ("score" IS NOT NULL)::int AS "scored", "score" AS "bestScore", 0 AS "reviews", 0 AS "lapses"
  FROM "Attempt"
  UNION ALL
  SELECT "learnerId", "objectiveId", ("reviewedAt" AT TIME ZONE 'UTC')::date, 0, NULL, 0, NULL, 1, ("rating" = 1)::int
  FROM "Review"
) happened
GROUP BY "learnerId", "objectiveId", "day";

-- How a learner studied in one ISO week (UTC), named by its Monday.
CREATE VIEW "BehavioralPattern" AS
SELECT "learnerId", "week",
       count(DISTINCT "activeDay")::int AS "activeDays",
       COALESCE(sum("clicks"), 0)::int AS "clicks",
       sum("session")::int AS "sessions",
       COALESCE(sum("minutes"), 0)::float8 AS "minutes",
       avg("performance") AS "meanPerformance"
FROM (
  SELECT "learnerId", date_trunc('week', "day" AT TIME ZONE 'UTC')::date AS "week",
         ("day" AT TIME ZONE 'UTC')::date AS "activeDay", "clicks", 0 AS "session", NULL::float8 AS "minutes", NULL::float8 AS "performance"
  FROM "Activity"
  UNION ALL
  SELECT "learnerId", date_trunc('week', "startedAt" AT TIME ZONE 'UTC')::date,
         ("startedAt" AT TIME ZONE 'UTC')::date, NULL, 1, "minutes", "performance"
  FROM "StudySession"
) happened
GROUP BY "learnerId", "week";
