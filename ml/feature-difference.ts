import { InklingError } from '../platform/errors.ts'
import type { FeatureSpec, Model } from './define.ts'
import type { ModelVersion } from './model-version.ts'

/** What differs between the features that a version was trained with and those of the model file; empty when they are the same. */
export function featureDifference(model: Model, version: ModelVersion): string {
  if (version.schemaHash === model.schemaHash) return ''
  const trained = new Map(version.contents.features.map((feature) => [feature.name, feature]))
  const defined = new Map(model.features.map((feature) => [feature.name, feature]))
  const added = [...defined.keys()].filter((name) => !trained.has(name))
  const removed = [...trained.keys()].filter((name) => !defined.has(name))
  const changed = [...defined.values()].flatMap((feature) => {
    const before = trained.get(feature.name)
    return before ? changesOf(before, feature) : []
  })
  const parts = [
    added.length > 0 ? `new: ${added.join(', ')}` : '',
    removed.length > 0 ? `gone: ${removed.join(', ')}` : '',
    changed.length > 0 ? `changed: ${changed.join(', ')}` : '',
  ].filter(Boolean)
  if (parts.length > 0) return parts.join('; ')
  const isReordered = [...defined.keys()].join() !== [...trained.keys()].join()
  return isReordered ? 'features stand in another order' : 'a feature is read differently'
}

function changesOf(before: FeatureSpec, after: FeatureSpec): string[] {
  const { name } = after
  if (before.kind !== after.kind) return [`${name} is a ${after.kind}, was a ${before.kind}`]
  if (before.unit !== after.unit)
    return [`${name} is in ${after.unit ?? 'no unit'}, was in ${before.unit ?? 'no unit'}`]
  if (before.levels?.join() !== after.levels?.join()) return [`${name} has other levels`]
  return []
}

/** A model file that changed since training reads other features than the version expects: throws FEATURE_MISMATCH. */
export function refuseMismatch(model: Model, version: ModelVersion): void {
  const difference = featureDifference(model, version)
  if (difference === '') return
  throw new InklingError(
    'FEATURE_MISMATCH',
    `${model.name} version ${version.number} was trained with other features (${difference}).`,
    `Train again: \`inkling train ${model.name}\`.`,
  )
}
