import type { FeatureSpec, FeatureValue } from '../define.ts'
import type { Prediction } from '../prediction.ts'
import type { ServedVersion } from '../served-version.ts'

/** One feature's share in a prediction. */
export interface Reason {
  readonly feature: string
  readonly value: FeatureValue
  readonly unit: string | null
  /** Signed share of the log-odds; all of them and the base add up to the prediction's. */
  readonly contribution: number
  readonly direction: 'RAISES' | 'LOWERS'
  readonly sentence: string
}

/** Every feature of every prediction, strongest first; none for a version without reasons. Predictions of one version are explained in one batch. */
export async function reasonsOf(predictions: readonly Prediction[]): Promise<Reason[][]> {
  const reasons: Reason[][] = predictions.map(() => [])
  for (const [served, indexes] of groupByVersion(predictions)) {
    if (!hasReasons(served)) continue
    const { width } = served.encoder
    const x = new Float32Array(indexes.length * width)
    for (const [at, index] of indexes.entries()) x.set(predictions[index]!.row, at * width)
    const values = await served.shares.explain(x, indexes.length)
    for (const [at, index] of indexes.entries())
      reasons[index] = rank(predictions[index]!, values.subarray(at * width, (at + 1) * width))
  }
  return reasons
}

/** False for a version that other software trained: its structure is not known, and shares would be made up. */
export function hasReasons({ version }: ServedVersion): boolean {
  return version.contents.origin?.kind !== 'IMPORTED'
}

function groupByVersion(predictions: readonly Prediction[]): Map<ServedVersion, number[]> {
  const groups = new Map<ServedVersion, number[]>()
  for (const [index, { version }] of predictions.entries()) {
    const group = groups.get(version)
    if (group) group.push(index)
    else groups.set(version, [index])
  }
  return groups
}

function rank({ model, values }: Prediction, shares: Float64Array): Reason[] {
  const reasons = model.features.map((feature, index) => toReason(feature, values[index] ?? null, shares[index]!))
  return reasons.sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
}

function toReason(feature: FeatureSpec, value: FeatureValue, contribution: number): Reason {
  const direction = contribution >= 0 ? 'RAISES' : 'LOWERS'
  return {
    feature: feature.name,
    value,
    unit: feature.unit ?? null,
    contribution,
    direction,
    sentence: sentenceOf(feature, value, direction),
  }
}

/** The model file's sentence when the feature raises the score; otherwise its counterpart, or a plain statement of the value. */
function sentenceOf(feature: FeatureSpec, value: FeatureValue, direction: Reason['direction']): string {
  const shown = value === null ? 'unknown' : typeof value === 'number' ? formatNumber(value) : value
  const amount = value === null || !feature.unit ? shown : `${shown} ${feature.unit}`
  if (direction === 'RAISES') return `${feature.says} (${amount})`
  return feature.saysLower ? `${feature.saysLower} (${amount})` : `Counts against it: ${feature.name} is ${amount}`
}

function formatNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}
