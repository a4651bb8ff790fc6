-- The way back. Every job, its history and every schedule is lost. The queue's own tables go with their schema.
DROP TABLE "JobDependency", "JobArtifact", "JobEvent", "JobStep", "JobAttempt", "Job", "JobSchedule";
DROP FUNCTION "job_move"();
DROP FUNCTION "job_begin"();
DROP FUNCTION "job_event_notify"();
DROP TYPE "JobState", "JobOutcome", "MissedPolicy", "OverlapPolicy";
DROP SCHEMA IF EXISTS "inkling_boss" CASCADE;
