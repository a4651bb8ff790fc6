-- A version may wait for somebody's approval.
ALTER TYPE "VersionState" ADD VALUE IF NOT EXISTS 'PENDING';

-- An alias may be removed (toId null), and the champion rolled back: what kind of move it was decides where the next rollback goes.
ALTER TABLE "AliasMove" ALTER COLUMN "toId" DROP NOT NULL;
ALTER TABLE "AliasMove" ADD COLUMN "act" TEXT NOT NULL DEFAULT 'MOVE' CHECK ("act" IN ('MOVE', 'ROLLBACK', 'REMOVE'));

-- CreateTable
CREATE TABLE "Experiment" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "baselineId" UUID NOT NULL,
    "challengerId" UUID NOT NULL,
    "salt" TEXT NOT NULL,
    "plan" JSONB NOT NULL,
    "verdict" JSONB,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "startedBy" TEXT NOT NULL,
    "endedAt" TIMESTAMPTZ(3),
    "endedBy" TEXT,
    "outcome" TEXT,
    "reason" TEXT,

    CONSTRAINT "Experiment_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ExperimentStep" (
    "experimentId" UUID NOT NULL,
    "number" INTEGER NOT NULL,
    "buckets" INTEGER NOT NULL CHECK ("buckets" BETWEEN 0 AND 10000),
    "at" TIMESTAMPTZ(3) NOT NULL,
    "setBy" TEXT NOT NULL,

    CONSTRAINT "ExperimentStep_pkey" PRIMARY KEY ("experimentId", "number")
);

-- CreateTable
CREATE TABLE "ShadowComparison" (
    "model" TEXT NOT NULL,
    "servedId" UUID NOT NULL,
    "shadowId" UUID NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "rows" BIGINT NOT NULL,
    "agreed" BIGINT NOT NULL,
    "disagreed" BIGINT NOT NULL,
    "failed" BIGINT NOT NULL,
    "dropped" BIGINT NOT NULL,
    "difference" DOUBLE PRECISION NOT NULL,
    "distance" DOUBLE PRECISION NOT NULL,
    "squares" DOUBLE PRECISION NOT NULL,
    "largest" DOUBLE PRECISION NOT NULL,

    CONSTRAINT "ShadowComparison_pkey" PRIMARY KEY ("model", "servedId", "shadowId", "hour")
);

-- CreateIndex
CREATE INDEX "Experiment_kind_name_startedAt_idx" ON "Experiment"("kind", "name", "startedAt");

-- AddForeignKey
ALTER TABLE "Experiment" ADD CONSTRAINT "Experiment_baselineId_fkey" FOREIGN KEY ("baselineId") REFERENCES "Version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "Experiment" ADD CONSTRAINT "Experiment_challengerId_fkey" FOREIGN KEY ("challengerId") REFERENCES "Version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ExperimentStep" ADD CONSTRAINT "ExperimentStep_experimentId_fkey" FOREIGN KEY ("experimentId") REFERENCES "Experiment"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- One experiment at a time for each thing, whoever races.
CREATE UNIQUE INDEX "Experiment_running" ON "Experiment"("kind", "name") WHERE "endedAt" IS NULL;

-- A version never changes but for its state and the reasons of it, and a state only moves on.
CREATE FUNCTION "refuse_version_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (OLD."id", OLD."kind", OLD."name", OLD."number", OLD."artefacts", OLD."schemaHash", OLD."contents", OLD."runId", OLD."createdBy", OLD."createdAt")
     IS DISTINCT FROM
     (NEW."id", NEW."kind", NEW."name", NEW."number", NEW."artefacts", NEW."schemaHash", NEW."contents", NEW."runId", NEW."createdBy", NEW."createdAt") THEN
    RAISE EXCEPTION 'Version rows are immutable' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD."state" <> NEW."state" AND OLD."state"::text <> 'PENDING' AND NEW."state"::text <> 'QUARANTINED' THEN
    RAISE EXCEPTION 'A version that is % does not become %', OLD."state", NEW."state" USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "Version_immutable" BEFORE UPDATE ON "Version" FOR EACH ROW EXECUTE FUNCTION "refuse_version_change"();

-- A log from which rows can be taken explains nothing, and a model that has a champion keeps one.
CREATE TRIGGER "AliasMove_kept" BEFORE DELETE ON "AliasMove" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE FUNCTION "refuse_champion_removal"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD."alias" = 'champion' THEN
    RAISE EXCEPTION 'A champion is only ever replaced' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER "Alias_champion" BEFORE DELETE ON "Alias" FOR EACH ROW EXECUTE FUNCTION "refuse_champion_removal"();
