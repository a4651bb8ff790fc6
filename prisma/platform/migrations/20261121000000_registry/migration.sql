-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "inkling";

-- CreateEnum
CREATE TYPE "VersionState" AS ENUM ('REGISTERED', 'REJECTED', 'QUARANTINED');

-- CreateEnum
CREATE TYPE "RunState" AS ENUM ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED');

-- CreateTable
CREATE TABLE "Artefact" (
    "sha256" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "mediaType" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Artefact_pkey" PRIMARY KEY ("sha256")
);

-- CreateTable
CREATE TABLE "Version" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "number" INTEGER NOT NULL,
    "state" "VersionState" NOT NULL,
    "artefacts" JSONB NOT NULL,
    "schemaHash" TEXT NOT NULL,
    "contents" JSONB NOT NULL,
    "reasons" TEXT[],
    "runId" UUID,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Version_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Alias" (
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "versionId" UUID NOT NULL,
    "movedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "Alias_pkey" PRIMARY KEY ("kind","name","alias")
);

-- CreateTable
CREATE TABLE "AliasMove" (
    "sequence" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "alias" TEXT NOT NULL,
    "fromId" UUID,
    "toId" UUID NOT NULL,
    "movedAt" TIMESTAMPTZ(3) NOT NULL,
    "movedBy" TEXT NOT NULL,
    "reason" TEXT NOT NULL,

    CONSTRAINT "AliasMove_pkey" PRIMARY KEY ("sequence")
);

-- CreateTable
CREATE TABLE "Run" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" "RunState" NOT NULL,
    "jobId" UUID,
    "versionId" UUID,
    "report" JSONB,
    "createdBy" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "endedAt" TIMESTAMPTZ(3),

    CONSTRAINT "Run_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "Setting" (
    "key" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "Setting_pkey" PRIMARY KEY ("key")
);

-- CreateIndex
CREATE UNIQUE INDEX "Version_kind_name_number_key" ON "Version"("kind", "name", "number");

-- CreateIndex
CREATE INDEX "AliasMove_kind_name_alias_movedAt_idx" ON "AliasMove"("kind", "name", "alias", "movedAt");

-- CreateIndex
CREATE INDEX "Run_kind_name_createdAt_idx" ON "Run"("kind", "name", "createdAt");

-- AddForeignKey
ALTER TABLE "Alias" ADD CONSTRAINT "Alias_versionId_fkey" FOREIGN KEY ("versionId") REFERENCES "Version"("id") ON DELETE RESTRICT ON UPDATE CASCADE;



-- Versions and alias moves are history: a change in place is refused, whoever asks.
CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% rows are immutable', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "AliasMove_immutable" BEFORE UPDATE ON "AliasMove" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "Artefact_immutable" BEFORE UPDATE ON "Artefact" FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
