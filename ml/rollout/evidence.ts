import type { Artefact } from '../../trainer/artefact.ts'
import type { Gains, Opponent } from '../../trainer/contest.ts'
import { runContest } from '../../trainer/contest-runner.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { type Metrics, measure, sliceMetrics } from '../../trainer/metrics.ts'
import type { Model } from '../define.ts'
import { answersOfRival, answersOfRule, type Rival } from './opponent.ts'

/** A new version beside the champion, both on the new version's hold-out rows. */
export interface ChampionComparison {
  readonly versionId: string
  readonly number: number
  /** Rows compared. */
  readonly rows: number
  /**
   * Whether the champion cannot have learned from any of these rows: all are later than everything that it was trained on. Where too few
   * are, all hold-out rows are taken; the champion knows some of them, so that it looks better than it is.
   */
  readonly isUnseen: boolean
  /** By metric; null where the rows do not say. */
  readonly gains: Gains
}

export interface SliceFigures {
  readonly feature: string
  readonly slice: string
  readonly rows: number
  readonly metrics: Metrics
}

/** What gates and policies judge a new version by. */
export interface Evidence {
  readonly metrics: Metrics
  /** Null: there is no champion, or it reads other features and cannot serve the model file as it is. */
  readonly champion: ChampionComparison | null
  /** Why a champion that is there was not compared. */
  readonly incomparable: string | null
  /** Against the rule of the model file, else against the base rate; empty where no gate asks. */
  readonly baseline: { readonly by: 'RULE' | 'BASE_RATE'; readonly rows: number; readonly gains: Gains }
  readonly slices: readonly SliceFigures[]
}

/** Rows that the champion has not seen must be so many, with so many of either answer, to speak for themselves. */
const FEWEST_UNSEEN = 100
const FEWEST_OF_CLASS = 10

/** Scores what opposes the new version on its hold-out and compares them; the heavy part on a thread. */
export async function gatherEvidence(
  model: Model,
  artefact: Pick<Artefact, 'heldOut' | 'metrics' | 'seed'>,
  dataset: Dataset,
  rival: Rival | null,
): Promise<Evidence> {
  const { rows, answers } = artefact.heldOut
  const y = Float32Array.from(rows, (row) => dataset.y[row]!)
  const threshold = artefact.metrics.threshold ?? 0.5
  const incomparable =
    rival && rival.version.schemaHash !== model.schemaHash
      ? `version ${rival.version.number} was trained with other features and cannot serve the model as it is`
      : null
  const opponents: Opponent[] = []
  const unseen = rival && !incomparable ? unseenRows(dataset, rows, y, rival) : null
  if (rival && !incomparable)
    opponents.push({
      name: 'champion',
      answers: await answersOfRival(rival, dataset, rows),
      ...(unseen ? { rows: unseen } : {}),
    })
  const baseRate = rateOutside(dataset, rows)
  const by = model.rule ? 'RULE' : 'BASE_RATE'
  if (Object.values(model.gates ?? {}).some(({ baseline }) => baseline))
    opponents.push({
      name: 'baseline',
      answers: model.rule
        ? await answersOfRule(model.rule, dataset, rows, baseRate)
        : new Float64Array(rows.length).fill(baseRate),
    })
  const groups = dataset.groups ? { groups: Int32Array.from(rows, (row) => dataset.groups![row]!) } : {}
  const gains: Awaited<ReturnType<typeof runContest>> =
    opponents.length === 0 ? {} : await runContest({ y, answers, opponents, threshold, seed: artefact.seed, ...groups })
  return {
    metrics: artefact.metrics,
    champion:
      rival && !incomparable
        ? {
            versionId: rival.version.id,
            number: rival.version.number,
            rows: unseen?.length ?? rows.length,
            isUnseen: unseen !== null,
            gains: gains.champion!,
          }
        : null,
    incomparable,
    baseline: { by, rows: rows.length, gains: gains.baseline ?? {} },
    slices: slicesOf(model, dataset, artefact.heldOut, y, threshold),
  }
}

/** Places of the hold-out rows that are later than all that the rival was trained on; null when they are too few. */
function unseenRows(dataset: Dataset, rows: Uint32Array, y: Float32Array, rival: Rival): Uint32Array | null {
  const { times } = dataset
  if (!times) return null
  const until = new Date(rival.version.contents.window.to).getTime()
  const unseen = Uint32Array.from(rows.keys()).filter((at) => times[rows[at]!]! > until)
  const positives = unseen.reduce((sum, at) => sum + (y[at]! > 0 ? 1 : 0), 0)
  const isEnough = unseen.length >= FEWEST_UNSEEN && Math.min(positives, unseen.length - positives) >= FEWEST_OF_CLASS
  return isEnough ? unseen : null
}

/** The share of positives among the rows that do not judge; of all rows where every row judges. */
function rateOutside({ n, y }: Dataset, rows: Uint32Array): number {
  const judges = new Uint8Array(n)
  for (const row of rows) judges[row] = 1
  let count = 0
  let positives = 0
  for (let row = 0; row < n; row++)
    if (judges[row] === 0 || rows.length === n) {
      count++
      positives += y[row]! > 0 ? 1 : 0
    }
  return count === 0 ? 0.5 : positives / count
}

/** Metrics of every level that a gate asks for. */
function slicesOf(
  model: Model,
  { columns, x }: Dataset,
  { rows, answers }: Artefact['heldOut'],
  y: Float32Array,
  threshold: number,
): SliceFigures[] {
  const features = new Set(Object.values(model.gates ?? {}).flatMap(({ slices }) => Object.keys(slices ?? {})))
  return [...features].flatMap((feature) => {
    const column = columns.findIndex(({ name, kind }) => name === feature && kind === 'category')
    if (column < 0) return []
    const levels = Int32Array.from(rows, (row) => {
      const level = x[row * columns.length + column]!
      return Number.isNaN(level) ? -1 : level
    })
    const figures = sliceMetrics(
      levels,
      columns[column]!.levels ?? [],
      (at) => {
        const labels = Float32Array.from(at, (place) => y[place]!)
        const answered = Float64Array.from(at, (place) => answers[place]!)
        return measure('binary', labels, answered, { threshold })
      },
      1,
    )
    return figures.map(({ slice, rows: count, metrics }) => ({ feature, slice, rows: count, metrics: metrics ?? {} }))
  })
}
