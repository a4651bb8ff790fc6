import type { Gain } from '../trainer/contest.ts'
import type { Gate, Model } from './define.ts'
import type { Evidence } from './rollout/evidence.ts'

/** What one demand of the model file came to. */
export interface GateResult {
  /** The metric as the model file names it. */
  readonly gate: string
  /** A bound on the whole hold-out or on a slice, or a comparison on the same rows. */
  readonly against: 'BOUND' | 'SLICE' | 'CHAMPION' | 'BASELINE'
  /** The metric, or the gain over the opponent; null: not enough data. */
  readonly value: number | null
  /** 95 % interval of a gain. */
  readonly low: number | null
  readonly high: number | null
  readonly isPassed: boolean
  /** In words, with the figures. */
  readonly says: string
}

/** Slices under so many hold-out rows say little: they are listed and never fail. */
const SLICE_ROWS = 100

/** Holds a new version against every demand of its model file. */
export function judge(model: Model, evidence: Evidence): GateResult[] {
  return Object.entries(model.gates ?? {}).flatMap(([gate, demands]) => {
    const metric = metricOf(gate)
    const results: GateResult[] = []
    if (demands.min !== undefined || demands.max !== undefined)
      results.push(boundResult(gate, 'BOUND', gate, evidence.metrics[metric], demands))
    results.push(...sliceResults(gate, metric, demands, evidence))
    if (demands.champion) results.push(championResult(gate, metric, demands.champion.atLeast, evidence))
    if (demands.baseline) {
      const { by, gains } = evidence.baseline
      const opponent = by === 'RULE' ? 'the rule' : 'the base rate'
      results.push(gainResult(gate, 'BASELINE', opponent, gains[metric] ?? null, demands.baseline.atLeast))
    }
    return results
  })
}

/** Gates are named for people; metrics as the trainer reports them. */
export function metricOf(gate: string): string {
  return gate === 'calibrationError' ? 'ece' : gate
}

function boundResult(
  gate: string,
  against: 'BOUND' | 'SLICE',
  named: string,
  value: number | null | undefined,
  { min, max }: Pick<Gate, 'min' | 'max'>,
): GateResult {
  const result = { gate, against, value: value ?? null, low: null, high: null }
  if (value === null || value === undefined)
    return { ...result, isPassed: false, says: `${named} is not known: not enough data` }
  const shown = value.toFixed(4)
  if (min !== undefined && value < min) return { ...result, isPassed: false, says: `${named} ${shown} is below ${min}` }
  if (max !== undefined && value > max) return { ...result, isPassed: false, says: `${named} ${shown} is above ${max}` }
  return { ...result, isPassed: true, says: `${named} ${shown}` }
}

function sliceResults(gate: string, metric: string, demands: Gate, { slices }: Evidence): GateResult[] {
  return Object.entries(demands.slices ?? {}).flatMap(([feature, bounds]) =>
    slices
      .filter((slice) => slice.feature === feature)
      .map(({ slice, rows, metrics }) => {
        const named = `${gate} where ${feature} is ${slice}`
        const least = bounds.rows ?? SLICE_ROWS
        if (rows >= least) return boundResult(gate, 'SLICE', named, metrics[metric], bounds)
        const says = `${named}: ${rows} rows, judged from ${least} on`
        return { gate, against: 'SLICE' as const, value: null, low: null, high: null, isPassed: true, says }
      }),
  )
}

function championResult(gate: string, metric: string, atLeast: number, evidence: Evidence): GateResult {
  const { champion, incomparable } = evidence
  if (champion) {
    const seen = champion.isUnseen ? '' : ', which has learned from some of these rows'
    const opponent = `the champion (version ${champion.number}${seen})`
    return gainResult(gate, 'CHAMPION', opponent, champion.gains[metric] ?? null, atLeast)
  }
  const says = incomparable ? `${gate} not compared: ${incomparable}` : `${gate} not compared: there is no champion`
  return { gate, against: 'CHAMPION', value: null, low: null, high: null, isPassed: true, says }
}

function gainResult(
  gate: string,
  against: 'CHAMPION' | 'BASELINE',
  opponent: string,
  gain: Gain | null,
  atLeast: number,
): GateResult {
  if (!gain) {
    const says = `${gate} could not be compared with ${opponent}: not enough data`
    return { gate, against, value: null, low: null, high: null, isPassed: false, says }
  }
  const isPassed = gain.low >= atLeast
  const says = `${gate} ${describeGain(gain)} than ${opponent}${isPassed ? '' : `: surely at least ${atLeast} is demanded`}`
  return { gate, against, value: gain.gain, low: gain.low, high: gain.high, isPassed, says }
}

/** "0.0123 better (95 %: 0.0040 to 0.0210)". */
export function describeGain({ gain, low, high }: Gain): string {
  return `${Math.abs(gain).toFixed(4)} ${gain < 0 ? 'worse' : 'better'} (95 %: ${low.toFixed(4)} to ${high.toFixed(4)})`
}
