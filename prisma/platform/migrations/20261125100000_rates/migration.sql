-- CreateTable
CREATE TABLE "Rate" (
    "key" VARCHAR(255) NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "Rate_pkey" PRIMARY KEY ("key")
);
