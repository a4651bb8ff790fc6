import type { Model } from '../define.ts'
import { featureDifference } from '../feature-difference.ts'
import type { ModelVersion } from '../model-version.ts'

const MOSTLY_MISSING = 0.5
const FEW_ROWS = 500

/** What a version cannot be relied on for, as far as its figures say; every sentence rests on something measured. */
export function limitsOf(version: ModelVersion, model: Model | null): string[] {
  const { contents, state, reasons } = version
  const { window, splits, slices, statistics, origin, warnings, rows, positives, reliability } = contents
  const limits: string[] = []
  if (state !== 'REGISTERED')
    limits.push(`It may not serve: it is ${state.toLowerCase()}${reasons.length > 0 ? ` (${reasons[0]})` : ''}.`)
  const [main] = splits
  if (main)
    limits.push(
      `Its figures hold for ${contents.entity} rows like those between ${window.from.slice(0, 10)} and ${window.to.slice(0, 10)}, held out by ${main.by}; nothing is known about other times and populations.`,
    )
  if (main && main.test < FEW_ROWS) limits.push(`Only ${main.test} rows judge it: read the intervals, not the values.`)
  const rate = positives / rows
  if (rate < 0.02 || rate > 0.98)
    limits.push(`One answer is rare (${(100 * Math.min(rate, 1 - rate)).toFixed(1)} %): accuracy says little.`)
  const unmeasured = slices.filter(({ metrics }) => metrics === null)
  if (unmeasured.length > 0)
    limits.push(
      `Too few rows to judge it for ${unmeasured
        .slice(0, 10)
        .map(({ column, slice }) => `${column} = ${slice}`)
        .join(', ')}.`,
    )
  const weak = slices.filter(({ metrics }) => {
    const whole = contents.metrics.auc
    return metrics?.auc != null && whole != null && metrics.auc < whole - 0.05
  })
  if (weak.length > 0)
    limits.push(
      `It ranks worse than on the whole for ${weak.map(({ column, slice }) => `${column} = ${slice}`).join(', ')}.`,
    )
  const missing = statistics.filter((entry) => entry.missing > MOSTLY_MISSING)
  if (missing.length > 0)
    limits.push(`Mostly missing in its rows: ${missing.map(({ feature }) => feature).join(', ')}.`)
  const widest = reliability?.reduce((most, bin) => Math.max(most, Math.abs(bin.said - bin.seen)), 0) ?? 0
  if (widest > 0.1)
    limits.push(`In some range what it says is off by ${(100 * widest).toFixed(0)} points: see the calibration.`)
  if (origin?.kind === 'IMPORTED') limits.push('It was trained elsewhere: its probabilities come without reasons.')
  if (model && featureDifference(model, version) !== '')
    limits.push(
      `The model file has changed since (${featureDifference(model, version)}): it cannot serve as the file is now.`,
    )
  if (!model) limits.push('The model file is gone: it cannot serve.')
  limits.push('It finds what goes together, not what causes it: changing a feature need not change the outcome.')
  return [...limits, ...warnings]
}
