-- The way back. How fresh scores are, and which entities wait to be scored again, is lost. Triggers that watch tables go as well.
DROP TABLE "Scoring", "ScoreChange";
DROP FUNCTION "note_change"() CASCADE;
