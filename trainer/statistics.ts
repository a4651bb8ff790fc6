import type { Artefact } from './artefact.ts'
import type { Dataset } from './dataset.ts'

export type ColumnStatistics = Artefact['statistics'][number]

const mostSteps = 10
const mostLevels = 200
const mostRows = 200_000

/**
 * Per column, what drift is measured against. Numbers: up to 9 distinct decile edges; category: edges half-way between the
 * first 200 level indices. shares: of the rows that are not missing, `edges.length + 1` long, value <= edge falls below it;
 * they sum to 1 unless every row is missing (then all 0). Edges come from at most 200,000 evenly spaced rows, all else from every row.
 */
export function statisticsOf(dataset: Pick<Dataset, 'columns' | 'n' | 'x'>): ColumnStatistics[] {
  const { columns, n, x } = dataset
  const width = columns.length
  return columns.map((column, at) => {
    const edges =
      column.kind === 'category'
        ? Array.from({ length: Math.min(mostLevels, (column.levels?.length ?? 1) - 1) }, (_, level) => level + 0.5)
        : decileEdges(x, n, width, at)
    const counts = new Array<number>(Math.max(0, edges.length) + 1).fill(0)
    let known = 0
    let missing = 0
    let sum = 0
    let min = Number.POSITIVE_INFINITY
    let max = Number.NEGATIVE_INFINITY
    for (let row = 0; row < n; row++) {
      const value = x[row * width + at]!
      if (Number.isNaN(value)) {
        missing++
        continue
      }
      known++
      sum += value
      if (value < min) min = value
      if (value > max) max = value
      counts[stepOf(edges, value)]!++
    }
    const hasMean = known > 0 && Number.isFinite(sum)
    return {
      feature: column.name,
      missing: n > 0 ? missing / n : 0,
      edges,
      shares: counts.map((count) => (known > 0 ? count / known : 0)),
      min: known > 0 && Number.isFinite(min) ? min : null,
      max: known > 0 && Number.isFinite(max) ? max : null,
      mean: hasMean && column.kind === 'number' ? sum / known : null,
    }
  })
}

/** The step of a value among edges: how many edges lie strictly below it. */
export function stepOf(edges: readonly number[], value: number): number {
  let low = 0
  let high = edges.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (edges[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

function decileEdges(x: Float32Array, n: number, width: number, at: number): number[] {
  const stride = Math.max(1, Math.ceil(n / mostRows))
  const drawn = new Float32Array(Math.ceil(n / stride))
  let known = 0
  for (let row = 0; row < n; row += stride) {
    const value = x[row * width + at]!
    if (Number.isFinite(value)) drawn[known++] = value
  }
  const sorted = drawn.subarray(0, known).sort()
  const edges = new Set<number>()
  for (let step = 1; step < mostSteps && known > 0; step++) {
    const edge = sorted[Math.min(known - 1, Math.floor((step * known) / mostSteps))]!
    if (edge < sorted[known - 1]!) edges.add(edge)
  }
  return [...edges]
}
