ALTER TABLE "Completion" DROP COLUMN "batch";
