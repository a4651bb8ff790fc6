import type { Metrics } from './metrics.ts'

/** The mean of each metric over folds; null where any fold could not say. */
export function meanMetrics(folds: readonly Metrics[]): Metrics {
  const names = Object.keys(folds[0] ?? {})
  return Object.fromEntries(
    names.map((name) => {
      const values = folds.map((fold) => fold[name] ?? null)
      if (values.some((value) => value === null)) return [name, null]
      return [name, values.reduce<number>((sum, value) => sum + value!, 0) / values.length]
    }),
  )
}
