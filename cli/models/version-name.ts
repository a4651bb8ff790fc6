import type { Model } from '../../ml/define.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import { findModel } from '../../ml/training-job.ts'
import { models } from '../../models/index.ts'
import { InklingError } from '../../platform/errors.ts'
import type { Registry } from '../../registry/registry.ts'

/** A version as people write it: `churn@7`, `churn@challenger`, or `churn` for the one that serves. Throws MODEL_UNKNOWN or NOT_FOUND. */
export async function findVersion(registry: Registry, text: string): Promise<{ model: Model; version: ModelVersion }> {
  const [name = '', selector = 'champion', ...rest] = text.split('@')
  const model = findModel(models, name)
  const id = rest.length > 0 ? null : await idOf(registry, name, selector)
  if (id) return { model, version: await registry.version<ModelContents>(id) }
  throw new InklingError(
    'NOT_FOUND',
    `${name} has no version "${[selector, ...rest].join('@')}".`,
    `Write ${name}@<number or alias>; \`inkling models ${name}\` lists them.`,
  )
}

async function idOf(registry: Registry, name: string, selector: string): Promise<string | null> {
  if (/^\d{1,9}$/.test(selector)) return registry.find(MODEL_KIND, name, Number(selector))
  const moves = await registry.moves(MODEL_KIND, name)
  return moves.findLast(({ alias }) => alias === selector)?.toId ?? null
}
