-- Where an answer lies that was asked for in a provider's batch: {"target", "batchId", "itemId", "reservationId"}. A process that comes after
-- the one that asked collects it there.
ALTER TABLE "Completion" ADD COLUMN "batch" JSONB;
