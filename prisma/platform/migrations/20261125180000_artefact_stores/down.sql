-- Refused while bytes lie outside: they would be lost sight of.
ALTER TABLE "Artefact" DROP CONSTRAINT "Artefact_bytes_check";
ALTER TABLE "Artefact" ALTER COLUMN "bytes" SET NOT NULL;
ALTER TABLE "Artefact" DROP COLUMN "store";
