import { createHash } from 'node:crypto'
import type { FeatureSpec } from './model.ts'

/** sha256 of what a trained version depends on. Sentences may change without a new training; names, order, units and SQL not. */
export function schemaHashOf(entity: string, features: readonly FeatureSpec[], shape: readonly unknown[]): string {
  const inputs = features.map(({ name, kind, unit, levels }) => [name, kind, unit ?? null, levels ?? null])
  return createHash('sha256')
    .update(JSON.stringify([entity, inputs, shape]))
    .digest('hex')
}
