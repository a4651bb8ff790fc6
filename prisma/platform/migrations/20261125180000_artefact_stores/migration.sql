-- Bytes may lie outside the database; the row still says under which hash, and where.
ALTER TABLE "Artefact" ALTER COLUMN "bytes" DROP NOT NULL;
ALTER TABLE "Artefact" ADD COLUMN "store" TEXT NOT NULL DEFAULT 'postgres';
ALTER TABLE "Artefact" ADD CONSTRAINT "Artefact_bytes_check" CHECK (("store" = 'postgres') = ("bytes" IS NOT NULL));
