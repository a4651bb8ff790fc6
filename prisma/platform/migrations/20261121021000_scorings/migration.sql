-- CreateTable
CREATE TABLE "Scoring" (
    "jobId" UUID NOT NULL,
    "model" TEXT NOT NULL,
    "versionId" UUID NOT NULL,
    "versionNumber" INTEGER NOT NULL,
    "asOf" TIMESTAMPTZ(3) NOT NULL,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "completedAt" TIMESTAMPTZ(3) NOT NULL,
    "isWhole" BOOLEAN NOT NULL,
    "scored" INTEGER NOT NULL,
    "notApplicable" INTEGER NOT NULL,

    CONSTRAINT "Scoring_pkey" PRIMARY KEY ("jobId")
);

-- CreateTable
CREATE TABLE "ScoreChange" (
    "id" BIGSERIAL NOT NULL,
    "model" TEXT NOT NULL,
    "fields" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "changedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "ScoreChange_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "Scoring_model_completedAt_idx" ON "Scoring"("model", "completedAt");

-- CreateIndex
CREATE INDEX "ScoreChange_model_id_idx" ON "ScoreChange"("model", "id");

-- For triggers on the customer's tables: notes whose scores changed rows make out of date. Arguments: the model, then field, column, field,
-- column ... Rows are only added, never merged: a merge would make the customer's own transactions wait for each other.
CREATE FUNCTION "note_change"() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
DECLARE
  fields text := TG_ARGV[1];
  columns text := format('%I::text', TG_ARGV[2]);
  missing text := format('%I IS NOT NULL', TG_ARGV[2]);
  source text;
BEGIN
  FOR i IN 3 .. TG_NARGS - 1 BY 2 LOOP
    fields := fields || ',' || TG_ARGV[i];
    columns := columns || format(', %I::text', TG_ARGV[i + 1]);
    missing := missing || format(' AND %I IS NOT NULL', TG_ARGV[i + 1]);
  END LOOP;
  source := CASE TG_OP WHEN 'INSERT' THEN 'SELECT * FROM added' WHEN 'DELETE' THEN 'SELECT * FROM removed'
                       ELSE 'SELECT * FROM added UNION ALL SELECT * FROM removed' END;
  EXECUTE format(
    'INSERT INTO "inkling"."ScoreChange" ("model", "fields", "key")
     SELECT DISTINCT $1, $2, json_build_array(%s)::text FROM (%s) changed WHERE %s', columns, source, missing)
  USING TG_ARGV[0], fields;
  RETURN NULL;
END $$;
