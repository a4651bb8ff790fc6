-- The way back. Experiments and shadow comparisons are lost; removals leave the log, which knew none; what waits for approval is rejected.
DROP TRIGGER "Alias_champion" ON "Alias";
DROP FUNCTION "refuse_champion_removal"();
DROP TRIGGER "AliasMove_kept" ON "AliasMove";
DROP TRIGGER "Version_immutable" ON "Version";
DROP FUNCTION "refuse_version_change"();
DROP TABLE "ShadowComparison", "ExperimentStep", "Experiment";
DELETE FROM "AliasMove" WHERE "toId" IS NULL;
ALTER TABLE "AliasMove" DROP COLUMN "act";
ALTER TABLE "AliasMove" ALTER COLUMN "toId" SET NOT NULL;
UPDATE "Version" SET "state" = 'REJECTED' WHERE "state"::text = 'PENDING';
ALTER TYPE "VersionState" RENAME TO "VersionState_old";
CREATE TYPE "VersionState" AS ENUM ('REGISTERED', 'REJECTED', 'QUARANTINED');
ALTER TABLE "Version" ALTER COLUMN "state" TYPE "VersionState" USING "state"::text::"VersionState";
DROP TYPE "VersionState_old";
