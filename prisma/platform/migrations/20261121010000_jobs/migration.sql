-- CreateEnum
CREATE TYPE "JobState" AS ENUM ('SCHEDULED', 'BLOCKED', 'QUEUED', 'RUNNING', 'RETRYING', 'CANCELLING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "JobOutcome" AS ENUM ('SUCCEEDED', 'FAILED', 'CRASHED', 'TIMED_OUT', 'CANCELLED', 'RELEASED', 'SUSPENDED');

-- CreateEnum
CREATE TYPE "MissedPolicy" AS ENUM ('SKIP', 'ONCE');

-- CreateEnum
CREATE TYPE "OverlapPolicy" AS ENUM ('SKIP', 'QUEUE', 'REPLACE');

-- CreateTable
CREATE TABLE "Job" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "tenant" TEXT NOT NULL,
    "viewerId" TEXT NOT NULL,
    "state" "JobState" NOT NULL,
    "reason" TEXT,
    "input" JSONB NOT NULL,
    "result" JSONB,
    "error" JSONB,
    "progress" JSONB,
    "metrics" JSONB NOT NULL DEFAULT '{}',
    "costUsd" DOUBLE PRECISION NOT NULL DEFAULT 0,
    "tags" TEXT[],
    "priority" INTEGER NOT NULL DEFAULT 0,
    "rank" INTEGER NOT NULL DEFAULT 0,
    "idempotencyKey" TEXT,
    "parentId" UUID,
    "scheduleId" UUID,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "failures" INTEGER NOT NULL DEFAULT 0,
    "maxAttempts" INTEGER NOT NULL,
    "deliveryId" UUID,
    "worker" TEXT,
    "incarnation" UUID,
    "heartbeatAt" TIMESTAMPTZ(3),
    "dueAt" TIMESTAMPTZ(3),
    "lastSequence" INTEGER NOT NULL DEFAULT 1,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "startedAt" TIMESTAMPTZ(3),
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Job_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "JobAttempt" (
    "jobId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "worker" TEXT NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),
    "outcome" "JobOutcome",
    "error" JSONB,

    CONSTRAINT "JobAttempt_pkey" PRIMARY KEY ("jobId","number")
);

-- CreateTable
CREATE TABLE "JobStep" (
    "jobId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "result" JSONB NOT NULL,
    "durationMs" INTEGER NOT NULL,
    "endedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "JobStep_pkey" PRIMARY KEY ("jobId","name")
);

-- CreateTable
CREATE TABLE "JobEvent" (
    "jobId" UUID NOT NULL,
    "sequence" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "transaction" BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text)::bigint,

    CONSTRAINT "JobEvent_pkey" PRIMARY KEY ("jobId","sequence")
);

-- CreateTable
CREATE TABLE "JobArtifact" (
    "jobId" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "mediaType" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "JobArtifact_pkey" PRIMARY KEY ("jobId","name")
);

-- CreateTable
CREATE TABLE "JobDependency" (
    "jobId" UUID NOT NULL,
    "onId" UUID NOT NULL,
    "anyEnd" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "JobDependency_pkey" PRIMARY KEY ("jobId","onId")
);

-- CreateTable
CREATE TABLE "JobSchedule" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "viewerId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "input" JSONB NOT NULL,
    "expression" TEXT NOT NULL,
    "timeZone" TEXT NOT NULL,
    "missed" "MissedPolicy" NOT NULL,
    "overlap" "OverlapPolicy" NOT NULL,
    "isPaused" BOOLEAN NOT NULL DEFAULT false,
    "nextAt" TIMESTAMPTZ(3),
    "lastAt" TIMESTAMPTZ(3),
    "lastJobId" UUID,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "JobSchedule_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Job_tenant_createdAt_id_idx" ON "Job"("tenant", "createdAt", "id");

-- CreateIndex
CREATE INDEX "Job_parentId_idx" ON "Job"("parentId");

-- CreateIndex
CREATE INDEX "Job_deliveryId_idx" ON "Job"("deliveryId");

-- CreateIndex
CREATE INDEX "Job_endedAt_idx" ON "Job"("endedAt");

-- CreateIndex
CREATE UNIQUE INDEX "Job_tenant_kind_idempotencyKey_key" ON "Job"("tenant", "kind", "idempotencyKey");

-- CreateIndex
CREATE INDEX "JobEvent_transaction_jobId_sequence_idx" ON "JobEvent"("transaction", "jobId", "sequence");

-- CreateIndex
CREATE INDEX "JobDependency_onId_idx" ON "JobDependency"("onId");

-- CreateIndex
CREATE INDEX "JobSchedule_nextAt_idx" ON "JobSchedule"("nextAt");

-- CreateIndex
CREATE UNIQUE INDEX "JobSchedule_tenant_name_key" ON "JobSchedule"("tenant", "name");

-- AddForeignKey
ALTER TABLE "JobAttempt" ADD CONSTRAINT "JobAttempt_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobStep" ADD CONSTRAINT "JobStep_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobEvent" ADD CONSTRAINT "JobEvent_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobArtifact" ADD CONSTRAINT "JobArtifact_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobDependency" ADD CONSTRAINT "JobDependency_jobId_fkey" FOREIGN KEY ("jobId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "JobDependency" ADD CONSTRAINT "JobDependency_onId_fkey" FOREIGN KEY ("onId") REFERENCES "Job"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- What Prisma's schema cannot say.

-- The waiting jobs of a kind in their turn, and of a tenant; the jobs that are not over; the beating ones.
CREATE INDEX "Job_waiting_idx" ON "Job"("kind", "rank") WHERE "state" IN ('QUEUED', 'RETRYING');
CREATE INDEX "Job_waiting_tenant_idx" ON "Job"("kind", "tenant", "rank") WHERE "state" IN ('QUEUED', 'RETRYING');
CREATE INDEX "Job_due_idx" ON "Job"("dueAt") WHERE "state" IN ('SCHEDULED', 'QUEUED', 'RETRYING');
CREATE INDEX "Job_unfinished_idx" ON "Job"("tenant") WHERE "state" NOT IN ('SUCCEEDED', 'FAILED', 'CANCELLED');
CREATE INDEX "Job_beating_idx" ON "Job"("heartbeatAt") WHERE "state" IN ('RUNNING', 'CANCELLING');
ALTER TABLE "Job" ADD CONSTRAINT "Job_priority_check" CHECK ("priority" BETWEEN -100 AND 100);

-- The state machine of docs/jobs.md. A move it does not show is an error, whoever makes it; each move leaves its numbered event.
CREATE FUNCTION "job_move"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."state" = OLD."state" THEN
    RETURN NEW;
  END IF;
  IF (OLD."state"::text, NEW."state"::text) NOT IN (
    ('SCHEDULED', 'QUEUED'), ('SCHEDULED', 'RUNNING'), ('SCHEDULED', 'CANCELLED'),
    ('BLOCKED', 'QUEUED'), ('BLOCKED', 'CANCELLED'),
    ('QUEUED', 'RUNNING'), ('QUEUED', 'CANCELLED'),
    ('RUNNING', 'SUCCEEDED'), ('RUNNING', 'FAILED'), ('RUNNING', 'RETRYING'), ('RUNNING', 'CANCELLING'),
    ('RUNNING', 'BLOCKED'), ('RUNNING', 'QUEUED'),
    ('RETRYING', 'RUNNING'), ('RETRYING', 'QUEUED'), ('RETRYING', 'CANCELLED'),
    ('CANCELLING', 'CANCELLED'), ('CANCELLING', 'SUCCEEDED'),
    ('FAILED', 'QUEUED'), ('CANCELLED', 'QUEUED')
  ) THEN
    RAISE EXCEPTION 'job % cannot move from % to %', OLD."id", OLD."state", NEW."state" USING ERRCODE = 'restrict_violation';
  END IF;
  NEW."lastSequence" := OLD."lastSequence" + 1;
  INSERT INTO "inkling"."JobEvent" ("jobId", "sequence", "type", "data") VALUES (NEW."id", NEW."lastSequence", NEW."state"::text,
    jsonb_strip_nulls(jsonb_build_object('from', OLD."state", 'reason', NEW."reason", 'attempt', NEW."attempt", 'worker', NEW."worker",
      'dueAt', NEW."dueAt", 'error', NEW."error")) ||
    CASE WHEN NEW."state" = 'SUCCEEDED' THEN jsonb_build_object('result', NEW."result") ELSE '{}'::jsonb END);
  IF NEW."state" = 'QUEUED' THEN
    PERFORM pg_notify('inkling_jobs', 'queued ' || NEW."kind");
  ELSIF NEW."state" = 'CANCELLING' THEN
    PERFORM pg_notify('inkling_jobs', 'cancel ' || NEW."id");
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "Job_move" BEFORE UPDATE OF "state" ON "Job" FOR EACH ROW EXECUTE FUNCTION "job_move"();

CREATE FUNCTION "job_begin"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW."state" NOT IN ('SCHEDULED', 'BLOCKED', 'QUEUED') OR NEW."lastSequence" <> 1 THEN
    RAISE EXCEPTION 'job % cannot begin as %', NEW."id", NEW."state" USING ERRCODE = 'restrict_violation';
  END IF;
  INSERT INTO "inkling"."JobEvent" ("jobId", "sequence", "type", "data") VALUES (NEW."id", 1, NEW."state"::text,
    jsonb_strip_nulls(jsonb_build_object('reason', NEW."reason", 'attempt', 0, 'dueAt', NEW."dueAt")));
  IF NEW."state" = 'QUEUED' THEN
    PERFORM pg_notify('inkling_jobs', 'queued ' || NEW."kind");
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "Job_begin" AFTER INSERT ON "Job" FOR EACH ROW EXECUTE FUNCTION "job_begin"();

-- A notification only wakes readers; they pull by their cursor.
CREATE FUNCTION "job_event_notify"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('inkling_jobs', 'event ' || a."jobId") FROM (SELECT DISTINCT "jobId" FROM added) a;
  RETURN NULL;
END $$;
CREATE TRIGGER "JobEvent_notify" AFTER INSERT ON "JobEvent" REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "job_event_notify"();
CREATE TRIGGER "JobEvent_immutable" BEFORE UPDATE ON "JobEvent" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "JobStep_immutable" BEFORE UPDATE ON "JobStep" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
