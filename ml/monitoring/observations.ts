import type { Database } from '../../platform/database.ts'
import type { Model } from '../define.ts'
import type { ModelContents, ModelVersion } from '../model-version.ts'
import { withoutThreshold } from './bins.ts'
import { type Comparison, comparisonOf, type Drift, driftOf, LARGE_PSI } from './drift.ts'
import { type Performance, performanceOf } from './performance.ts'
import { dayOf, readFeatures, readSketches, type Sketch } from './sketches.ts'

const DAY_MS = 86_400_000

/** The width of a point of a chart. */
export const widths = { DAY: 1, WEEK: 7, MONTH: 30 } as const
export type Width = keyof typeof widths

/** One point: a stretch of days, of one version and one slice. */
export interface PerformancePoint extends Performance {
  readonly from: Date
  /** The first moment after it. */
  readonly to: Date
  /** Null: no version answered. */
  readonly versionId: string | null
  /** Null: all rows; else "feature=level". */
  readonly slice: string | null
}

export interface PointsOptions {
  readonly tenant: string
  readonly model: Model
  /** On the data's clock. */
  readonly from: Date
  readonly to: Date
  readonly width: Width
  readonly versionId?: string | undefined
  /** Each version by itself; together, where false. */
  readonly byVersion: boolean
  readonly bySlice: boolean
}

/** Points by time, then version, then slice. Reads one row for each day, version and slice: never the predictions themselves. */
export async function readPoints(database: Database, options: PointsOptions): Promise<PerformancePoint[]> {
  const { tenant, model, from, to, width, versionId, byVersion, bySlice } = options
  const range = { tenant, model: model.name, from: dayOf(from), to: dayOf(to), versionId }
  const sketches = await readSketches(database, range, bySlice)
  const span = widths[width] * DAY_MS
  // Stretches begin at multiples of the width since the epoch's first Monday, so that every request cuts the same ones.
  const beginOf = ({ day }: Sketch) => Math.floor((Date.parse(day) - FIRST_MONDAY) / span) * span + FIRST_MONDAY
  const groups = Map.groupBy(sketches, (sketch) =>
    [String(beginOf(sketch)).padStart(15, '0'), byVersion ? sketch.versionId : '*', sketch.slice].join('\u0001'),
  )
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, members]) => {
      const begin = beginOf(members[0]!)
      return {
        from: new Date(begin),
        to: new Date(begin + span),
        versionId: byVersion ? members[0]!.versionId || null : null,
        slice: members[0]!.slice || null,
        ...performanceOf(members),
      }
    })
}

const FIRST_MONDAY = 4 * DAY_MS

/** Drift of every feature of a version over some days, largest first. */
export async function readDrift(
  database: Database,
  options: {
    readonly tenant: string
    readonly model: Model
    readonly version: ModelVersion
    readonly from: Date
    readonly to: Date
  },
): Promise<Drift[]> {
  const { tenant, model, version, from, to } = options
  const range = { tenant, model: model.name, from: dayOf(from), to: dayOf(to), versionId: version.id }
  const counts = await readFeatures(database, range)
  const drifts = driftOf(comparisonsOf(version.contents, counts), largePsiOf(model))
  return drifts.sort((a, b) => (b.psi ?? -1) - (a.psi ?? -1))
}

/** Drift of the probabilities of a version, against those it gave its hold-out; null where those were not kept. */
export async function readPredictionDrift(
  database: Database,
  options: Parameters<typeof readDrift>[1],
): Promise<Drift | null> {
  const { tenant, model, version, from, to } = options
  const { scoreShares, splits } = version.contents
  if (!scoreShares?.length) return null
  const range = { tenant, model: model.name, from: dayOf(from), to: dayOf(to), versionId: version.id }
  const sketches = await readSketches(database, range, false)
  const served = scoreShares.map(() => 0)
  for (const sketch of sketches)
    for (const [step, count] of withoutThreshold(sketch.served, sketch.threshold).entries()) served[step]! += count
  const trainingRows = splits[0]?.test ?? version.contents.rows
  const [training, counts] = joinSteps(scoreShares, served)
  const comparison = { feature: 'prediction', kind: 'number', trainingRows, training, served: counts } as const
  return driftOf([comparison], largePsiOf(model))[0]!
}

/** Neighbouring steps are joined to about ten bins of equal share in training, as features have them; none is missing or unknown. */
function joinSteps(shares: readonly number[], served: readonly number[]): [training: number[], served: number[]] {
  const training: number[] = [0]
  const counts: number[] = [0]
  for (const [step, share] of shares.entries()) {
    if (training.at(-1)! >= 0.1) {
      training.push(0)
      counts.push(0)
    }
    training[training.length - 1]! += share
    counts[counts.length - 1]! += served[step]!
  }
  return [
    [...training, 0, 0],
    [...counts, 0, 0],
  ]
}

export function largePsiOf({ alerts }: Model): number {
  const { drift } = alerts || {}
  return (drift ? drift.psi : undefined) ?? LARGE_PSI
}

function comparisonsOf(contents: ModelContents, counts: ReadonlyMap<string, number[]>): Comparison[] {
  return contents.statistics.map((statistics, column) =>
    comparisonOf(statistics, contents.columns[column]?.kind ?? 'number', contents.rows, counts.get(statistics.feature)),
  )
}
