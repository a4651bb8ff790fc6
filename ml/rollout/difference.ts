import type { FeatureSpec } from '../define.ts'
import { metricNames } from '../metric-order.ts'
import type { ModelVersion } from '../model-version.ts'

/** A thing that differs; null where one side has none. */
export interface Change {
  readonly name: string
  readonly before: string | null
  readonly after: string | null
}

export interface Figure {
  readonly value: number | null
  /** 95 % bootstrap interval; null where rows were too few. */
  readonly low: number | null
  readonly high: number | null
}

/** One metric of two versions, each on its own hold-out. */
export interface MetricPair {
  readonly name: string
  readonly before: Figure
  readonly after: Figure
}

export interface VersionDifference {
  readonly before: ModelVersion
  readonly after: ModelVersion
  readonly features: readonly Change[]
  readonly metrics: readonly MetricPair[]
  /** Learner, its settings, seed, rows and window. */
  readonly settings: readonly Change[]
}

/** What is different between two versions of one model. */
export function differenceOf(before: ModelVersion, after: ModelVersion): VersionDifference {
  const metrics = metricNames(before.contents.metrics, after.contents.metrics)
  return {
    before,
    after,
    features: changesOf(featuresOf(before), featuresOf(after)),
    metrics: metrics.map((name) => ({ name, before: figureOf(before, name), after: figureOf(after, name) })),
    settings: changesOf(settingsOf(before), settingsOf(after)),
  }
}

type Texts = Readonly<Record<string, string>>

function changesOf(before: Texts, after: Texts): Change[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((name) => ({ name, before: before[name] ?? null, after: after[name] ?? null }))
    .filter((change) => change.before !== change.after)
}

function featuresOf({ contents }: ModelVersion): Texts {
  return Object.fromEntries(contents.features.map((feature, index) => [feature.name, describe(feature, index)]))
}

/** All of a feature that the trained numbers depend on; sentences may change freely. */
function describe({ kind, unit, monotone, levels }: FeatureSpec, index: number): string {
  const parts = [kind, unit ? `in ${unit}` : '', monotone ? (monotone > 0 ? 'rising' : 'falling') : '']
  return [...parts, levels ? `levels ${levels.join(' ')}` : '', `at place ${index + 1}`].filter(Boolean).join(', ')
}

function settingsOf({ contents, schemaHash }: ModelVersion): Texts {
  const { learner, settings, seed, rows, positives, window } = contents
  return {
    learner,
    ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`setting ${name}`, String(value)])),
    seed: String(seed),
    rows: String(rows),
    positives: String(positives),
    'window from': window.from,
    'window to': window.to,
    reading: schemaHash.slice(0, 12),
  }
}

function figureOf({ contents }: ModelVersion, name: string): Figure {
  const [low, high] = contents.intervals?.[name] ?? [null, null]
  return { value: contents.metrics[name] ?? null, low, high }
}
