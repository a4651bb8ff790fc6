import { wilson } from '../../trainer/interval.ts'
import type { AlertBound, Alerts, Model } from '../define.ts'
import type { ModelVersion } from '../model-version.ts'
import type { Drift } from '../monitoring/drift.ts'
import { type FigureName, type Interval, type Performance, performanceOf } from '../monitoring/performance.ts'
import { thresholdOf } from '../monitoring/served-rows.ts'
import type { Sketch } from '../monitoring/sketches.ts'

/** What can be wrong with what serves; a model has at most one open alert of each. */
export const alertRules = ['PERFORMANCE', 'DRIFT', 'ABSTENTION', 'ERRORS', 'FEEDBACK'] as const
export type AlertRule = (typeof alertRules)[number]

/** One thing that is out of bounds. */
export interface Breach {
  /** A metric or a feature. */
  readonly name: string
  readonly value: number
  /** The bound that it crossed. */
  readonly bound: number
}

/** What one look at a rule found. */
export interface Finding {
  readonly rule: AlertRule
  /**
   * RAISED: out of bounds. CLEARED: well within them. BETWEEN: neither, so that an alert stays as it is: a figure that hovers at its bound
   * must not raise one alert after the other. UNKNOWN: not enough data.
   */
  readonly state: 'RAISED' | 'CLEARED' | 'BETWEEN' | 'UNKNOWN'
  readonly message: string
  /** Worst first. */
  readonly breaches: readonly Breach[]
  readonly rows: number
  readonly from: string | null
  readonly to: string | null
}

const DAYS = 7
const MINIMUM_ROWS = 100
/** An absolute bound is cleared only by so much more than it asks for. */
const MARGIN = 0.02
const judged: readonly FigureName[] = ['accuracy', 'precision', 'recall', 'auc', 'logLoss', 'calibrationError']
/** Figures that may stay away from the hold-out by chance, and whose interval says by how much. */
const heldAgainstHoldOut: readonly FigureName[] = ['accuracy', 'precision', 'recall', 'auc']

/** The newest days that have what is looked for, widened until there are enough rows. days: one sketch or more each, in order. */
export function newestDays(
  sketches: readonly Sketch[],
  rowsOf: (sketch: Sketch) => number,
  { days = DAYS, minimumRows = MINIMUM_ROWS }: Alerts,
): Sketch[] {
  const useful = sketches.filter((sketch) => rowsOf(sketch) > 0)
  const newest = useful.at(-1)
  if (!newest) return []
  const horizon = Date.parse(newest.day) - (days - 1) * 86_400_000
  const taken: Sketch[] = []
  let rows = 0
  for (const sketch of useful.toReversed()) {
    if (Date.parse(sketch.day) < horizon && rows >= minimumRows) break
    taken.unshift(sketch)
    rows += rowsOf(sketch)
  }
  return taken
}

const sum = (counts: readonly number[]) => counts.reduce((all, count) => all + count, 0)

/** Holds what is known of outcomes against the file's bounds and, where it gives none, against the hold-out. */
export function judgePerformance(model: Model, version: ModelVersion, sketches: readonly Sketch[]): Finding {
  const alerts = model.alerts || {}
  const days = newestDays(sketches, ({ labelled }) => sum(labelled), alerts)
  const performance = performanceOf(days, alerts.minimumRows ?? MINIMUM_ROWS)
  const base = { rule: 'PERFORMANCE' as const, rows: performance.labelled, ...spanOf(days) }
  if (performance.figures.accuracy === null)
    return { ...base, state: 'UNKNOWN', breaches: [], message: 'Too few outcomes are known.' }
  const verdicts = judged.flatMap((name) => judgeFigure(model, version, name, performance) ?? [])
  const breaches = verdicts.filter(({ state }) => state === 'RAISED').map(({ breach }) => breach)
  const state =
    breaches.length > 0 ? 'RAISED' : verdicts.every((one) => one.state === 'CLEARED') ? 'CLEARED' : 'BETWEEN'
  const said = breaches.map(({ name, value, bound }) => `${name} ${value.toFixed(3)} against ${bound.toFixed(3)}`)
  return {
    ...base,
    state,
    breaches,
    message:
      breaches.length > 0
        ? `${model.name} version ${version.number} does worse than it should over ${performance.labelled} outcomes: ${said.join(', ')}.`
        : `${model.name} version ${version.number} does as it should.`,
  }
}

interface Verdict {
  readonly state: Finding['state']
  readonly breach: Breach
}

function judgeFigure(model: Model, version: ModelVersion, name: FigureName, performance: Performance): Verdict | null {
  const value = performance.figures[name]
  if (value === null) return null
  const declared = model.alerts ? (model.alerts[name as keyof Alerts] as AlertBound | undefined) : undefined
  if (declared) return judgeDeclared(name, value, declared)
  const interval = version.contents.intervals[name]
  const live = performance.intervals[name]
  if (!heldAgainstHoldOut.includes(name) || !interval || !live || !isComparable(model, version, name)) return null
  const breach = { name, value, bound: interval[0] }
  if (live[1] < interval[0]) return { state: 'RAISED', breach }
  // Well again once the hold-out's own figure is among those that the outcomes allow.
  const isAllowed = live[1] >= (version.contents.metrics[name] ?? interval[1])
  return { state: value >= interval[0] || isAllowed ? 'CLEARED' : 'BETWEEN', breach }
}

/** Decisions at another threshold than the hold-out's are another matter. */
function isComparable(model: Model, { contents }: ModelVersion, name: FigureName): boolean {
  const judgedAt = contents.metrics.threshold ?? 0.5 // a mean over folds, which may be a rounding away
  return name === 'auc' || Math.abs(thresholdOf(model, contents) - judgedAt) < 1e-9
}

function judgeDeclared(name: string, value: number, { min, max }: AlertBound): Verdict {
  if (min !== undefined && value < min) return { state: 'RAISED', breach: { name, value, bound: min } }
  if (max !== undefined && value > max) return { state: 'RAISED', breach: { name, value, bound: max } }
  const isClear = (min === undefined || value >= min + MARGIN) && (max === undefined || value <= max * (1 - MARGIN))
  return { state: isClear ? 'CLEARED' : 'BETWEEN', breach: { name, value, bound: min ?? max ?? 0 } }
}

/** Features that appear in an alert by name; the number of the others is said. */
const NAMED = 5

/** All drifted features are one finding, however many they are. */
export function judgeDrift(model: Model, drifts: readonly Drift[], largePsi: number, span: Span): Finding {
  const { drift: watch } = model.alerts || {}
  const ignored = new Set(watch ? watch.ignore : [])
  const watched = drifts.filter(({ feature }) => !ignored.has(feature))
  const rows = Math.max(0, ...watched.map((drift) => drift.rows))
  const base = { rule: 'DRIFT' as const, rows, ...span }
  if (!watched.some(({ psi }) => psi !== null))
    return { ...base, state: 'UNKNOWN', breaches: [], message: 'Too little was served.' }
  const breaches = watched
    .filter(({ isDrifted }) => isDrifted)
    .map(({ feature, psi }) => ({ name: feature, value: psi!, bound: largePsi }))
    .sort((a, b) => b.value - a.value)
  if (breaches.length === 0) {
    const isClear = watched.every(({ psi }) => psi === null || psi < largePsi * 0.8)
    return {
      ...base,
      state: isClear ? 'CLEARED' : 'BETWEEN',
      breaches,
      message: `${model.name}: no feature has drifted.`,
    }
  }
  const named = breaches.slice(0, NAMED).map(({ name, value }) => `${name} (${value.toFixed(2)})`)
  const more = breaches.length > NAMED ? ` and ${breaches.length - NAMED} more` : ''
  return {
    ...base,
    state: 'RAISED',
    breaches,
    message: `${model.name}: ${breaches.length} of ${watched.length} inputs are not as they were in training: ${named.join(', ')}${more}.`,
  }
}

/** A share of questions: raised when surely above its bound, cleared when surely or plainly below. */
export function judgeShare(
  model: Model,
  rule: 'ABSTENTION' | 'ERRORS',
  counts: { readonly part: number; readonly asked: number },
  max: number,
  span: Span,
): Finding {
  const { part, asked } = counts
  const base = { rule, rows: asked, ...span }
  if (asked < MINIMUM_ROWS) return { ...base, state: 'UNKNOWN', breaches: [], message: 'Too little was asked.' }
  const value = part / asked
  const [low]: Interval = wilson(part, asked)
  const what = rule === 'ABSTENTION' ? 'were left unanswered by the version itself' : 'failed'
  const isRaised = low > max
  return {
    ...base,
    state: isRaised ? 'RAISED' : value <= max * 0.8 ? 'CLEARED' : 'BETWEEN',
    breaches: isRaised ? [{ name: rule === 'ABSTENTION' ? 'abstention' : 'errors', value, bound: max }] : [],
    message: `${model.name}: ${(100 * value).toFixed(1)} % of ${asked} predictions ${what}.`,
  }
}

export interface Span {
  readonly from: string | null
  readonly to: string | null
}

export function spanOf(days: readonly Sketch[]): Span {
  return { from: days[0]?.day ?? null, to: days.at(-1)?.day ?? null }
}
