-- Predictions whose label did not come from the rows themselves: what outcomes are derived for.
DROP INDEX "Prediction_unlabelled_idx";
CREATE INDEX "Prediction_underived_idx" ON "Prediction"("model", "asOf", "id") WHERE "outcomeAt" IS DISTINCT FROM "asOf";
