import { createHash } from 'node:crypto'
import type { Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Version } from './version.ts'

const hashOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** Stores the bytes under their hash and returns it; bytes already there are left alone. */
export async function storeArtefact(client: Queryable, bytes: Uint8Array): Promise<string> {
  const sha256 = hashOf(bytes)
  await client.query(
    `INSERT INTO "inkling"."Artefact" ("sha256", "bytes", "mediaType") VALUES ($1, $2, 'application/octet-stream')
     ON CONFLICT ("sha256") DO NOTHING`,
    [sha256, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)],
  )
  return sha256
}

export async function readArtefact(client: Queryable, version: Version, role: string): Promise<Uint8Array> {
  const sha256 = version.artefacts[role]
  const { rows } = await client.query<{ bytes: Buffer }>(
    'SELECT "bytes" FROM "inkling"."Artefact" WHERE "sha256" = $1',
    [sha256 ?? ''],
  )
  const bytes = rows[0]?.bytes
  if (bytes && hashOf(bytes) === sha256) return bytes
  throw new InklingError(
    'ARTEFACT_INVALID',
    `The ${role} of ${version.name} version ${version.number} ${bytes ? 'is not what was registered: its hash differs' : 'is not stored'}.`,
    'Promote another version, or train again; the version is taken out of service.',
  )
}
