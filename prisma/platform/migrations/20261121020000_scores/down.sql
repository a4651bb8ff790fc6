-- The way back. Every stored score is lost; the next scoring computes them again, the history stays lost.
DROP TABLE "Score", "ScoreHistory", "ScoreCount";
DROP FUNCTION "score_count"();
DROP FUNCTION "score_bucket"(DOUBLE PRECISION);
