import type { Prediction } from './prediction.ts'
import { type Move, movesOf } from './what-if-moves.ts'

/** What is wished for. */
export interface Goal {
  readonly goal: 'LOWER' | 'RAISE'
  /** The probability to reach, 0..1. */
  readonly to: number
  /** At most so many features change, 1..3. */
  readonly maxChanges: number
  /** At most so many answers. */
  readonly first: number
}

export interface Change {
  readonly feature: string
  readonly unit: string | null
  readonly from: number
  readonly to: number
}

/** One way to reach the goal, scored by the same version. */
export interface WhatIf {
  readonly changes: readonly Change[]
  readonly newProbability: number
}

/** Rows scored at once, and at most for one question. */
const PAGE = 4096
const MOST_ROWS = 200_000

/** One way to move some features together; cost: the sum of its moves' shares of the training ranges. */
interface Plan {
  readonly moves: readonly Move[]
  readonly cost: number
}

/**
 * The smallest changes of actionable features that reach the goal, smallest first; empty when none does. Fewest features first,
 * then the smallest total move, each measured against the feature's range in training. Every step of every actionable feature is
 * tried, and every combination of them, cheapest first: the first hit is the smallest. Each further answer moves another set of
 * features. Beyond 200,000 combinations of one size, steps are thinned out evenly, and the smallest of those left is found.
 */
export async function findWhatIfs(prediction: Prediction, goal: Goal): Promise<WhatIf[]> {
  const reaches = (probability: number) => (goal.goal === 'LOWER' ? probability <= goal.to : probability >= goal.to)
  if (reaches(prediction.probability)) return [{ changes: [], newProbability: prediction.probability }]
  const moves = movesOf(prediction)
  const found: WhatIf[] = []
  for (let size = 1; size <= Math.min(goal.maxChanges, moves.length) && found.length < goal.first; size++) {
    const solved = found.map(({ changes }) => new Set(changes.map(({ feature }) => feature)))
    const subsets = subsetsOf(moves, size).filter(
      // More features than an answer already given needs are no smaller change.
      (subset) => !solved.some((names) => [...names].every((name) => subset.some(([move]) => move!.feature === name))),
    )
    found.push(...(await search(prediction, plansOf(subsets), reaches, goal.first - found.length)))
  }
  return found
}

async function search(
  prediction: Prediction,
  plans: readonly Plan[],
  reaches: (probability: number) => boolean,
  most: number,
): Promise<WhatIf[]> {
  const found = new Map<string, WhatIf>()
  for (let start = 0; start < plans.length && found.size < most; start += PAGE) {
    const page = plans.slice(start, start + PAGE)
    const scores = await scorePlans(prediction, page)
    for (const [index, { moves }] of page.entries()) {
      const names = moves.map(({ feature }) => feature).join()
      const newProbability = scores[index]!
      if (found.size >= most || found.has(names) || !reaches(newProbability)) continue
      found.set(names, {
        changes: moves.map(({ feature, unit, from, to }) => ({ feature, unit, from, to })),
        newProbability,
      })
    }
  }
  return [...found.values()]
}

function scorePlans({ version, row }: Prediction, plans: readonly Plan[]): Promise<Float32Array> {
  const rows = new Float32Array(plans.length * row.length)
  for (const [index, { moves }] of plans.entries()) {
    rows.set(row, index * row.length)
    for (const { column, to } of moves) rows[index * row.length + column] = to
  }
  return version.predictor.score(rows, plans.length)
}

/** Every choice of `size` features, each with all of its moves. */
function subsetsOf(features: readonly (readonly Move[])[], size: number): (readonly Move[])[][] {
  if (size === 0) return [[]]
  return features.flatMap((moves, index) =>
    subsetsOf(features.slice(index + 1), size - 1).map((rest) => [moves, ...rest]),
  )
}

/** Every combination of one move per feature, cheapest first; equal costs in the order of the model's features. */
function plansOf(subsets: readonly (readonly (readonly Move[])[])[]): Plan[] {
  const total = subsets.reduce((sum, subset) => sum + subset.reduce((product, moves) => product * moves.length, 1), 0)
  const size = subsets[0]?.length ?? 1
  const keep = total > MOST_ROWS ? (MOST_ROWS / total) ** (1 / size) : 1
  const plans = subsets.flatMap((subset) =>
    subset
      .map((moves) => thin(moves, keep))
      .reduce<Plan[]>(
        (partial, moves) =>
          partial.flatMap((plan) =>
            moves.map((move) => ({ moves: [...plan.moves, move], cost: plan.cost + move.cost })),
          ),
        [{ moves: [], cost: 0 }],
      ),
  )
  return plans.sort((a, b) => a.cost - b.cost)
}

function thin(moves: readonly Move[], share: number): readonly Move[] {
  const kept = Math.max(1, Math.floor(moves.length * share))
  if (kept >= moves.length) return moves
  return Array.from({ length: kept }, (_, index) => moves[Math.floor(((index + 1) * moves.length) / kept) - 1]!)
}
