/** What the labelled answers of one version add up to: keys, mean loss and its variance (n - 1). */
export interface Arm {
  readonly keys: number
  readonly mean: number
  readonly variance: number
}

/** The difference of the challenger's mean loss from the baseline's: positive is worse. low, high hold at every look at once. */
export interface SequentialInterval {
  readonly difference: number
  readonly low: number
  readonly high: number
}

export const experimentMetrics = ['logLoss', 'brier', 'error'] as const
export type ExperimentMetric = (typeof experimentMetrics)[number]

/** Probabilities are clipped here, so that one bold mistake has a bounded loss and the variance stays finite. */
export const CLIP = 0.001

/**
 * The size of effects that the mixture expects, in units of the loss. The interval is valid whatever it is; it is narrowest for effects
 * of about this size.
 */
const SCALE: Readonly<Record<ExperimentMetric, number>> = { logLoss: 0.05, brier: 0.02, error: 0.03 }

/**
 * An always-valid interval from the mixture sequential probability ratio test: with V = s1²/n1 + s2²/n2 and a normal mixture N(0, τ²)
 * over the effect, H0 is rejected once sqrt(V / (V + τ²)) exp(τ² d² / (2 V (V + τ²))) >= 1/α. Robbins 1970; for two streams Johari,
 * Koomen, Pekelis and Walsh, "Always Valid Inference", 2017 (arXiv 1512.04922), equations 5 and 8. One may look after every outcome and stop at the first that
 * convinces, and is wrong in at most a share α of experiments. Means stand in for normals, so that each arm needs keys enough.
 */
export function sequentialInterval(
  baseline: Arm,
  challenger: Arm,
  metric: ExperimentMetric,
  errorRate: number,
): SequentialInterval {
  const difference = challenger.mean - baseline.mean
  const spread = baseline.variance / baseline.keys + challenger.variance / challenger.keys
  if (!(spread > 0)) return { difference, low: difference, high: difference }
  const prior = SCALE[metric] ** 2
  const half = Math.sqrt(
    ((2 * spread * (spread + prior)) / prior) * (Math.log(1 / errorRate) + Math.log((spread + prior) / spread) / 2),
  )
  return { difference, low: difference - half, high: difference + half }
}
