DROP TRIGGER "Subscription_tenant" ON "Subscription";
DROP TRIGGER "Objective_tenant" ON "Objective";
DROP TRIGGER "Presentation_tenant" ON "Presentation";
DROP TRIGGER "Course_tenant" ON "Course";
DROP TRIGGER "Learner_tenant" ON "Learner";
DROP FUNCTION "refuse_other_tenant"();
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['Enrollment', 'Attempt', 'Review', 'Activity', 'Payment', 'Prerequisite'] LOOP
    EXECUTE format('DROP TRIGGER %I ON %I', name || '_added_tenant', name);
    EXECUTE format('DROP TRIGGER %I ON %I', name || '_changed_tenant', name);
  END LOOP;
END $$;
DROP FUNCTION "refuse_foreign_tenant"();
DROP INDEX "Learner_tenant_joinedAt_id_idx";
DROP INDEX "Learner_tenant_name_id_idx";
CREATE INDEX "Learner_joinedAt_id_idx" ON "Learner"("joinedAt", "id");
CREATE INDEX "Learner_name_id_idx" ON "Learner"("name", "id");
DROP INDEX "Course_tenant_code_key";
CREATE UNIQUE INDEX "Course_code_key" ON "Course"("code");
ALTER TABLE "Course" DROP COLUMN "tenant";
ALTER TABLE "Learner" DROP COLUMN "tenant";
