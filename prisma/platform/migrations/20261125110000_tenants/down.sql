-- What several tenants counted becomes one count again.
CREATE TEMPORARY TABLE counted AS SELECT "model", "bucket", sum("count")::bigint AS "count" FROM "ScoreCount" GROUP BY 1, 2;
DELETE FROM "ScoreCount";
ALTER TABLE "ScoreCount" DROP CONSTRAINT "ScoreCount_pkey";
ALTER TABLE "ScoreCount" DROP COLUMN "tenant";
ALTER TABLE "ScoreCount" ADD CONSTRAINT "ScoreCount_pkey" PRIMARY KEY ("model","bucket");
INSERT INTO "ScoreCount" ("model", "bucket", "count") SELECT "model", "bucket", "count" FROM counted;
DROP TABLE counted;
DROP INDEX "Score_model_tenant_probability_key_idx";
CREATE INDEX "Score_model_probability_key_idx" ON "Score"("model", "probability", "key");
DROP INDEX "Scoring_model_tenant_completedAt_idx";
CREATE INDEX "Scoring_model_completedAt_idx" ON "Scoring"("model", "completedAt");
ALTER TABLE "Scoring" DROP COLUMN "tenant";
ALTER TABLE "ScoreHistory" DROP COLUMN "tenant";
ALTER TABLE "Score" DROP COLUMN "tenant";
CREATE OR REPLACE FUNCTION "score_count"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM added ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "bucket", "count")
    SELECT "model", "inkling"."score_bucket"("probability"), count(*) FROM added GROUP BY 1, 2
    ON CONFLICT ("model", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSIF TG_OP = 'UPDATE' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM added ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "bucket", "count")
    SELECT "model", bucket, sum(change) FROM (
      SELECT "model", "inkling"."score_bucket"("probability") AS bucket, 1 AS change FROM added
      UNION ALL SELECT "model", "inkling"."score_bucket"("probability"), -1 FROM removed
    ) moved GROUP BY 1, 2 HAVING sum(change) <> 0
    ON CONFLICT ("model", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSIF TG_OP = 'DELETE' THEN
    PERFORM pg_advisory_xact_lock(hashtext('score count ' || m)) FROM (SELECT DISTINCT "model" AS m FROM removed ORDER BY 1) x;
    INSERT INTO "inkling"."ScoreCount" AS c ("model", "bucket", "count")
    SELECT "model", "inkling"."score_bucket"("probability"), -count(*) FROM removed GROUP BY 1, 2
    ON CONFLICT ("model", "bucket") DO UPDATE SET "count" = c."count" + EXCLUDED."count";
  ELSE
    DELETE FROM "inkling"."ScoreCount";
  END IF;
  RETURN NULL;
END $$;
