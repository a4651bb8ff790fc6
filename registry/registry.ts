import type { Database } from '../platform/database.ts'
import { InklingError, isInklingError } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import {
  ALIAS_CHANNEL,
  type AliasMoveRequest,
  type AliasPlace,
  listMoves,
  moveAlias,
  removeAlias,
  rollbackAlias,
} from './aliases.ts'
import { type Approval, decideApproval } from './approval.ts'
import { holdArtefacts, readArtefact, readBytes, storeArtefact } from './artefacts.ts'
import { createExperiments, type Experiments } from './experiments/experiments.ts'
import { createRuns, type Runs } from './runs.ts'
import type { ArtefactStore } from './stores/store.ts'
import type { AliasMove, NewVersion, Version } from './version.ts'

export interface Registry {
  readonly runs: Runs
  readonly experiments: Experiments
  /** Stores bytes and version in one transaction (or the caller's) and numbers it. */
  register<Contents>(version: NewVersion): Promise<Version<Contents>>
  /** Throws NOT_FOUND. */
  version<Contents>(id: string): Promise<Version<Contents>>
  versions<Contents>(kind: string, ids: readonly string[]): Promise<Version<Contents>[]>
  /** The id of a version by its number; null when there is none. */
  find(kind: string, name: string, number: number): Promise<string | null>
  /** Newest first. */
  list<Contents>(kind: string, name: string, limit?: number): Promise<Version<Contents>[]>
  /**
   * The bytes behind a role. Bytes without the hash they were stored under quarantine the version and throw ARTEFACT_INVALID; a
   * store that does not answer throws UNAVAILABLE, a role that the version does not have NOT_FOUND.
   */
  artefact(version: Version, role: string): Promise<Uint8Array>
  /** Keeps bytes that a version may come of and returns their sha256; pruned after a day when none did. */
  keep(bytes: Uint8Array): Promise<string>
  /** Bytes that were kept. Throws NOT_FOUND, ARTEFACT_INVALID or UNAVAILABLE. */
  kept(sha256: string): Promise<Uint8Array>
  /** Points the alias at a version. Moves of one thing are one after the other; each is in the audit log. */
  move(request: AliasMoveRequest): Promise<AliasMove>
  /** The alias points nowhere from now on; never the champion's. */
  remove(place: AliasPlace): Promise<AliasMove>
  /** Points the champion at the version that served before, and ends the experiment that runs. */
  rollback(place: AliasPlace): Promise<AliasMove>
  /** Registers or rejects a version that waits for it. Throws NOT_FOUND, CONFLICT when it does not wait. */
  decide<Contents>(approval: Approval): Promise<Version<Contents>>
  /** Every move of one thing's aliases, oldest first. */
  moves(kind: string, name: string): Promise<AliasMove[]>
  /** Takes a version out of service for good, with the reason. */
  quarantine(id: string, reason: string): Promise<void>
  /** Calls back when an alias of any thing may have moved or an experiment changed, here or in another process. */
  onMove(callback: () => void): Promise<() => Promise<void>>
}

const COLUMNS =
  '"id", "kind", "name", "number", "state", "artefacts", "schemaHash", "contents", "reasons", "runId", "createdBy", "createdAt"'

export interface RegistryOptions {
  /** Where large artefacts lie; the database when absent. */
  readonly artefacts?: ArtefactStore | null
  readonly log?: Log
}

export function createRegistry(database: Database, { artefacts = null, log }: RegistryOptions = {}): Registry {
  async function register<Contents>(version: NewVersion): Promise<Version<Contents>> {
    return database.transaction(async (client) => {
      await holdArtefacts(client)
      const hashes: Record<string, string> = {}
      for (const [role, bytes] of Object.entries(version.artefacts))
        hashes[role] = await storeArtefact(client, bytes, artefacts)
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `version:${version.kind}:${version.name}`,
      ])
      const { rows } = await client.query<Version<Contents>>(
        `INSERT INTO "inkling"."Version" (${COLUMNS})
         SELECT gen_random_uuid(), $1, $2, 1 + COALESCE(max("number"), 0), $3::"inkling"."VersionState", $4::jsonb, $5, $6::jsonb,
                $7::text[], $8::uuid, $9, clock_timestamp()
         FROM "inkling"."Version" WHERE "kind" = $1 AND "name" = $2
         RETURNING ${COLUMNS}`,
        [
          version.kind,
          version.name,
          version.state,
          JSON.stringify(hashes),
          version.schemaHash,
          JSON.stringify(version.contents),
          version.reasons,
          version.runId ?? null,
          version.createdBy,
        ],
      )
      return rows[0]!
    })
  }

  async function version<Contents>(id: string): Promise<Version<Contents>> {
    const { rows } = await database.query<Version<Contents>>(
      `SELECT ${COLUMNS} FROM "inkling"."Version" WHERE "id"::text = $1`,
      [id],
    )
    if (rows[0]) return rows[0]
    throw new InklingError(
      'NOT_FOUND',
      `There is no version ${id}.`,
      'List the versions that exist: `inkling models list`.',
    )
  }

  /** The first reason stays: a version is taken out of service once. */
  async function quarantine(id: string, reason: string): Promise<void> {
    const { rows } = await database.query<{ name: string; number: number }>(
      `UPDATE "inkling"."Version" SET "state" = 'QUARANTINED', "reasons" = array_append("reasons", $2)
       WHERE "id"::text = $1 AND "state" <> 'QUARANTINED' RETURNING "name", "number"`,
      [id, reason],
    )
    for (const { name, number } of rows)
      log?.error({ event: 'version quarantined', alert: true, name, version: number, versionId: id, reason })
  }

  return {
    runs: createRuns(database),
    experiments: createExperiments(database),
    register,
    version,
    async versions<Contents>(kind: string, ids: readonly string[]) {
      const { rows } = await database.query<Version<Contents>>(
        `SELECT ${COLUMNS} FROM "inkling"."Version" WHERE "kind" = $1 AND "id"::text = ANY($2::text[])`,
        [kind, ids],
      )
      return rows
    },
    async find(kind, name, number) {
      const { rows } = await database.query<{ id: string }>(
        'SELECT "id" FROM "inkling"."Version" WHERE "kind" = $1 AND "name" = $2 AND "number" = $3',
        [kind, name, number],
      )
      return rows[0]?.id ?? null
    },
    async list<Contents>(kind: string, name: string, limit = 100) {
      const { rows } = await database.query<Version<Contents>>(
        `SELECT ${COLUMNS} FROM "inkling"."Version" WHERE "kind" = $1 AND "name" = $2 ORDER BY "number" DESC LIMIT $3`,
        [kind, name, limit],
      )
      return rows
    },
    keep: (bytes) =>
      database.transaction(async (client) => {
        await holdArtefacts(client)
        return storeArtefact(client, bytes, artefacts)
      }),
    async kept(sha256) {
      const bytes = await readBytes(database, sha256, artefacts)
      if (bytes) return bytes
      throw new InklingError(
        'ARTEFACT_INVALID',
        `The bytes of ${sha256} are not what was kept.`,
        'Hand them over again.',
      )
    },
    async artefact(owner, role) {
      try {
        return await readArtefact(database, owner, role, artefacts)
      } catch (error) {
        if (isInklingError(error) && error.code === 'ARTEFACT_INVALID') await quarantine(owner.id, error.message)
        throw error
      }
    },
    move: (request) => moveAlias(database, request),
    remove: (place) => removeAlias(database, place),
    rollback: (place) => rollbackAlias(database, place),
    async decide<Contents>(approval: Approval) {
      return version<Contents>(await decideApproval(database, approval))
    },
    moves: (kind, name) => listMoves(database, kind, name),
    quarantine,
    onMove: (callback) => database.listen(ALIAS_CHANNEL, callback),
  }
}
