-- The way back. What was served, what became of it, and every alert are lost; models and their versions are not touched.
DROP TABLE "ForgottenKey", "VersionForgotten", "AlertEvent", "Alert", "FeatureSketch", "PredictionSketch", "OutcomeCount", "OutcomeRevision", "Outcome", "Prediction";
DROP TYPE "AlertState";
DROP FUNCTION "add_arrays"(DOUBLE PRECISION[], DOUBLE PRECISION[]);
