import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'

/** Somebody's word about a version that waits for it. */
export interface Approval {
  readonly kind: string
  readonly versionId: string
  readonly isApproved: boolean
  readonly decidedBy: string
  readonly reason: string
}

/** One statement, so that of two deciders one is first and the other hears of it. Returns the version's id. */
export async function decideApproval(database: Database, approval: Approval): Promise<string> {
  const { kind, versionId, isApproved, decidedBy, reason } = approval
  const state = isApproved ? 'REGISTERED' : 'REJECTED'
  const { rows } = await database.query<{ id: string }>(
    `UPDATE "inkling"."Version" SET "state" = $3::"inkling"."VersionState",
            "reasons" = CASE WHEN $3 = 'REJECTED' THEN array_append("reasons", $4) ELSE "reasons" END
     WHERE "id"::text = $1 AND "kind" = $2 AND "state" = 'PENDING' RETURNING "id"`,
    [versionId, kind, state, `rejected by ${decidedBy}: ${reason}`],
  )
  if (rows[0]) return rows[0].id
  const { rows: found } = await database.query<{ state: string; number: number; name: string }>(
    'SELECT "state", "number", "name" FROM "inkling"."Version" WHERE "id"::text = $1 AND "kind" = $2',
    [versionId, kind],
  )
  const version = found[0]
  if (!version)
    throw new InklingError('NOT_FOUND', `There is no version ${versionId}.`, 'List the versions that exist.')
  throw new InklingError(
    'CONFLICT',
    `${version.name} version ${version.number} does not wait for approval: it is ${version.state.toLowerCase()}.`,
    'Only a version whose state is PENDING is approved or rejected.',
  )
}
