-- The way back.
DROP INDEX "Prediction_underived_idx";
CREATE INDEX "Prediction_unlabelled_idx" ON "Prediction"("model", "asOf", "id") WHERE "label" IS NULL;
