import type { Database, Queryable } from '../../platform/database.ts'
import { InklingError, messageOf } from '../../platform/errors.ts'
import type { Model } from '../define.ts'
import { type ColumnChange, changesOf, readCatalog } from './catalog.ts'
import { columnsOf, type ModelPart, type PartTrial, tryModel } from './reading.ts'

/** What a change of the schema does to one model. */
export interface ModelEffect {
  readonly model: string
  readonly isBreaking: boolean
  /** Changed columns that the model reads, with the features behind them where the kit knows them. */
  readonly columns: readonly (ColumnChange & {
    readonly features: readonly string[]
    readonly parts: readonly ModelPart[]
  })[]
  /** Parts that ran before the change and fail after it, with what the database says. */
  readonly failures: readonly { readonly part: ModelPart; readonly says: string }[]
}

/**
 * Applies a change to an empty copy of the schema and tries everything that the models ask of it, before and after. Nothing of it
 * stays: the whole check is one transaction that is rolled back. Throws MIGRATION_FAILED when the change itself fails there.
 */
export async function checkChange(
  copy: Database,
  models: readonly Model[],
  change: string,
  { searchPath, now }: { readonly searchPath: string; readonly now: Date },
): Promise<ModelEffect[]> {
  let effects: ModelEffect[] = []
  const done = new Error('rolled back')
  try {
    await copy.transaction(async (client) => {
      const catalog = await readCatalog(client)
      const before = new Map<Model, PartTrial[]>()
      const columns = new Map<PartTrial, ReadonlySet<string>>()
      for (const model of models) {
        const trials = await tryModel(client, model, now)
        before.set(model, trials)
        for (const trial of trials) {
          const found = new Set<string>()
          for (const statement of trial.statements)
            for (const column of await columnsOf(client, statement)) found.add(column)
          columns.set(trial, found)
        }
      }
      await apply(client, change, searchPath)
      const changes = changesOf(catalog, await readCatalog(client))
      for (const [model, trials] of before) {
        const after = await tryModel(client, model, now)
        const effect = effectOn(model, trials, after, columns, changes)
        if (effect) effects = [...effects, effect]
      }
      throw done
    })
  } catch (error) {
    if (error !== done) throw error
  }
  return effects
}

async function apply(client: Queryable, change: string, searchPath: string): Promise<void> {
  try {
    await client.query(`SET LOCAL search_path TO "${searchPath.replaceAll('"', '""')}"`)
    await client.query(change)
    await client.query('SET LOCAL search_path TO DEFAULT')
  } catch (cause) {
    throw new InklingError(
      'MIGRATION_FAILED',
      `The change does not apply to an empty copy of the schema: ${messageOf(cause)}`,
      'Mend its SQL; nothing was changed.',
      { cause },
    )
  }
}

function effectOn(
  model: Model,
  before: readonly PartTrial[],
  after: readonly PartTrial[],
  columns: ReadonlyMap<PartTrial, ReadonlySet<string>>,
  changes: readonly ColumnChange[],
): ModelEffect | null {
  const failures = after.flatMap(({ part, error }) => {
    const ranBefore = before.some((trial) => trial.part === part && trial.error === null)
    return error !== null && ranBefore ? [{ part, says: error }] : []
  })
  const touched = changes.flatMap((change) => {
    const parts = before.filter((trial) => columns.get(trial)?.has(change.column)).map(({ part }) => part)
    const features = Object.entries(model.sources ?? {})
      .filter(([, sources]) => sources.includes(change.column))
      .map(([feature]) => feature)
    return parts.length > 0 || features.length > 0 ? [{ ...change, features, parts }] : []
  })
  if (failures.length === 0 && touched.length === 0) return null
  const isBreaking = failures.length > 0 || touched.some((change) => change.isBreaking)
  return { model: model.name, isBreaking, columns: touched, failures }
}
