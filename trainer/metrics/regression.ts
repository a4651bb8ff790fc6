export interface RegressionMetrics {
  /** Root of the mean squared error, in the label's unit. */
  readonly rmse: number | null
  /** Mean absolute error, in the label's unit. */
  readonly mae: number | null
  /** Share of variance explained; below 0 is worse than the mean. Null where the label does not vary. */
  readonly r2: number | null
}

/** As scikit-learn's mean_squared_error, mean_absolute_error and r2_score. All null without rows. */
export function regressionMetrics(
  y: ArrayLike<number>,
  predicted: ArrayLike<number>,
  weights?: ArrayLike<number>,
): RegressionMetrics {
  const weightOf = (row: number): number => (weights ? weights[row]! : 1)
  let total = 0
  let mean = 0
  for (let row = 0; row < y.length; row++) {
    total += weightOf(row)
    mean += weightOf(row) * y[row]!
  }
  if (total === 0) return { rmse: null, mae: null, r2: null }
  mean /= total
  let squared = 0
  let absolute = 0
  let spread = 0
  for (let row = 0; row < y.length; row++) {
    const miss = predicted[row]! - y[row]!
    squared += weightOf(row) * miss * miss
    absolute += weightOf(row) * Math.abs(miss)
    spread += weightOf(row) * (y[row]! - mean) ** 2
  }
  return {
    rmse: Math.sqrt(squared / total),
    mae: absolute / total,
    r2: spread > 0 && y.length > 1 ? 1 - squared / spread : null,
  }
}
