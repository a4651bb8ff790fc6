-- The way back. Who did what is forgotten.
DROP TABLE "Audit";
