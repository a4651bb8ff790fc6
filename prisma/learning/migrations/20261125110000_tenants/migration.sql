-- AlterTable. Learners and courses belong to a tenant, every other row through the learner or the course that it is about.
ALTER TABLE "Learner" ADD COLUMN "tenant" TEXT NOT NULL DEFAULT 'default';
ALTER TABLE "Course" ADD COLUMN "tenant" TEXT NOT NULL DEFAULT 'default';

-- Two tenants may teach under the same code.
DROP INDEX "Course_code_key";
CREATE UNIQUE INDEX "Course_tenant_code_key" ON "Course"("tenant", "code");

-- Lists of one tenant's learners, in their orders.
DROP INDEX "Learner_name_id_idx";
DROP INDEX "Learner_joinedAt_id_idx";
CREATE INDEX "Learner_tenant_name_id_idx" ON "Learner"("tenant", "name", "id");
CREATE INDEX "Learner_tenant_joinedAt_id_idx" ON "Learner"("tenant", "joinedAt", "id");

-- Nothing connects two tenants. One set-based look per statement: a look per row would cost an import of 170,000 submissions seconds.
CREATE FUNCTION "refuse_foreign_tenant"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  found text;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'Enrollment' THEN
      SELECT a."id" INTO found FROM added a
      JOIN "learning"."Learner" l ON l."id" = a."learnerId"
      JOIN "learning"."Presentation" p ON p."id" = a."presentationId"
      JOIN "learning"."Course" c ON c."id" = p."courseId"
      WHERE l."tenant" <> c."tenant" LIMIT 1;
    WHEN 'Attempt' THEN
      SELECT a."id" INTO found FROM added a
      JOIN "learning"."Learner" l ON l."id" = a."learnerId"
      JOIN "learning"."Objective" o ON o."id" = a."objectiveId"
      JOIN "learning"."Presentation" p ON p."id" = o."presentationId"
      JOIN "learning"."Course" c ON c."id" = p."courseId"
      JOIN "learning"."Enrollment" e ON e."id" = a."enrollmentId"
      JOIN "learning"."Learner" m ON m."id" = e."learnerId"
      WHERE l."tenant" <> c."tenant" OR l."tenant" <> m."tenant" LIMIT 1;
    WHEN 'Review' THEN
      SELECT a."id" INTO found FROM added a
      JOIN "learning"."Learner" l ON l."id" = a."learnerId"
      JOIN "learning"."Objective" o ON o."id" = a."objectiveId"
      JOIN "learning"."Presentation" p ON p."id" = o."presentationId"
      JOIN "learning"."Course" c ON c."id" = p."courseId"
      WHERE l."tenant" <> c."tenant" LIMIT 1;
    WHEN 'Activity' THEN
      SELECT a."learnerId" INTO found FROM added a
      JOIN "learning"."Learner" l ON l."id" = a."learnerId"
      JOIN "learning"."Presentation" p ON p."id" = a."presentationId"
      JOIN "learning"."Course" c ON c."id" = p."courseId"
      WHERE l."tenant" <> c."tenant" LIMIT 1;
    WHEN 'Payment' THEN
      SELECT a."id" INTO found FROM added a
      JOIN "learning"."Learner" l ON l."id" = a."learnerId"
      JOIN "learning"."Subscription" s ON s."id" = a."subscriptionId"
      JOIN "learning"."Learner" m ON m."id" = s."learnerId"
      WHERE l."tenant" <> m."tenant" LIMIT 1;
    WHEN 'Prerequisite' THEN
      SELECT a."objectiveId" INTO found FROM added a
      JOIN "learning"."Objective" o ON o."id" = a."objectiveId"
      JOIN "learning"."Presentation" p ON p."id" = o."presentationId"
      JOIN "learning"."Course" c ON c."id" = p."courseId"
      JOIN "learning"."Objective" r ON r."id" = a."requiresId"
      JOIN "learning"."Presentation" q ON q."id" = r."presentationId"
      JOIN "learning"."Course" d ON d."id" = q."courseId"
      WHERE c."tenant" <> d."tenant" LIMIT 1;
  END CASE;
  IF found IS NOT NULL THEN
    RAISE EXCEPTION '% "%" would connect two tenants', TG_TABLE_NAME, found USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['Enrollment', 'Attempt', 'Review', 'Activity', 'Payment', 'Prerequisite'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "refuse_foreign_tenant"()', name || '_added_tenant', name);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "refuse_foreign_tenant"()', name || '_changed_tenant', name);
  END LOOP;
END $$;

-- What hangs on a row stays with its tenant: the row itself does not move.
CREATE FUNCTION "refuse_other_tenant"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moves boolean := false;
BEGIN
  CASE TG_TABLE_NAME
    WHEN 'Presentation' THEN
      SELECT count(DISTINCT "tenant") > 1 INTO moves FROM "learning"."Course" WHERE "id" IN (OLD."courseId", NEW."courseId");
    WHEN 'Objective' THEN
      SELECT count(DISTINCT c."tenant") > 1 INTO moves FROM "learning"."Presentation" p JOIN "learning"."Course" c ON c."id" = p."courseId"
      WHERE p."id" IN (OLD."presentationId", NEW."presentationId");
    WHEN 'Subscription' THEN
      SELECT count(DISTINCT "tenant") > 1 INTO moves FROM "learning"."Learner" WHERE "id" IN (OLD."learnerId", NEW."learnerId");
    ELSE
      moves := OLD."tenant" <> NEW."tenant";
  END CASE;
  IF moves THEN
    RAISE EXCEPTION '% "%" does not move to another tenant', TG_TABLE_NAME, OLD."id" USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER "Learner_tenant" BEFORE UPDATE OF "tenant" ON "Learner" FOR EACH ROW EXECUTE FUNCTION "refuse_other_tenant"();
CREATE TRIGGER "Course_tenant" BEFORE UPDATE OF "tenant" ON "Course" FOR EACH ROW EXECUTE FUNCTION "refuse_other_tenant"();
CREATE TRIGGER "Presentation_tenant" BEFORE UPDATE OF "courseId" ON "Presentation" FOR EACH ROW EXECUTE FUNCTION "refuse_other_tenant"();
CREATE TRIGGER "Objective_tenant" BEFORE UPDATE OF "presentationId" ON "Objective" FOR EACH ROW EXECUTE FUNCTION "refuse_other_tenant"();
CREATE TRIGGER "Subscription_tenant" BEFORE UPDATE OF "learnerId" ON "Subscription" FOR EACH ROW EXECUTE FUNCTION "refuse_other_tenant"();
