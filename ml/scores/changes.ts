import type { Database, Queryable } from '../../platform/database.ts'
import type { KeyValues, Model, SqlClient } from '../define.ts'

/** Rows of a table whose changes make scores of a model out of date. */
export interface ChangeWatch {
  /** PostgreSQL schema and table as they are called there. */
  readonly schema: string
  readonly table: string
  /** The model's name. */
  readonly model: string
  /** Fields of the entity's key -> columns of the table. A part of the key means every entity that has it. */
  readonly key: Readonly<Record<string, string>>
}

/** A note that rows changed, and the entities that it is about. */
export interface Change {
  readonly id: string
  readonly keys: readonly KeyValues[]
}

const OPERATIONS = [
  { name: 'added', event: 'INSERT', tables: 'NEW TABLE AS added' },
  { name: 'changed', event: 'UPDATE', tables: 'OLD TABLE AS removed NEW TABLE AS added' },
  { name: 'removed', event: 'DELETE', tables: 'OLD TABLE AS removed' },
] as const

/**
 * Makes the database note whom changed rows belong to, whoever changes them, deletes included. Adds three triggers to each table,
 * one note per key and statement. May be repeated.
 */
export async function watchChanges(database: Database, watches: readonly ChangeWatch[]): Promise<void> {
  for (const { schema, table, model, key } of watches) {
    const given = [model, ...Object.entries(key).flat()].map((text) => `'${text.replaceAll("'", "''")}'`).join(', ')
    for (const { name, event, tables } of OPERATIONS)
      await database.query(
        `CREATE OR REPLACE TRIGGER ${quote(`inkling_${model}_${name}`)} AFTER ${event} ON ${quote(schema)}.${quote(table)}
         REFERENCING ${tables} FOR EACH STATEMENT EXECUTE FUNCTION inkling.note_change(${given})`,
      )
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Takes the triggers away again. */
export async function unwatchChanges(database: Database, watches: readonly ChangeWatch[]): Promise<void> {
  for (const { schema, table, model } of watches)
    for (const { name } of OPERATIONS)
      await database.query(
        `DROP TRIGGER IF EXISTS ${quote(`inkling_${model}_${name}`)} ON ${quote(schema)}.${quote(table)}`,
      )
}

/** Entities of one part of a key that are asked for at once; one learner has about a hundred objectives. */
const MOST_SIBLINGS = 1000

/**
 * The next `limit` notes after one and up to another, in their order, with their entities. Notes with a part of the key stand for what is stored
 * with that part and for what is new: the candidates that follow it.
 */
export async function readChanges(
  database: Database,
  client: SqlClient,
  model: Model,
  options: { readonly asOf: Date; readonly after: string; readonly upTo: string; readonly limit: number },
): Promise<Change[]> {
  const { rows } = await database.query<{ id: string; fields: string; key: string }>(
    `SELECT id, fields, key FROM inkling."ScoreChange"
     WHERE model = $1 AND id > $2 AND id <= $3 ORDER BY id LIMIT $4`,
    [model.name, options.after, options.upTo, options.limit],
  )
  const parts = new Map(rows.map(({ fields, key }) => [`${fields} ${key}`, partOf(fields, key)]))
  const keys = new Map<string, readonly KeyValues[]>()
  for (const [text, part] of parts) keys.set(text, await entitiesOf(database, client, model, part, options.asOf))
  return rows.map(({ id, fields, key }) => ({ id, keys: keys.get(`${fields} ${key}`)! }))
}

/** More notes than these are not looked through. */
const MOST_PARTS = 5000

/** What a note is about: fields of the key with commas between them, and their values as JSON. */
export interface Note {
  readonly fields: string
  readonly key: string
}

/** SQL of the notes of the model $1: a row with their `count` and with different `notes`, of as many as are looked through and one more. */
export const SOME_NOTES = `SELECT count(*)::int AS count, json_agg(DISTINCT jsonb_build_object('fields', fields, 'key', key)) AS notes
  FROM (SELECT fields, key FROM inkling."ScoreChange" WHERE model = $1 LIMIT ${MOST_PARTS + 1}) noted`

/** Tells whether an entity has rows with a note that they changed; with too many notes every entity may have. */
export function changedOf(count: number, notes: readonly Note[]): (key: KeyValues) => boolean {
  if (count > MOST_PARTS) return () => true
  const textOf = (values: readonly unknown[]) => JSON.stringify(values.map(String))
  const parts = [...Map.groupBy(notes, ({ fields }) => fields)].map(([fields, group]) => ({
    fields: fields.split(','),
    texts: new Set(group.map(({ key }) => textOf(JSON.parse(key) as unknown[]))),
  }))
  return (key) => parts.some(({ fields, texts }) => texts.has(textOf(fields.map((field) => key[field]))))
}

function partOf(fields: string, key: string): KeyValues {
  const values = JSON.parse(key) as string[]
  return Object.fromEntries(fields.split(',').map((field, index) => [field, values[index]!]))
}

async function entitiesOf(
  database: Database,
  client: SqlClient,
  model: Model,
  part: KeyValues,
  asOf: Date,
): Promise<KeyValues[]> {
  const complete = (key: KeyValues): KeyValues =>
    Object.fromEntries(model.key.map((field) => [field, String(key[field])]))
  const missing = model.key.filter((field) => part[field] === undefined)
  if (missing.length === 0) return [complete(part)]
  const found = await storedWith(database, model, part)
  // Candidates come in the order of their keys: those of this part follow the empty text, where texts are keys.
  const leads = model.key.slice(0, Object.keys(part).length).every((field) => part[field] !== undefined)
  if (leads && model.candidates) {
    const after = { ...part, ...Object.fromEntries(missing.map((field) => [field, ''])) }
    const next = await model.candidates(client, { asOf, after, limit: MOST_SIBLINGS })
    found.push(...next.filter((key) => Object.entries(part).every(([field, value]) => String(key[field]) === value)))
  }
  return found.map(complete)
}

/** Stored keys with that part. A part that leads the stored text is a range of the key's index. */
async function storedWith(database: Database, model: Model, part: KeyValues): Promise<KeyValues[]> {
  const fields = [...model.key].sort()
  const conditions = Object.keys(part).map((field, index) => `key::json ->> ${fields.indexOf(field)} = $${index + 2}`)
  const values: unknown[] = [model.name, ...Object.values(part)]
  if (part[fields[0]!] !== undefined) {
    const lead = JSON.stringify([part[fields[0]!]]).slice(0, -1)
    conditions.push(`key >= $${values.push(`${lead},`)}`, `key < $${values.push(`${lead}-`)}`)
  }
  const { rows } = await database.query<{ key: string }>(
    `SELECT key FROM inkling."Score" WHERE model = $1 AND ${conditions.join(' AND ')}`,
    values,
  )
  return rows.map(({ key }) => {
    const stored = JSON.parse(key) as string[]
    return Object.fromEntries(fields.map((field, index) => [field, stored[index]!]))
  })
}

/** The newest note there is now; later ones wait for the next time. */
export async function newestNote(database: Database, model: string): Promise<string> {
  const { rows } = await database.query<{ id: string }>(
    'SELECT COALESCE(max(id), 0) AS id FROM inkling."ScoreChange" WHERE model = $1',
    [model],
  )
  return rows[0]!.id
}

/** How many notes wait; counting stops at `most`. */
export async function countNotes(database: Database, model: string, most: number): Promise<number> {
  const { rows } = await database.query<{ n: number }>(
    'SELECT count(*)::int AS n FROM (SELECT 1 FROM inkling."ScoreChange" WHERE model = $1 LIMIT $2) waiting',
    [model, most],
  )
  return rows[0]!.n
}

/** Takes notes away whose entities are scored again. Joins the transaction of the scores. */
export async function dropNotes(client: Queryable, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await client.query('DELETE FROM inkling."ScoreChange" WHERE id = ANY($1::bigint[])', [ids])
}
