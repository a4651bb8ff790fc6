-- CreateTable
CREATE TABLE "Audit" (
    "sequence" BIGSERIAL NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "tenant" TEXT NOT NULL,
    "viewerId" TEXT NOT NULL,
    "requestId" TEXT NOT NULL,
    "field" TEXT NOT NULL,
    "input" JSONB NOT NULL,
    "outcome" TEXT NOT NULL,

    CONSTRAINT "Audit_pkey" PRIMARY KEY ("sequence")
);

-- CreateIndex
CREATE INDEX "Audit_tenant_sequence_idx" ON "Audit"("tenant", "sequence");

-- What was done was done: a change in place or a removal is refused, whoever asks.
CREATE TRIGGER "Audit_immutable" BEFORE UPDATE OR DELETE ON "Audit" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "Audit_kept" BEFORE TRUNCATE ON "Audit" FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
