-- The way back. Schedules that catch up on all missed runs then catch up on one.
DROP INDEX "JobSchedule_tenant_createdAt_id_idx";
DROP INDEX "Job_scheduleId_idx";
ALTER TABLE "JobSchedule" DROP COLUMN "problem";
ALTER TYPE "OverlapPolicy" RENAME VALUE 'CANCEL_PREVIOUS' TO 'REPLACE';
ALTER TYPE "MissedPolicy" RENAME TO "MissedPolicy_with_all";
CREATE TYPE "MissedPolicy" AS ENUM ('SKIP', 'ONCE');
ALTER TABLE "JobSchedule" ALTER COLUMN "missed" TYPE "MissedPolicy"
  USING (CASE "missed"::text WHEN 'ALL' THEN 'ONCE' ELSE "missed"::text END)::"MissedPolicy";
DROP TYPE "MissedPolicy_with_all";
