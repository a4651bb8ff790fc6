import { createHash } from 'node:crypto'
import type { Queryable } from '../../platform/database.ts'
import type { KeyValues, Model } from '../define.ts'

/** The lock between those who write what was served and those who remove a person. */
const LOCK = `hashtextextended('inkling forgets', 0)`

/** Held by any number of writers at a time, until their transactions end. */
export async function lockAgainstForgetting(client: Queryable): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`)
}

/** Waits for the writers, and makes new ones wait. */
export async function lockToForget(client: Queryable): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`)
}

/** A key, or a part of one, as a text that says nothing of it to a reader. */
function digestOf(tenant: string, model: string, field: string, value: string | number): string {
  return createHash('sha256')
    .update(JSON.stringify([tenant, model, field, String(value)]))
    .digest('hex')
}

/** Remembers for an hour that keys with these values are gone: another process may still hold what it served of them. */
export async function bury(client: Queryable, tenant: string, model: string, part: KeyValues): Promise<void> {
  const digests = Object.entries(part).map(([field, value]) => digestOf(tenant, model, field, value))
  await client.query(
    `INSERT INTO inkling."ForgottenKey" (digest) VALUES ($1)
     ON CONFLICT (digest) DO UPDATE SET "forgottenAt" = clock_timestamp()`,
    [digests.sort().join()],
  )
}

/** Whether a key has a part that was buried within the hour. */
export async function forgottenKeys(
  client: Queryable,
): Promise<(tenant: string, model: Model, key: KeyValues) => boolean> {
  const { rows } = await client.query<{ digest: string }>(
    `SELECT digest FROM inkling."ForgottenKey" WHERE "forgottenAt" > now() - interval '1 hour'`,
  )
  if (rows.length === 0) return () => false
  const buried = new Set(rows.map(({ digest }) => digest))
  return (tenant, model, key) => {
    const digests = model.key.map((field) => digestOf(tenant, model.name, field, key[field] ?? ''))
    return buried.has([...digests].sort().join()) || digests.some((digest) => buried.has(digest))
  }
}
