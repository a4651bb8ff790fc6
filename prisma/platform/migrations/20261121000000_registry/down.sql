-- The way back. Every model version, alias and setting is lost.
DROP TABLE "Run", "AliasMove", "Alias", "Version", "Artefact", "Setting";
DROP FUNCTION "refuse_change"();
DROP TYPE "RunState", "VersionState";
