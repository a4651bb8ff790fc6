import type { Database, Queryable } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'
import { MODEL_KIND } from '../model-version.ts'
import { keyText } from '../scores/key.ts'
import { bury, lockToForget } from './tombstones.ts'
import { hasTrainedKey } from './trained-keys.ts'

/** What a model knows of a person: a whole key of its entity, or one field of it. */
export interface Trace {
  readonly model: string
  readonly key: KeyValues
}

/** How a customer's people are found in its models, and removed from its rows. Their own rows are the customer's: only this port touches them. */
export interface People {
  /** The entity that is a person. */
  readonly entity: string
  /** Fields of its key. */
  readonly key: readonly string[]
  /** Everything that models know of that person; null for one that this tenant does not have. */
  traces(client: SqlClient, key: KeyValues, tenant: string): Promise<readonly Trace[] | null>
  /** Removes the person's own rows. Part of the transaction that removes the rest. */
  remove(client: SqlClient, key: KeyValues, tenant: string): Promise<void>
}

export interface ForgetEngines {
  readonly database: Database
  readonly registry: Registry
  readonly models: readonly Model[]
  readonly people: readonly People[]
  /** Writes what waits in this process's prediction log, so that it is found. */
  flush?(): Promise<void>
}

/** How many rows went, and which versions learned from the person. */
export interface Forgotten {
  readonly scores: number
  readonly predictions: number
  readonly outcomes: number
  /** Ids of versions that were trained with the person; they are flagged, not changed. */
  readonly versionIds: readonly string[]
}

/**
 * Removes a person: stored scores, served predictions with their features, outcomes, and the person's own rows, in one transaction.
 * Versions that learned from that person are flagged. Sums stay: they name nobody. Throws NOT_FOUND, and BAD_USER_INPUT for an entity
 * that is no person.
 */
export async function forgetPerson(
  engines: ForgetEngines,
  request: { readonly entity: string; readonly key: KeyValues; readonly tenant: string },
): Promise<Forgotten> {
  const { database, registry, models, people } = engines
  const { entity, key, tenant } = request
  const person = people.find((one) => one.entity === entity)
  if (!person)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${entity} is no person.`,
      `Name one of: ${people.map((one) => one.entity).join(', ') || 'none is declared'}.`,
    )
  if (Object.keys(key).length !== person.key.length || person.key.some((field) => !Object.hasOwn(key, field)))
    throw new InklingError(
      'BAD_USER_INPUT',
      `A key of ${entity} has other fields.`,
      `A key of ${entity} has the fields ${person.key.join(', ')}.`,
    )
  await engines.flush?.()
  return database.transaction(async (client) => {
    await lockToForget(client)
    const sql = sqlClientOf(client)
    const traces = await person.traces(sql, key, tenant)
    if (!traces)
      throw new InklingError(
        'NOT_FOUND',
        `There is no ${entity} ${Object.values(key).join(', ')} in ${tenant}.`,
        'Look at the key and the tenant.',
      )
    const counts = { scores: 0, predictions: 0, outcomes: 0 }
    for (const { model: name, key: part } of traces) {
      const model = models.find((one) => one.name === name)
      if (!model) continue
      counts.scores += await deleteKeys(client, 'Score', model, part, null)
      counts.scores += await deleteKeys(client, 'ScoreHistory', model, part, null)
      counts.predictions += await deleteKeys(client, 'Prediction', model, part, tenant)
      counts.outcomes += await deleteKeys(client, 'Outcome', model, part, tenant)
      await bury(client, tenant, name, part)
    }
    await person.remove(sql, key, tenant)
    // Last: what watches the person's rows has noted their removal by now.
    for (const trace of traces) await deleteNotes(client, trace)
    const versionIds = await flagVersions(client, registry, traces)
    return { ...counts, versionIds }
  })
}

type Table = 'Score' | 'ScoreHistory' | 'Prediction' | 'Outcome'

/** Rows of a whole key, or of every key with this part. */
async function deleteKeys(
  client: Queryable,
  table: Table,
  model: Model,
  part: KeyValues,
  tenant: string | null,
): Promise<number> {
  const values: unknown[] = [model.name]
  const own = tenant === null ? '' : ` AND tenant = $${values.push(tenant)}`
  const isWhole = model.key.every((field) => part[field] !== undefined)
  if (isWhole) {
    const { rowCount } = await client.query(
      `DELETE FROM inkling."${table}" WHERE model = $1${own} AND key = $${values.push(keyText(part))}`,
      values,
    )
    return rowCount
  }
  const fields = [...model.key].sort()
  const conditions = Object.entries(part).map(
    ([field, value]) => `key::json ->> ${fields.indexOf(field)} = $${values.push(String(value))}`,
  )
  const { rowCount } = await client.query(
    `DELETE FROM inkling."${table}" WHERE model = $1${own} AND ${conditions.join(' AND ')}`,
    values,
  )
  return rowCount
}

async function deleteNotes(client: Queryable, { model, key }: Trace): Promise<void> {
  const values: unknown[] = [model]
  const conditions = Object.entries(key).map(([field, value]) => {
    const place = `array_position(string_to_array(fields, ','), $${values.push(field)}) - 1`
    return `key::json ->> (${place}) = $${values.push(String(value))}`
  })
  await client.query(`DELETE FROM inkling."ScoreChange" WHERE model = $1 AND ${conditions.join(' AND ')}`, values)
}

/** Reads the digests of every version that keeps them: removing a person is rare, and a miss is not allowed. */
async function flagVersions(client: Queryable, registry: Registry, traces: readonly Trace[]): Promise<string[]> {
  const flagged: string[] = []
  for (const [name, own] of Map.groupBy(traces, ({ model }) => model)) {
    for (const version of await registry.list(MODEL_KIND, name, MOST_VERSIONS)) {
      if (!version.artefacts.keys) continue
      const bytes = await registry.artefact(version, 'keys')
      if (own.some(({ key }) => hasTrainedKey(bytes, key))) flagged.push(version.id)
    }
  }
  for (const id of flagged)
    await client.query(
      `INSERT INTO inkling."VersionForgotten" AS v ("versionId", people, "firstAt", "lastAt") VALUES ($1, 1, now(), now())
       ON CONFLICT ("versionId") DO UPDATE SET people = v.people + 1, "lastAt" = now()`,
      [id],
    )
  return flagged
}

const MOST_VERSIONS = 1000

/** Of each version how many people it learned from were removed since; versions without any are left out. */
export async function forgottenOf(
  database: Queryable,
  versionIds: readonly string[],
): Promise<ReadonlyMap<string, { readonly people: number; readonly lastAt: Date }>> {
  const { rows } = await database.query<{ versionId: string; people: number; lastAt: Date }>(
    'SELECT "versionId", people, "lastAt" FROM inkling."VersionForgotten" WHERE "versionId"::text = ANY($1::text[])',
    [versionIds],
  )
  return new Map(rows.map(({ versionId, ...rest }) => [versionId, rest]))
}

/** The customer's port works inside our transaction. */
function sqlClientOf(client: Queryable): SqlClient {
  return {
    async $queryRawUnsafe<T>(sql: string, ...values: unknown[]) {
      return (await client.query(sql, values)).rows as T
    },
  }
}
