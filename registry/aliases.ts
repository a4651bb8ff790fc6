import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { AliasMove } from './version.ts'

export interface AliasMoveRequest {
  readonly kind: string
  readonly name: string
  readonly alias: string
  readonly versionId: string
  readonly movedBy: string
  readonly reason: string
}

const COLUMNS = '"sequence"::int AS "sequence", "alias", "fromId", "toId", "movedAt", "movedBy", "reason"'

/**
 * One lock per thing makes its moves linear: the time is taken inside the lock, so that a later move is never dated earlier.
 * Throws NOT_FOUND for a version of something else, ARTEFACT_INVALID for one that may not serve.
 */
export function moveAlias(database: Database, request: AliasMoveRequest): Promise<AliasMove> {
  const { kind, name, alias, versionId, movedBy, reason } = request
  return database.transaction(async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`alias:${kind}:${name}`])
    const { rows: found } = await client.query<{ state: string; number: number }>(
      'SELECT "state", "number" FROM "inkling"."Version" WHERE "id"::text = $1 AND "kind" = $2 AND "name" = $3',
      [versionId, kind, name],
    )
    const version = found[0]
    if (!version)
      throw new InklingError(
        'NOT_FOUND',
        `${name} has no version ${versionId}.`,
        'List its versions with `inkling models list`.',
      )
    if (version.state !== 'REGISTERED')
      throw new InklingError(
        'ARTEFACT_INVALID',
        `${name} version ${version.number} is ${version.state.toLowerCase()} and may not serve as ${alias}.`,
        'Choose a version whose state is REGISTERED.',
      )
    const { rows } = await client.query<AliasMove>(
      `WITH before AS (SELECT "versionId" FROM "inkling"."Alias" WHERE "kind" = $1 AND "name" = $2 AND "alias" = $3),
            moved AS (
              INSERT INTO "inkling"."AliasMove" ("kind", "name", "alias", "fromId", "toId", "movedAt", "movedBy", "reason")
              VALUES ($1, $2, $3, (SELECT "versionId" FROM before), $4::uuid, clock_timestamp(), $5, $6)
              RETURNING *),
            pointed AS (
              INSERT INTO "inkling"."Alias" ("kind", "name", "alias", "versionId", "movedAt")
              SELECT "kind", "name", "alias", "toId", "movedAt" FROM moved
              ON CONFLICT ("kind", "name", "alias")
              DO UPDATE SET "versionId" = EXCLUDED."versionId", "movedAt" = EXCLUDED."movedAt"
              RETURNING 1)
       SELECT ${COLUMNS} FROM moved, pointed`,
      [kind, name, alias, versionId, movedBy, reason],
    )
    await client.query("SELECT pg_notify('inkling_alias', $1)", [`${kind}:${name}`])
    return rows[0]!
  })
}

export async function listMoves(database: Database, kind: string, name: string): Promise<AliasMove[]> {
  const { rows } = await database.query<AliasMove>(
    `SELECT ${COLUMNS} FROM "inkling"."AliasMove" WHERE "kind" = $1 AND "name" = $2 ORDER BY "sequence"`,
    [kind, name],
  )
  return rows
}
