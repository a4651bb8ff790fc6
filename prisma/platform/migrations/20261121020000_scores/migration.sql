-- CreateTable. Keys are compared byte by byte: the order of ties must not depend on the server's language.
CREATE TABLE "Score" (
    "model" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL CHECK ("probability" BETWEEN 0 AND 1),
    "low" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "versionId" UUID NOT NULL,
    "versionNumber" INTEGER NOT NULL,
    "asOf" TIMESTAMPTZ(3) NOT NULL,
    "scoredAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Score_pkey" PRIMARY KEY ("model","key")
);

-- CreateTable
CREATE TABLE "ScoreHistory" (
    "model" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "asOf" TIMESTAMPTZ(3) NOT NULL,
    "scoredAt" TIMESTAMPTZ(3) NOT NULL,
    "probability" DOUBLE PRECISION NOT NULL,
    "low" DOUBLE PRECISION NOT NULL,
    "high" DOUBLE PRECISION NOT NULL,
    "versionId" UUID NOT NULL,
    "versionNumber" INTEGER NOT NULL,

    CONSTRAINT "ScoreHistory_pkey" PRIMARY KEY ("model","key","asOf","scoredAt")
);

-- CreateTable. Its rows change with every page that is scored: room on the page keeps those changes in place.
CREATE TABLE "ScoreCount" (
    "model" TEXT COLLATE "C" NOT NULL,
    "bucket" INTEGER NOT NULL,
    "count" BIGINT NOT NULL,

    CONSTRAINT "ScoreCount_pkey" PRIMARY KEY ("model","bucket")
) WITH (fillfactor = 50);

-- CreateIndex
CREATE INDEX "Score_model_probability_key_idx" ON "Score"("model", "probability", "key");

-- k / 1000 is the nearest float to that decimal, so a score of exactly 0.57 lies in bucket 570 although 0.57 * 1000 is less than 570.
CREATE FUNCTION "score_bucket"(p DOUBLE PRECISION) RETURNS INTEGER LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN (floor(p * 1000) + 1) / 1000 <= p THEN floor(p * 1000) + 1
              WHEN floor(p * 1000) / 1000 > p THEN floor(p * 1000) - 1
              ELSE floor(p * 1000) END::int
$$;

-- Counting a million rows takes 100 ms and more; a thousand counters take one. They follow whoever changes scores.
CREATE FUNCTION "score_count"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- One statement may fire this twice (inserted rows, updated rows): a lock per model keeps two writers from a deadlock.
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
CREATE TRIGGER "Score_added" AFTER INSERT ON "Score" REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "score_count"();
CREATE TRIGGER "Score_changed" AFTER UPDATE ON "Score" REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION "score_count"();
CREATE TRIGGER "Score_removed" AFTER DELETE ON "Score" REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION "score_count"();
CREATE TRIGGER "Score_emptied" AFTER TRUNCATE ON "Score" FOR EACH STATEMENT EXECUTE FUNCTION "score_count"();

-- History is only added to; what is old may be deleted.
CREATE TRIGGER "ScoreHistory_immutable" BEFORE UPDATE ON "ScoreHistory" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
