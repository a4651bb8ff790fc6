import type { Database } from '../../platform/database.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AliasMove } from '../../registry/version.ts'
import type { Model } from '../define.ts'
import { CHAMPION, MODEL_KIND, type ModelContents, type ModelVersion } from '../model-version.ts'

/** Who moves something, why, and which version the mover believes to be in place. */
export interface Mover {
  readonly movedBy: string
  readonly reason?: string | undefined
  readonly expected?: string | null | undefined
}

/** The version by its number, by an alias or by its id. Throws NOT_FOUND. */
export async function findVersionOf(registry: Registry, model: Model, selector: string): Promise<ModelVersion> {
  const id = await idOf(registry, model, selector)
  const [version] = id === null ? [] : await registry.versions<ModelContents>(MODEL_KIND, [id])
  if (version?.name === model.name) return version
  throw new InklingError(
    'NOT_FOUND',
    `${model.name} has no version "${selector.slice(0, 80)}".`,
    `Name a number or an alias that points somewhere: \`inkling models list ${model.name}\`.`,
  )
}

async function idOf(registry: Registry, model: Model, selector: string): Promise<string | null> {
  if (/^\d{1,9}$/.test(selector)) return registry.find(MODEL_KIND, model.name, Number(selector))
  const moves = await registry.moves(MODEL_KIND, model.name)
  const pointed = moves.findLast(({ alias }) => alias === selector.toLowerCase())
  return pointed ? pointed.toId : selector
}

/** Lets a version serve. Throws ARTEFACT_INVALID, CONFLICT. */
export function promote(registry: Registry, version: ModelVersion, mover: Mover): Promise<AliasMove> {
  return pointAlias(registry, version, CHAMPION, { reason: 'promoted', ...mover })
}

/** Throws BAD_USER_INPUT for a name that is no alias, ARTEFACT_INVALID, CONFLICT. */
export function pointAlias(
  registry: Registry,
  version: ModelVersion,
  alias: string,
  { movedBy, reason = 'moved', expected }: Mover,
): Promise<AliasMove> {
  return registry.move({
    kind: MODEL_KIND,
    name: version.name,
    alias,
    versionId: version.id,
    movedBy,
    reason,
    expected,
  })
}

/** The version that served before serves again, and a running experiment ends. Throws NOT_FOUND, ARTEFACT_INVALID, CONFLICT. */
export function rollBack(
  registry: Registry,
  model: Model,
  { movedBy, reason = 'rolled back', expected }: Mover,
): Promise<AliasMove> {
  return registry.rollback({ kind: MODEL_KIND, name: model.name, alias: CHAMPION, movedBy, reason, expected })
}

export function removeAlias(
  registry: Registry,
  model: Model,
  alias: string,
  { movedBy, reason = 'removed', expected }: Mover,
): Promise<AliasMove> {
  return registry.remove({ kind: MODEL_KIND, name: model.name, alias, movedBy, reason, expected })
}

/** Registers a version that waited for it and lets it serve, or rejects it, in one transaction. Throws NOT_FOUND, CONFLICT. */
export function decideOn(
  database: Database,
  registry: Registry,
  versionId: string,
  isApproved: boolean,
  { movedBy, reason, expected }: Mover,
): Promise<ModelVersion> {
  return database.transaction(async () => {
    const version = await registry.decide<ModelContents>({
      kind: MODEL_KIND,
      versionId,
      isApproved,
      decidedBy: movedBy,
      reason: reason ?? 'no reason given',
    })
    if (isApproved)
      await promote(registry, version, { movedBy, reason: reason ? `approved: ${reason}` : 'approved', expected })
    return version
  })
}
