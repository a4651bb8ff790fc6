import { wilson } from '../../trainer/interval.ts'
import { firstPositiveBin, withoutThreshold } from './bins.ts'
import type { Sketch } from './sketches.ts'

/** Figures of some rows; null means "not enough data". */
export interface Figures {
  readonly accuracy: number | null
  readonly precision: number | null
  readonly recall: number | null
  readonly auc: number | null
  readonly logLoss: number | null
  readonly brier: number | null
  /** Mean gap between said and seen over 15 bins of equal mass. */
  readonly calibrationError: number | null
}

export type FigureName = keyof Figures
export type Interval = readonly [low: number, high: number]

/** How a version does over some days. */
export interface Performance {
  /** Predictions that the version computed. */
  readonly served: number
  /** Those whose label is known by now and counts. */
  readonly labelled: number
  readonly positives: number
  readonly figures: Figures
  /** 95 % intervals of what the labels say. */
  readonly intervals: Readonly<Partial<Record<FigureName, Interval>>>
  /** Expected from the probabilities alone, without any label: an estimate, as good as the calibration. */
  readonly estimated: Pick<Figures, 'accuracy' | 'precision' | 'recall' | 'auc' | 'logLoss' | 'brier'>
  /** Share of the questions that the version kept to itself, and that failed; null without questions. */
  readonly abstention: number | null
  readonly errors: number | null
  readonly fallbacks: number
}

/** Labelled rows below which no figure is given: one row more or less would move it by several points. */
export const FEWEST_ROWS = 30

interface Counts {
  readonly truePositive: number
  readonly falsePositive: number
  readonly trueNegative: number
  readonly falseNegative: number
}

/** Adds up sketches of one version (days, tenants of one viewer) and computes what they say. */
export function performanceOf(sketches: readonly Sketch[], fewest = FEWEST_ROWS): Performance {
  const steps = { n: [] as number[], said: [] as number[], seen: [] as number[] }
  const servedSteps = { n: [] as number[], said: [] as number[], seen: [] as number[] }
  let decided: Counts = { truePositive: 0, falsePositive: 0, trueNegative: 0, falseNegative: 0 }
  let expected: Counts = decided
  const sums = { logLoss: 0, brier: 0, answered: 0, abstained: 0, failed: 0, fallback: 0 }
  for (const sketch of sketches) {
    const { threshold } = sketch
    const first = firstPositiveBin(threshold)
    decided = add(decided, countsOf(sketch.labelled, sketch.positives, first))
    expected = add(expected, countsOf(sketch.served, sketch.servedSum, first))
    addSteps(steps.n, withoutThreshold(sketch.labelled, threshold))
    addSteps(steps.said, withoutThreshold(sketch.labelledSum, threshold))
    addSteps(steps.seen, withoutThreshold(sketch.positives, threshold))
    addSteps(servedSteps.n, withoutThreshold(sketch.served, threshold))
    addSteps(servedSteps.said, withoutThreshold(sketch.servedSum, threshold))
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += sketch[name]
  }
  const labelled = total(steps.n)
  const positives = total(steps.seen)
  const served = total(servedSteps.n)
  const isEnough = labelled >= fewest
  const auc = isEnough ? aucOf(steps.n, steps.seen) : null
  const asked = sums.answered + sums.abstained + sums.failed
  return {
    served,
    labelled,
    positives,
    figures: {
      ...(isEnough ? decisions(decided) : { accuracy: null, precision: null, recall: null }),
      auc,
      logLoss: isEnough ? sums.logLoss / labelled : null,
      brier: isEnough ? sums.brier / labelled : null,
      calibrationError: isEnough ? calibrationError(steps.n, steps.said, steps.seen) : null,
    },
    intervals: isEnough ? intervalsOf(decided, auc, positives, labelled - positives) : {},
    estimated: served >= fewest ? estimate(expected, servedSteps.n, servedSteps.said) : NOTHING,
    abstention: asked > 0 ? sums.abstained / asked : null,
    errors: asked > 0 ? sums.failed / asked : null,
    fallbacks: sums.fallback,
  }
}

const NOTHING = { accuracy: null, precision: null, recall: null, auc: null, logLoss: null, brier: null }

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0)

function addSteps(sum: number[], more: readonly number[]): void {
  for (const [at, count] of more.entries()) sum[at] = (sum[at] ?? 0) + count
}

function add(a: Counts, b: Counts): Counts {
  return {
    truePositive: a.truePositive + b.truePositive,
    falsePositive: a.falsePositive + b.falsePositive,
    trueNegative: a.trueNegative + b.trueNegative,
    falseNegative: a.falseNegative + b.falseNegative,
  }
}

/** yes: known positives by bin, or the probabilities' sum, which is how many are expected. */
function countsOf(n: readonly number[], yes: readonly number[], firstPositive: number): Counts {
  const sum = (counts: readonly number[], from: number, to: number) => total(counts.slice(from, to))
  const above = sum(n, firstPositive, n.length)
  const truePositive = sum(yes, firstPositive, n.length)
  const falseNegative = sum(yes, 0, firstPositive)
  return {
    truePositive,
    falsePositive: above - truePositive,
    falseNegative,
    trueNegative: sum(n, 0, firstPositive) - falseNegative,
  }
}

function decisions({ truePositive, falsePositive, trueNegative, falseNegative }: Counts) {
  const share = (part: number, whole: number) => (whole > 0 ? part / whole : null)
  return {
    accuracy: share(truePositive + trueNegative, truePositive + trueNegative + falsePositive + falseNegative),
    precision: share(truePositive, truePositive + falsePositive),
    recall: share(truePositive, truePositive + falseNegative),
  }
}

/** Area under the ROC curve from counts by rising step, ties within a step counted half. Null without both classes. */
function aucOf(n: readonly number[], positives: readonly number[]): number | null {
  let area = 0
  let below = 0
  let allPositives = 0
  for (let step = 0; step < n.length; step++) {
    const yes = positives[step]!
    const no = n[step]! - yes
    area += yes * (below + no / 2)
    below += no
    allPositives += yes
  }
  return allPositives > 0 && below > 0 ? area / (allPositives * below) : null
}

/** Neighbouring steps are joined until each group has a fifteenth of the rows, as the trainer's table has. */
function calibrationError(n: readonly number[], said: readonly number[], seen: readonly number[]): number {
  const all = total(n)
  let gap = 0
  let group = { n: 0, difference: 0 }
  for (const [step, count] of n.entries()) {
    group = { n: group.n + count, difference: group.difference + said[step]! - seen[step]! }
    if (group.n < all / 15 && step < n.length - 1) continue
    gap += Math.abs(group.difference)
    group = { n: 0, difference: 0 }
  }
  return gap / all
}

/**
 * Confidence-based performance estimation (CBPE; NannyML, "Estimating performance without targets", 2022): where probabilities are
 * calibrated, a prediction of p is right with the chance p above the threshold and 1 - p below it, so that the expected confusion, and
 * from it every figure, needs no label. It does not see a change of what the label means: that is what labels are for.
 */
function estimate(expected: Counts, n: readonly number[], said: readonly number[]): Performance['estimated'] {
  const all = total(n)
  let entropy = 0
  let variance = 0
  for (const [step, count] of n.entries()) {
    if (count <= 0) continue
    const p = Math.min(1 - 1e-12, Math.max(1e-12, said[step]! / count))
    entropy -= count * (p * Math.log(p) + (1 - p) * Math.log(1 - p))
    variance += count * p * (1 - p)
  }
  return { ...decisions(expected), auc: aucOf(n, said), logLoss: entropy / all, brier: variance / all }
}

/** Shares by Wilson; the area by Hanley and McNeil, "The meaning and use of the area under a ROC curve" (Radiology, 1982). */
function intervalsOf(counts: Counts, auc: number | null, positives: number, negatives: number) {
  const { truePositive, falsePositive, trueNegative, falseNegative } = counts
  const share = (part: number, whole: number) => (whole > 0 ? wilson(part, whole) : undefined)
  const accuracy = share(truePositive + trueNegative, positives + negatives)
  const precision = share(truePositive, truePositive + falsePositive)
  const recall = share(truePositive, truePositive + falseNegative)
  return {
    ...(accuracy ? { accuracy } : {}),
    ...(precision ? { precision } : {}),
    ...(recall ? { recall } : {}),
    ...(auc === null ? {} : { auc: aucInterval(auc, positives, negatives) }),
  }
}

function aucInterval(auc: number, positives: number, negatives: number): Interval {
  const q1 = auc / (2 - auc)
  const q2 = (2 * auc * auc) / (1 + auc)
  const variance =
    (auc * (1 - auc) + (positives - 1) * (q1 - auc * auc) + (negatives - 1) * (q2 - auc * auc)) /
    (positives * negatives)
  const reach = 1.959963984540054 * Math.sqrt(Math.max(0, variance))
  return [Math.max(0, auc - reach), Math.min(1, auc + reach)]
}
