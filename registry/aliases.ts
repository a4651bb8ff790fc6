import type { Database, Queryable } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import { CHAMPION, checkAlias } from './alias-names.ts'
import { endRunning } from './experiments/ending.ts'
import type { AliasAct, AliasMove, Version } from './version.ts'

/** Whose alias, which one, and what the mover believes. */
export interface AliasPlace {
  readonly kind: string
  readonly name: string
  readonly alias: string
  readonly movedBy: string
  readonly reason: string
  /** The version that the mover believes to hold the alias, null for none: another one is a CONFLICT. Absent: whichever. */
  readonly expected?: string | null | undefined
}

export interface AliasMoveRequest extends AliasPlace {
  readonly versionId: string
}

interface Step {
  readonly act: AliasAct
  readonly toId: string | null
}

const COLUMNS = '"sequence"::int AS "sequence", "alias", "fromId", "toId", "movedAt", "movedBy", "reason", "act"'

/** Throws NOT_FOUND for a version of something else, ARTEFACT_INVALID for one that may not serve, CONFLICT, BAD_USER_INPUT. */
export function moveAlias(database: Database, { versionId, ...place }: AliasMoveRequest): Promise<AliasMove> {
  return relocate(database, place, async (client) => {
    await checkServable(client, place, versionId)
    return { act: 'MOVE', toId: versionId }
  })
}

/** Throws NOT_FOUND when it points nowhere, BAD_USER_INPUT for the champion, CONFLICT. */
export function removeAlias(database: Database, place: AliasPlace): Promise<AliasMove> {
  return relocate(database, place, async (_client, current) => {
    if (place.alias === CHAMPION)
      throw new InklingError(
        'BAD_USER_INPUT',
        `${place.name} keeps its champion: an alias that serves is moved, not removed.`,
        'Promote another version, or roll back.',
      )
    if (current === null)
      throw new InklingError('NOT_FOUND', `${place.name} has no alias ${place.alias}.`, 'Nothing to do.')
    return { act: 'REMOVE', toId: null }
  })
}

/** Back to the version that held the alias before. Throws NOT_FOUND when there is none, ARTEFACT_INVALID when it may not serve, CONFLICT. */
export function rollbackAlias(database: Database, place: AliasPlace): Promise<AliasMove> {
  return relocate(database, place, async (client) => {
    const moves = await readMoves(client, place.kind, place.name)
    const before = standingOf(moves, place.alias).at(-2)
    if (before === undefined)
      throw new InklingError(
        'NOT_FOUND',
        `No version of ${place.name} was ${place.alias} before this one.`,
        'Promote the version that should serve: `inkling models promote`.',
      )
    await checkServable(client, place, before)
    return { act: 'ROLLBACK', toId: before }
  })
}

/**
 * The versions that a rollback goes back through, oldest first; the last holds the alias. A move adds to it, a rollback takes
 * away: two rollbacks in a row go two versions back, they do not swap one pair.
 */
export function standingOf(moves: readonly AliasMove[], alias: string): string[] {
  const standing: string[] = []
  for (const move of moves) {
    if (move.alias !== alias) continue
    if (move.toId === null) standing.length = 0
    else if (move.act === 'ROLLBACK') standing.pop()
    else if (standing.at(-1) !== move.toId) standing.push(move.toId)
  }
  return standing
}

/**
 * One lock per thing makes its moves linear: what holds the alias is read, the time taken and the log written inside the lock,
 * so that a later move is never dated earlier. A champion that moves ends the experiment that it stood in.
 */
function relocate(
  database: Database,
  place: AliasPlace,
  decide: (client: Queryable, current: string | null) => Promise<Step>,
): Promise<AliasMove> {
  const { kind, name, alias, movedBy, reason, expected } = place
  checkAlias(alias)
  return database.transaction(async (client) => {
    await lockAliases(client, kind, name)
    const { rows: pointed } = await client.query<{ versionId: string }>(
      'SELECT "versionId" FROM "inkling"."Alias" WHERE "kind" = $1 AND "name" = $2 AND "alias" = $3',
      [kind, name, alias],
    )
    const current = pointed[0]?.versionId ?? null
    if (expected !== undefined && expected !== current) throw await overtaken(client, place, current)
    const { act, toId } = await decide(client, current)
    const { rows } = await client.query<AliasMove>(
      `INSERT INTO "inkling"."AliasMove" ("kind", "name", "alias", "fromId", "toId", "movedAt", "movedBy", "reason", "act")
       VALUES ($1, $2, $3, $4::uuid, $5::uuid, clock_timestamp(), $6, $7, $8) RETURNING ${COLUMNS}`,
      [kind, name, alias, current, toId, movedBy, reason, act],
    )
    const move = rows[0]!
    if (toId === null)
      await client.query('DELETE FROM "inkling"."Alias" WHERE "kind" = $1 AND "name" = $2 AND "alias" = $3', [
        kind,
        name,
        alias,
      ])
    else
      await client.query(
        `INSERT INTO "inkling"."Alias" ("kind", "name", "alias", "versionId", "movedAt") VALUES ($1, $2, $3, $4::uuid, $5)
         ON CONFLICT ("kind", "name", "alias")
         DO UPDATE SET "versionId" = EXCLUDED."versionId", "movedAt" = EXCLUDED."movedAt"`,
        [kind, name, alias, toId, move.movedAt],
      )
    if (alias === CHAMPION && toId !== current)
      await endRunning(client, kind, name, {
        endedBy: movedBy,
        outcome: act === 'ROLLBACK' ? 'ROLLED_BACK' : 'CHAMPION_MOVED',
        reason,
      })
    await announce(client, kind, name)
    return move
  })
}

/** Whoever moves aliases of a thing, or starts and ends its experiments, does so one after the other. */
export async function lockAliases(client: Queryable, kind: string, name: string): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`alias:${kind}:${name}`])
}

/** Channel on which every process hears of what serves; the payload is "kind:name". */
export const ALIAS_CHANNEL = 'inkling_alias'

export async function announce(client: Queryable, kind: string, name: string): Promise<void> {
  await client.query('SELECT pg_notify($1, $2)', [ALIAS_CHANNEL, `${kind}:${name}`])
}

/** Throws NOT_FOUND for a version of something else, ARTEFACT_INVALID for one that may not serve. */
export async function checkServable(
  client: Queryable,
  { kind, name, alias }: Pick<AliasPlace, 'kind' | 'name' | 'alias'>,
  versionId: string,
): Promise<void> {
  const { rows } = await client.query<Pick<Version, 'state' | 'number'>>(
    'SELECT "state", "number" FROM "inkling"."Version" WHERE "id"::text = $1 AND "kind" = $2 AND "name" = $3',
    [versionId, kind, name],
  )
  const version = rows[0]
  if (!version)
    throw new InklingError(
      'NOT_FOUND',
      `${name} has no version ${versionId}.`,
      'List its versions with `inkling models list`.',
    )
  if (version.state === 'REGISTERED') return
  const waits = version.state === 'PENDING'
  throw new InklingError(
    'ARTEFACT_INVALID',
    `${name} version ${version.number} ${waits ? 'waits for approval' : `is ${version.state.toLowerCase()}`} and may not serve as ${alias}.`,
    waits ? 'Approve it first: the mutation approveVersion.' : 'Choose a version whose state is REGISTERED.',
  )
}

export function listMoves(database: Queryable, kind: string, name: string): Promise<AliasMove[]> {
  return readMoves(database, kind, name)
}

async function readMoves(client: Queryable, kind: string, name: string): Promise<AliasMove[]> {
  const { rows } = await client.query<AliasMove>(
    `SELECT ${COLUMNS} FROM "inkling"."AliasMove" WHERE "kind" = $1 AND "name" = $2 ORDER BY "sequence"`,
    [kind, name],
  )
  return rows
}

async function overtaken(
  client: Queryable,
  { name, alias }: AliasPlace,
  current: string | null,
): Promise<InklingError> {
  const { rows } = await client.query<{ number: number }>(
    'SELECT "number" FROM "inkling"."Version" WHERE "id"::text = $1',
    [current],
  )
  return new InklingError(
    'CONFLICT',
    `The ${alias} of ${name} is ${current === null ? 'no version' : `version ${rows[0]?.number} (${current})`} by now, not the expected one.`,
    'Look at what serves and decide again.',
  )
}
