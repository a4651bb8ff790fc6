import type { FeatureSpec } from './define.ts'
import type { Prediction } from './prediction.ts'

/** One feature moved to one value. */
export interface Move {
  readonly feature: string
  readonly unit: string | null
  /** The feature's place in the row. */
  readonly column: number
  readonly from: number
  readonly to: number
  /** How far, as a share of the feature's range in training. */
  readonly cost: number
}

/** Without a declared step, the range is walked in so many. */
const STEPS = 20
/** Values tried of one feature; a finer step is doubled until it fits. */
const MOST_VALUES = 400

/** The moves that each actionable feature allows, one list per feature, in the model's order. What is unknown cannot be moved. */
export function movesOf(prediction: Prediction): Move[][] {
  const { model, values } = prediction
  return model.features.flatMap((feature, column) => {
    const from = values[column]
    if (!feature.actionable || feature.kind !== 'number' || typeof from !== 'number' || !Number.isFinite(from))
      return []
    const moves = movesOfFeature(prediction, feature, column, from)
    return moves.length > 0 ? [moves] : []
  })
}

function movesOfFeature({ version }: Prediction, feature: FeatureSpec, column: number, from: number): Move[] {
  const seen = version.version.contents.statistics.find((statistic) => statistic.feature === feature.name)
  const { min = seen?.min ?? from, max = seen?.max ?? from, direction, step } = feature.actionable!
  const range = (seen?.max ?? max) - (seen?.min ?? min) || max - min || 1
  let stride = step ?? (max - min) / STEPS
  if (!(stride > 0)) return []
  while ((max - min) / stride > MOST_VALUES) stride *= 2
  const moves: Move[] = []
  const add = (to: number) =>
    moves.push({
      feature: feature.name,
      unit: feature.unit ?? null,
      column,
      from,
      to,
      cost: Math.abs(to - from) / range,
    })
  if (direction !== 'down')
    for (let count = 1; from + count * stride <= max; count++)
      if (from + count * stride >= min) add(from + count * stride)
  if (direction !== 'up')
    for (let count = 1; from - count * stride >= min; count++)
      if (from - count * stride <= max) add(from - count * stride)
  return moves.sort((a, b) => a.cost - b.cost)
}
