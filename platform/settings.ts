import type { Database } from './database.ts'

/** Reads a value kept for the whole installation; null when it was never written. */
export async function readSetting<T>(database: Database, key: string): Promise<T | null> {
  const { rows } = await database.query<{ value: T }>('SELECT "value" FROM "inkling"."Setting" WHERE "key" = $1', [key])
  return rows[0]?.value ?? null
}

/** Writes it, or removes it with null. Joins the caller's transaction. */
export async function writeSetting(database: Database, key: string, value: unknown): Promise<void> {
  if (value === null) {
    await database.query('DELETE FROM "inkling"."Setting" WHERE "key" = $1', [key])
    return
  }
  await database.query(
    `INSERT INTO "inkling"."Setting" ("key", "value", "updatedAt") VALUES ($1, $2::jsonb, now())
     ON CONFLICT ("key") DO UPDATE SET "value" = EXCLUDED."value", "updatedAt" = now()`,
    [key, JSON.stringify(value)],
  )
}
