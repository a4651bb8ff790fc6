import { createRandom } from '../random.ts'

/**
 * Percentile intervals of metrics by bootstrap: `repeats` resamples, each given to `measure` as how often every row was
 * drawn, so that ranking metrics sort once only. With groups, whole groups are drawn. A metric that is null in more
 * than a tenth of the resamples gets null. measure must be pure.
 */
export function bootstrapIntervals(
  n: number,
  measure: (weights: Float64Array) => Record<string, number | null>,
  options: { repeats?: number; level?: number; seed?: number; groups?: Int32Array } = {},
): Record<string, [low: number, high: number] | null> {
  const { repeats = 200, level = 0.95, seed = 7, groups } = options
  const random = createRandom(seed)
  const members = groups && groups.length > 0 ? membersOf(groups) : undefined
  const weights = new Float64Array(n)
  const seen = new Map<string, number[]>()
  for (let repeat = 0; repeat < repeats && n > 1; repeat++) {
    weights.fill(0)
    if (members) {
      for (let draw = 0; draw < members.length; draw++) {
        for (const row of members[random.below(members.length)]!) weights[row]!++
      }
    } else for (let draw = 0; draw < n; draw++) weights[random.below(n)]!++
    for (const [name, value] of Object.entries(measure(weights))) {
      const values = seen.get(name) ?? []
      if (value !== null && Number.isFinite(value)) values.push(value)
      seen.set(name, values)
    }
  }
  return Object.fromEntries(
    [...seen].map(([name, values]) => {
      if (values.length < 0.9 * repeats) return [name, null]
      values.sort((a, b) => a - b)
      const tail = (1 - level) / 2
      return [name, [quantile(values, tail), quantile(values, 1 - tail)]]
    }),
  )
}

function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1)
  const below = Math.floor(at)
  const above = Math.min(sorted.length - 1, below + 1)
  return sorted[below]! + (at - below) * (sorted[above]! - sorted[below]!)
}

function membersOf(groups: Int32Array): number[][] {
  const byGroup = new Map<number, number[]>()
  groups.forEach((group, row) => {
    const rows = byGroup.get(group)
    if (rows) rows.push(row)
    else byGroup.set(group, [row])
  })
  return [...byGroup.values()]
}
