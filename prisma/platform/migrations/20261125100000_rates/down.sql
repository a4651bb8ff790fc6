-- The way back. What was counted in this minute is lost.
DROP TABLE "Rate";
