-- CreateEnum
CREATE TYPE "BudgetScope" AS ENUM ('GLOBAL', 'TEAM', 'VIEWER', 'PROMPT');

-- CreateEnum
CREATE TYPE "BudgetPeriod" AS ENUM ('HOUR', 'DAY', 'MONTH');

-- CreateEnum
CREATE TYPE "BudgetEntry" AS ENUM ('RESERVED', 'SETTLED', 'EXPIRED');

-- CreateEnum
CREATE TYPE "CompletionState" AS ENUM ('RUNNING', 'FINISHED', 'FAILED');

-- CreateTable
CREATE TABLE "Budget" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "scope" "BudgetScope" NOT NULL,
    "subject" TEXT NOT NULL,
    "period" "BudgetPeriod" NOT NULL,
    "limitUsd" DECIMAL(18,9) NOT NULL,
    "createdBy" TEXT NOT NULL,
    "changedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Budget_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "Budget_limitUsd_check" CHECK ("limitUsd" >= 0)
);

-- CreateTable
CREATE TABLE "BudgetWindow" (
    "budgetId" UUID NOT NULL,
    "subject" TEXT NOT NULL,
    "startsAt" TIMESTAMPTZ(3) NOT NULL,
    "reservedUsd" DECIMAL(18,9) NOT NULL DEFAULT 0,
    "spentUsd" DECIMAL(18,9) NOT NULL DEFAULT 0,

    CONSTRAINT "BudgetWindow_pkey" PRIMARY KEY ("budgetId", "subject", "startsAt"),
    CONSTRAINT "BudgetWindow_check" CHECK ("reservedUsd" >= 0 AND "spentUsd" >= 0)
);

-- CreateTable
CREATE TABLE "BudgetReservation" (
    "id" UUID NOT NULL,
    "amountUsd" DECIMAL(18,9) NOT NULL,
    "windows" JSONB NOT NULL,
    "expiresAt" TIMESTAMPTZ(3) NOT NULL,
    "isExpired" BOOLEAN NOT NULL DEFAULT false,

    CONSTRAINT "BudgetReservation_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "BudgetLedger" (
    "sequence" BIGSERIAL NOT NULL,
    "reservationId" UUID NOT NULL,
    "entry" "BudgetEntry" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "viewerId" TEXT NOT NULL,
    "prompt" TEXT NOT NULL,
    "completionId" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "amountUsd" DECIMAL(18,9) NOT NULL,
    "inputTokens" INTEGER NOT NULL DEFAULT 0,
    "cachedInputTokens" INTEGER NOT NULL DEFAULT 0,
    "outputTokens" INTEGER NOT NULL DEFAULT 0,
    "outcome" TEXT NOT NULL,

    CONSTRAINT "BudgetLedger_pkey" PRIMARY KEY ("sequence")
);

-- CreateTable
CREATE TABLE "Completion" (
    "tenant" TEXT NOT NULL DEFAULT 'default',
    "viewerId" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "owner" UUID NOT NULL,
    "state" "CompletionState" NOT NULL,
    "prompt" TEXT NOT NULL,
    "target" TEXT,
    "label" TEXT,
    "text" TEXT NOT NULL DEFAULT '',
    "toolCalls" JSONB NOT NULL DEFAULT '[]',
    "finishReason" TEXT,
    "error" JSONB,
    "problem" TEXT,
    "inputTokens" INTEGER NOT NULL DEFAULT 0,
    "cachedInputTokens" INTEGER NOT NULL DEFAULT 0,
    "outputTokens" INTEGER NOT NULL DEFAULT 0,
    "isEstimated" BOOLEAN NOT NULL DEFAULT false,
    "costUsd" DECIMAL(18,9) NOT NULL DEFAULT 0,
    "source" TEXT,
    "firstTokenMs" INTEGER,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Completion_pkey" PRIMARY KEY ("tenant", "viewerId", "id")
);

-- CreateIndex
CREATE UNIQUE INDEX "Budget_tenant_scope_subject_period_key" ON "Budget"("tenant", "scope", "subject", "period");

-- CreateIndex
CREATE INDEX "BudgetReservation_isExpired_expiresAt_idx" ON "BudgetReservation"("isExpired", "expiresAt");

-- CreateIndex
CREATE UNIQUE INDEX "BudgetLedger_reservationId_entry_key" ON "BudgetLedger"("reservationId", "entry");

-- CreateIndex
CREATE INDEX "BudgetLedger_tenant_at_idx" ON "BudgetLedger"("tenant", "at");

-- CreateIndex
CREATE INDEX "Completion_tenant_viewerId_startedAt_id_idx" ON "Completion"("tenant", "viewerId", "startedAt", "id");

-- CreateIndex
CREATE INDEX "Completion_tenant_startedAt_viewerId_id_idx" ON "Completion"("tenant", "startedAt", "viewerId", "id");

-- AddForeignKey
ALTER TABLE "BudgetWindow" ADD CONSTRAINT "BudgetWindow_budgetId_fkey" FOREIGN KEY ("budgetId") REFERENCES "Budget"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- The ledger says what was promised and what was paid: nothing in it is ever changed.
CREATE FUNCTION "refuse_ledger_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'The ledger is append-only.';
END $$;
CREATE TRIGGER "BudgetLedger_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "BudgetLedger"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_ledger_change"();

-- The windows that a call of a viewer for a prompt falls into at a moment. A budget without a subject holds for each viewer or prompt that
-- has none of its own for the same period.
CREATE FUNCTION "budget_windows"(called_by text, by_tenant text, for_prompt text, moment timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SET search_path = inkling, pg_catalog AS $$
  SELECT coalesce(jsonb_agg(jsonb_build_object(
           'budgetId', b."id", 'subject', w.subject, 'startsAt', date_trunc(lower(b."period"::text), moment, 'UTC'),
           'limitUsd', b."limitUsd", 'scope', b."scope", 'period', b."period")), '[]')
    FROM "Budget" b,
    LATERAL (SELECT CASE b."scope" WHEN 'VIEWER' THEN called_by WHEN 'PROMPT' THEN for_prompt ELSE '' END AS subject) w
   WHERE (b."tenant" = by_tenant OR b."scope" = 'GLOBAL')
     AND (b."scope" <> 'PROMPT' OR for_prompt <> '')
     AND (b."subject" = w.subject
          OR b."subject" = '' AND NOT EXISTS (
               SELECT FROM "Budget" own
                WHERE own."tenant" = b."tenant" AND own."scope" = b."scope" AND own."period" = b."period" AND own."subject" = w.subject))
$$;

-- Reserves an amount in every budget that applies, or in none. Answers null, or the window with the least room when one has too little.
-- Rows are locked in one order, so that two calls never wait for each other.
CREATE FUNCTION "reserve_budget"(
  reservation uuid, amount numeric, called_by text, by_tenant text, for_prompt text, completion text, at_target text,
  moment timestamptz, expires timestamptz
) RETURNS jsonb LANGUAGE plpgsql SET search_path = inkling, pg_catalog AS $$
DECLARE
  applying jsonb := "budget_windows"(called_by, by_tenant, for_prompt, moment);
  refused jsonb;
BEGIN
  IF applying <> '[]' THEN
    INSERT INTO "BudgetWindow" ("budgetId", "subject", "startsAt")
    SELECT a."budgetId", a."subject", a."startsAt"
      FROM jsonb_to_recordset(applying) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz)
     ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
    PERFORM FROM "BudgetWindow" w
       JOIN jsonb_to_recordset(applying) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz) USING ("budgetId", "subject", "startsAt")
      ORDER BY w."budgetId", w."subject", w."startsAt" FOR UPDATE OF w;
    SELECT jsonb_build_object('scope', a."scope", 'period', a."period", 'subject', a."subject", 'limitUsd', a."limitUsd",
                              'leftUsd', greatest(a."limitUsd" - w."reservedUsd" - w."spentUsd", 0))
      INTO refused
      FROM "BudgetWindow" w
      JOIN jsonb_to_recordset(applying) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz, "limitUsd" numeric, "scope" text, "period" text)
           USING ("budgetId", "subject", "startsAt")
     WHERE w."reservedUsd" + w."spentUsd" + amount > a."limitUsd"
     ORDER BY a."limitUsd" - w."reservedUsd" - w."spentUsd" LIMIT 1;
    IF refused IS NOT NULL THEN RETURN refused; END IF;
    UPDATE "BudgetWindow" w SET "reservedUsd" = w."reservedUsd" + amount
      FROM jsonb_to_recordset(applying) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz)
     WHERE w."budgetId" = a."budgetId" AND w."subject" = a."subject" AND w."startsAt" = a."startsAt";
  END IF;
  INSERT INTO "BudgetReservation" ("id", "amountUsd", "windows", "expiresAt") VALUES (reservation, amount, applying, expires);
  INSERT INTO "BudgetLedger" ("reservationId", "entry", "at", "tenant", "viewerId", "prompt", "completionId", "target", "amountUsd", "outcome")
  VALUES (reservation, 'RESERVED', moment, by_tenant, called_by, for_prompt, completion, at_target, amount, 'OPEN');
  RETURN NULL;
END $$;

-- Moves money out of the windows of a reservation, in the order in which reserving locks them.
CREATE FUNCTION "move_budget"(windows jsonb, released numeric, paid numeric) RETURNS void
LANGUAGE plpgsql SET search_path = inkling, pg_catalog AS $$
BEGIN
  PERFORM FROM "BudgetWindow" w
     JOIN jsonb_to_recordset(windows) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz) USING ("budgetId", "subject", "startsAt")
    ORDER BY w."budgetId", w."subject", w."startsAt" FOR UPDATE OF w;
  UPDATE "BudgetWindow" w SET "reservedUsd" = greatest(w."reservedUsd" - released, 0), "spentUsd" = w."spentUsd" + paid
    FROM jsonb_to_recordset(windows) AS a("budgetId" uuid, "subject" text, "startsAt" timestamptz)
   WHERE w."budgetId" = a."budgetId" AND w."subject" = a."subject" AND w."startsAt" = a."startsAt";
END $$;

-- Settles a reservation with what was really paid, once. A reservation that had expired is charged all the same: the money is gone.
-- Answers whether this call was the one that settled it.
CREATE FUNCTION "settle_budget"(
  reservation uuid, paid numeric, input integer, cached integer, output integer, how text, moment timestamptz
) RETURNS boolean LANGUAGE plpgsql SET search_path = inkling, pg_catalog AS $$
DECLARE
  settled "BudgetReservation";
BEGIN
  DELETE FROM "BudgetReservation" r WHERE r."id" = reservation RETURNING r.* INTO settled;
  IF settled."id" IS NULL THEN RETURN false; END IF;
  PERFORM "move_budget"(settled."windows", CASE WHEN settled."isExpired" THEN 0 ELSE settled."amountUsd" END, paid);
  INSERT INTO "BudgetLedger" ("reservationId", "entry", "at", "tenant", "viewerId", "prompt", "completionId", "target", "amountUsd",
                              "inputTokens", "cachedInputTokens", "outputTokens", "outcome")
  SELECT reservation, 'SETTLED', moment, l."tenant", l."viewerId", l."prompt", l."completionId", l."target", paid, input, cached, output, how
    FROM "BudgetLedger" l WHERE l."reservationId" = reservation AND l."entry" = 'RESERVED';
  RETURN true;
END $$;

-- Gives back what abandoned reservations hold: their process died before it settled them. Answers how many.
CREATE FUNCTION "expire_budget"(moment timestamptz) RETURNS integer LANGUAGE plpgsql SET search_path = inkling, pg_catalog AS $$
DECLARE
  abandoned "BudgetReservation";
  found_count integer := 0;
BEGIN
  FOR abandoned IN
    SELECT r.* FROM "BudgetReservation" r WHERE NOT r."isExpired" AND r."expiresAt" <= moment
     ORDER BY r."expiresAt" LIMIT 1 FOR UPDATE SKIP LOCKED
  LOOP
    UPDATE "BudgetReservation" r SET "isExpired" = true WHERE r."id" = abandoned."id";
    PERFORM "move_budget"(abandoned."windows", abandoned."amountUsd", 0);
    INSERT INTO "BudgetLedger" ("reservationId", "entry", "at", "tenant", "viewerId", "prompt", "completionId", "target", "amountUsd", "outcome")
    SELECT abandoned."id", 'EXPIRED', moment, l."tenant", l."viewerId", l."prompt", l."completionId", l."target", abandoned."amountUsd", 'ABANDONED'
      FROM "BudgetLedger" l WHERE l."reservationId" = abandoned."id" AND l."entry" = 'RESERVED';
    found_count := found_count + 1;
  END LOOP;
  RETURN found_count;
END $$;
