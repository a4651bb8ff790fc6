import type { Graph } from './graph.ts'

/**
 * Weighted sums of each row's cells, (N, count) x (count, outputs) -> (N, outputs). MatMul picks its kernel by N, and its sums
 * differ in the last bits from batch to batch (seen: 0.13595476 for 50 rows, 0.13595483 for 1,000). Halves added cell by cell
 * give a row the same bits whatever stands beside it. Several outputs stay with MatMul: they are compared by rank.
 */
export function applyRowSum(
  graph: Graph,
  cells: string,
  count: number,
  outputs: number,
  weights: ArrayLike<number>,
): string {
  if (outputs > 1) return graph.apply('MatMul', [cells, graph.floats([count, outputs], weights)])
  let width = count
  let sum = graph.apply('Mul', [cells, graph.floats([1, count], weights)])
  const columns = (from: number, to: number) => {
    const indexes = Array.from({ length: to - from }, (_, index) => from + index)
    return graph.apply('Gather', [sum, graph.integers([indexes.length], indexes)], { axis: { integer: 1 } })
  }
  while (width > 1) {
    const half = width >> 1
    const added = graph.apply('Add', [columns(0, half), columns(half, 2 * half)])
    sum = width % 2 === 0 ? added : graph.apply('Concat', [added, columns(2 * half, width)], { axis: { integer: 1 } })
    width -= half
  }
  return sum
}
