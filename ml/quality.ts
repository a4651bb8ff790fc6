import type { FeatureSpec } from './define.ts'
import type { Prediction } from './prediction.ts'

/** How good the ground is that a prediction stands on: names of features. */
export interface Quality {
  /** Not known at that moment. */
  readonly missing: readonly string[]
  /** Categories that training never saw, and numbers that are none: scored as missing. */
  readonly unknown: readonly string[]
  /** Numbers outside what training saw: the model extrapolates. */
  readonly outOfRange: readonly string[]
  readonly interval: { readonly low: number; readonly high: number }
}

export function qualityOf({ model, version, values, row, low, high }: Prediction): Quality {
  const { statistics } = version.version.contents
  const ranges = new Map(statistics.map((column) => [column.feature, column]))
  const named = (isSo: (feature: FeatureSpec, index: number) => boolean) =>
    model.features.filter(isSo).map(({ name }) => name)
  const isMissing = (_: FeatureSpec, index: number) => (values[index] ?? null) === null
  return {
    missing: named(isMissing),
    unknown: named((feature, index) => !isMissing(feature, index) && Number.isNaN(row[index]!)),
    outOfRange: named((feature, index) => {
      const range = ranges.get(feature.name)
      const value = row[index]!
      if (feature.kind !== 'number' || Number.isNaN(value) || !range) return false
      return (range.min !== null && value < range.min) || (range.max !== null && value > range.max)
    }),
    interval: { low, high },
  }
}
