import type { Database, Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import { type ArtefactStore, sha256Of } from './stores/store.ts'
import type { Version } from './version.ts'

/** Whoever registers holds it shared, whoever removes what nobody needs alone: bytes never go between their arrival and their row. */
const LOCK = "hashtextextended('artefacts', 0)"

/** To be called once in the transaction that stores artefacts, before the first. */
export async function holdArtefacts(client: Queryable): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock_shared(${LOCK})`)
}

/**
 * Keeps the bytes under their hash and returns it; bytes already there are left alone. Large ones go to the store first and
 * get their row afterwards, so that a crash in between leaves bytes without a row and never a row without bytes.
 */
export async function storeArtefact(
  client: Queryable,
  bytes: Uint8Array,
  store: ArtefactStore | null,
): Promise<string> {
  const sha256 = sha256Of(bytes)
  const kind = (await storeOf(client, sha256)) ?? (store && bytes.length > store.threshold ? store.kind : 'postgres')
  if (store?.kind === kind) await store.put(sha256, bytes)
  await client.query(
    `INSERT INTO "inkling"."Artefact" ("sha256", "bytes", "mediaType", "store")
     VALUES ($1, $2, 'application/octet-stream', $3) ON CONFLICT ("sha256") DO NOTHING`,
    [sha256, kind === 'postgres' ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : null, kind],
  )
  return sha256
}

async function storeOf(client: Queryable, sha256: string): Promise<string | null> {
  const { rows } = await client.query<{ store: string }>(
    'SELECT "store" FROM "inkling"."Artefact" WHERE "sha256" = $1',
    [sha256],
  )
  return rows[0]?.store ?? null
}

/**
 * The bytes under a hash, which is compared. Null when they are not what was kept. Throws NOT_FOUND where there is no row, and
 * UNAVAILABLE when another store holds them or this one has lost them: that may be a folder which is not mounted.
 */
export async function readBytes(
  client: Queryable,
  sha256: string,
  store: ArtefactStore | null,
): Promise<Uint8Array | null> {
  const { rows } = await client.query<{ bytes: Buffer | null; store: string }>(
    'SELECT "bytes", "store" FROM "inkling"."Artefact" WHERE "sha256" = $1',
    [sha256],
  )
  const [row] = rows
  if (!row) throw new InklingError('NOT_FOUND', `No artefact ${sha256} is stored.`, 'It may have been pruned.')
  const bytes = row.bytes ?? (await fetchBytes(sha256, row.store, store))
  return sha256Of(bytes) === sha256 ? bytes : null
}

async function fetchBytes(sha256: string, kind: string, store: ArtefactStore | null): Promise<Uint8Array> {
  if (store?.kind !== kind)
    throw new InklingError(
      'UNAVAILABLE',
      `Artefact ${sha256} lies in a store of the kind ${kind}, which is not set up here.`,
      'Set INKLING_ARTEFACTS to the store that it was registered with.',
    )
  const bytes = await store.get(sha256)
  if (bytes) return bytes
  throw new InklingError(
    'UNAVAILABLE',
    `Artefact ${sha256} is not in the ${kind} store.`,
    'See that INKLING_ARTEFACTS names the place that it was registered with, and that the place is mounted.',
  )
}

/** Throws ARTEFACT_INVALID for a role that it does not have or bytes that are not what was registered, and UNAVAILABLE. */
export async function readArtefact(
  client: Queryable,
  version: Version,
  role: string,
  store: ArtefactStore | null,
): Promise<Uint8Array> {
  const sha256 = version.artefacts[role]
  const what = `The ${role} of ${version.name} version ${version.number}`
  if (sha256 === undefined)
    throw new InklingError('NOT_FOUND', `${what} is not stored.`, 'Versions of other kinds or ages have it.')
  const bytes = await readBytes(client, sha256, store)
  if (bytes) return bytes
  throw new InklingError(
    'ARTEFACT_INVALID',
    `${what} is not what was registered: its hash differs.`,
    'Promote another version, or train again; the version is taken out of service.',
  )
}

export interface Pruned {
  /** Artefacts of which no version knows, and bytes without an artefact. */
  readonly rows: number
  readonly bytes: number
}

/** Removes what crashes and refused imports left behind, when it is older than `before`. */
export async function pruneArtefacts(database: Database, store: ArtefactStore | null, before: Date): Promise<Pruned> {
  const rows = await database.transaction(async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`)
    const { rowCount } = await client.query(
      `DELETE FROM "inkling"."Artefact" a WHERE a."createdAt" < $1 AND NOT EXISTS (
         SELECT 1 FROM "inkling"."Version" v, jsonb_each_text(v."artefacts") role WHERE role.value = a."sha256")`,
      [before],
    )
    return rowCount ?? 0
  })
  let bytes = 0
  for await (const { sha256, keptAt } of store?.list() ?? []) {
    if (keptAt >= before || (await storeOf(database, sha256)) === store!.kind) continue
    if (await removeOrphan(database, store!, sha256, before)) bytes++
  }
  return { rows, bytes }
}

/** Looks again where nobody can register: the bytes may have found their row since they were listed. */
function removeOrphan(database: Database, store: ArtefactStore, sha256: string, before: Date): Promise<boolean> {
  return database.transaction(async (client) => {
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK})`)
    if ((await storeOf(client, sha256)) === store.kind) return false
    const keptAt = await store.keptAt(sha256)
    if (!keptAt || keptAt >= before) return false
    await store.remove(sha256)
    return true
  })
}
