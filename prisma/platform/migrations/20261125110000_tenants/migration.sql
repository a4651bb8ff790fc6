-- AlterTable. A stored score belongs to the tenant of its entity.
ALTER TABLE "Score" ADD COLUMN "tenant" TEXT COLLATE "C" NOT NULL DEFAULT 'default';
ALTER TABLE "ScoreHistory" ADD COLUMN "tenant" TEXT COLLATE "C" NOT NULL DEFAULT 'default';
ALTER TABLE "ScoreCount" ADD COLUMN "tenant" TEXT COLLATE "C" NOT NULL DEFAULT 'default';

-- A scoring of everybody belongs to nobody.
ALTER TABLE "Scoring" ADD COLUMN "tenant" TEXT;
DROP INDEX "Scoring_model_completedAt_idx";
CREATE INDEX "Scoring_model_tenant_completedAt_idx" ON "Scoring"("model", "tenant", "completedAt");

-- One range of the index is one tenant's list.
DROP INDEX "Score_model_probability_key_idx";
CREATE INDEX "Score_model_tenant_probability_key_idx" ON "Score"("model", "tenant", "probability", "key");
ALTER TABLE "ScoreCount" DROP CONSTRAINT "ScoreCount_pkey";
ALTER TABLE "ScoreCount" ADD CONSTRAINT "ScoreCount_pkey" PRIMARY KEY ("model","tenant","bucket");

-- The counters as before, by tenant too.
CREATE OR REPLACE FUNCTION "score_count"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- One statement may fire this twice (inserted rows, updated rows): a lock per model keeps two writers from a deadlock.
  IF TG_OP = 'INSERT' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM added ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "tenant", "bucket", "count")
    SELECT "model", "tenant", "inkling"."score_bucket"("probability"), count(*) FROM added GROUP BY 1, 2, 3
    ON CONFLICT ("model", "tenant", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSIF TG_OP = 'UPDATE' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM added ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "tenant", "bucket", "count")
    SELECT "model", "tenant", bucket, sum(change) FROM (
      SELECT "model", "tenant", "inkling"."score_bucket"("probability") AS bucket, 1 AS change FROM added
      UNION ALL SELECT "model", "tenant", "inkling"."score_bucket"("probability"), -1 FROM removed
    ) moved GROUP BY 1, 2, 3 HAVING sum(change) <> 0
    ON CONFLICT ("model", "tenant", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM removed ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "tenant", "bucket", "count")
    SELECT "model", "tenant", "inkling"."score_bucket"("probability"), -count(*) FROM removed GROUP BY 1, 2, 3
    ON CONFLICT ("model", "tenant", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSE
    DELETE FROM "inkling"."ScoreCount";
  END IF;
  RETURN NULL;
END $$;
