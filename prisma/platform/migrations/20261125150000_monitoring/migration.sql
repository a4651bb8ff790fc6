-- What was served, sampled. Rows are deleted when they are old; sketches keep what they say in sum.
CREATE TABLE "Prediction" (
    "id" BIGSERIAL NOT NULL,
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "asOf" TIMESTAMPTZ(3) NOT NULL,
    "servedAt" TIMESTAMPTZ(3) NOT NULL,
    "versionId" UUID,
    "probability" DOUBLE PRECISION NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "source" TEXT NOT NULL,
    "bins" SMALLINT[] NOT NULL,
    "slices" TEXT[] NOT NULL,
    "values" JSONB,
    "label" SMALLINT,
    "outcomeAt" TIMESTAMPTZ(3),
    "weight" SMALLINT NOT NULL DEFAULT 0,
    "labelledAt" TIMESTAMPTZ(3),

    CONSTRAINT "Prediction_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "Prediction_model_key_asOf_idx" ON "Prediction"("model", "key", "asOf");
CREATE INDEX "Prediction_model_labelledAt_idx" ON "Prediction"("model", "labelledAt");
CREATE INDEX "Prediction_servedAt_idx" ON "Prediction"("servedAt");
CREATE INDEX "Prediction_unlabelled_idx" ON "Prediction"("model", "asOf", "id") WHERE "label" IS NULL;

-- What became known about an entity, as it stands; each change of mind is a revision.
CREATE TABLE "Outcome" (
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "label" SMALLINT NOT NULL CHECK ("label" IN (0, 1)),
    "source" TEXT NOT NULL CHECK ("source" IN ('RECORDED', 'DERIVED')),
    "viewerId" TEXT NOT NULL,
    "weight" SMALLINT NOT NULL,
    "revision" INTEGER NOT NULL DEFAULT 1,
    "sequence" BIGSERIAL NOT NULL,
    "recordedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "Outcome_pkey" PRIMARY KEY ("tenant","model","key","at")
);
CREATE UNIQUE INDEX "Outcome_sequence_key" ON "Outcome"("sequence");
CREATE INDEX "Outcome_model_recordedAt_idx" ON "Outcome"("model", "recordedAt");

CREATE TABLE "OutcomeRevision" (
    "tenant" TEXT NOT NULL,
    "model" TEXT COLLATE "C" NOT NULL,
    "key" TEXT COLLATE "C" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "revision" INTEGER NOT NULL,
    "label" SMALLINT NOT NULL,
    "source" TEXT NOT NULL,
    "viewerId" TEXT NOT NULL,
    "weight" SMALLINT NOT NULL,
    "recordedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "OutcomeRevision_pkey" PRIMARY KEY ("tenant","model","key","at","revision"),
    CONSTRAINT "OutcomeRevision_outcome_fkey" FOREIGN KEY ("tenant","model","key","at")
      REFERENCES "Outcome"("tenant","model","key","at") ON DELETE CASCADE
);
CREATE TRIGGER "OutcomeRevision_immutable" BEFORE UPDATE ON "OutcomeRevision" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

-- How much one viewer said about one model in one hour: what rate and weight are capped by.
CREATE TABLE "OutcomeCount" (
    "tenant" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "viewerId" TEXT NOT NULL,
    "hour" TIMESTAMPTZ(3) NOT NULL,
    "said" INTEGER NOT NULL,
    "weighed" INTEGER NOT NULL,

    CONSTRAINT "OutcomeCount_pkey" PRIMARY KEY ("tenant","model","viewerId","hour")
);

-- A day of one version in constant space: counts by bin of probability, from which every metric is computed.
CREATE TABLE "PredictionSketch" (
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT COLLATE "C" NOT NULL,
    "versionId" TEXT NOT NULL,
    "threshold" DOUBLE PRECISION NOT NULL,
    "day" DATE NOT NULL,
    "slice" TEXT NOT NULL,
    "served" DOUBLE PRECISION[] NOT NULL,
    "servedSum" DOUBLE PRECISION[] NOT NULL,
    "labelled" DOUBLE PRECISION[] NOT NULL,
    "labelledSum" DOUBLE PRECISION[] NOT NULL,
    "positives" DOUBLE PRECISION[] NOT NULL,
    "logLoss" DOUBLE PRECISION NOT NULL,
    "brier" DOUBLE PRECISION NOT NULL,
    "answered" BIGINT NOT NULL,
    "abstained" BIGINT NOT NULL,
    "failed" BIGINT NOT NULL,
    "fallback" BIGINT NOT NULL,

    CONSTRAINT "PredictionSketch_pkey" PRIMARY KEY ("tenant","model","versionId","threshold","day","slice")
) WITH (fillfactor = 50);
CREATE INDEX "PredictionSketch_model_day_idx" ON "PredictionSketch"("model", "day");

-- A day of one feature of one version: counts by the bins of its training rows; the last two are missing and unknown.
CREATE TABLE "FeatureSketch" (
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT COLLATE "C" NOT NULL,
    "versionId" TEXT NOT NULL,
    "day" DATE NOT NULL,
    "feature" TEXT NOT NULL,
    "counts" DOUBLE PRECISION[] NOT NULL,

    CONSTRAINT "FeatureSketch_pkey" PRIMARY KEY ("tenant","model","versionId","day","feature")
) WITH (fillfactor = 50);
CREATE INDEX "FeatureSketch_model_day_idx" ON "FeatureSketch"("model", "day");

CREATE FUNCTION "add_arrays"(a DOUBLE PRECISION[], b DOUBLE PRECISION[]) RETURNS DOUBLE PRECISION[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT array_agg(COALESCE(u.x, 0) + COALESCE(u.y, 0) ORDER BY u.place) FROM unnest(a, b) WITH ORDINALITY AS u(x, y, place)
$$;

CREATE TYPE "AlertState" AS ENUM ('OPEN', 'ACKNOWLEDGED', 'RESOLVED');

CREATE TABLE "Alert" (
    "id" UUID NOT NULL,
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "model" TEXT NOT NULL,
    "rule" TEXT NOT NULL,
    "state" "AlertState" NOT NULL,
    "message" TEXT NOT NULL,
    "details" JSONB NOT NULL,
    "owner" TEXT,
    "versionId" UUID,
    "openedAt" TIMESTAMPTZ(3) NOT NULL,
    "seenAt" TIMESTAMPTZ(3) NOT NULL,
    "acknowledgedAt" TIMESTAMPTZ(3),
    "acknowledgedBy" TEXT,
    "resolvedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Alert_pkey" PRIMARY KEY ("id")
);
-- A storm is one alert: whatever is wrong by one rule is one open row, however many look at the same time.
CREATE UNIQUE INDEX "Alert_unresolved_key" ON "Alert"("tenant", "model", "rule") WHERE "state" <> 'RESOLVED';
CREATE INDEX "Alert_tenant_openedAt_id_idx" ON "Alert"("tenant", "openedAt", "id");

-- Numbered under a lock, so that a later number is never committed before an earlier one.
CREATE TABLE "AlertEvent" (
    "sequence" BIGSERIAL NOT NULL,
    "alertId" UUID NOT NULL,
    "tenant" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "AlertEvent_pkey" PRIMARY KEY ("sequence"),
    CONSTRAINT "AlertEvent_alertId_fkey" FOREIGN KEY ("alertId") REFERENCES "Alert"("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "AlertEvent_tenant_sequence_idx" ON "AlertEvent"("tenant", "sequence");
CREATE TRIGGER "AlertEvent_immutable" BEFORE UPDATE ON "AlertEvent" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();

-- Versions that learned from people who were removed since.
CREATE TABLE "VersionForgotten" (
    "versionId" UUID NOT NULL,
    "people" INTEGER NOT NULL,
    "firstAt" TIMESTAMPTZ(3) NOT NULL,
    "lastAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "VersionForgotten_pkey" PRIMARY KEY ("versionId"),
    CONSTRAINT "VersionForgotten_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "Version"("id") ON DELETE CASCADE ON UPDATE CASCADE
);

-- Digests of removed keys, kept for an hour: what a process still has in its buffer must not come back.
CREATE TABLE "ForgottenKey" (
    "digest" TEXT NOT NULL,
    "forgottenAt" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),

    CONSTRAINT "ForgottenKey_pkey" PRIMARY KEY ("digest")
);
