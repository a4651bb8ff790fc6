-- A third way with missed runs, a clearer word for replacing, why an occurrence started nothing, and the jobs of a schedule found fast.
ALTER TYPE "MissedPolicy" ADD VALUE 'ALL';
ALTER TYPE "OverlapPolicy" RENAME VALUE 'REPLACE' TO 'CANCEL_PREVIOUS';
ALTER TABLE "JobSchedule" ADD COLUMN "problem" TEXT;
-- CreateIndex
CREATE INDEX "Job_scheduleId_idx" ON "Job"("scheduleId");
-- CreateIndex
CREATE INDEX "JobSchedule_tenant_createdAt_id_idx" ON "JobSchedule"("tenant", "createdAt", "id");
