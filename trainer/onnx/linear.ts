import type { LinearModel } from '../linear/model.ts'
import type { Graph } from './graph.ts'

/** Scores (N, outputs) of a linear model, imputation, clipping, missing flags and one-hot tables included. */
export function applyLinear(graph: Graph, model: LinearModel, x: string): string {
  const { outputs, numbers, categories, intercept } = model
  const parts: string[] = []
  if (numbers.length > 0) {
    const row = [1, numbers.length]
    const cells = graph.apply('Gather', [x, graph.integers([numbers.length], numbers)], { axis: { integer: 1 } })
    const isMissing = graph.apply('IsNaN', [cells])
    const filled = graph.apply('Where', [isMissing, graph.floats(row, model.fill), cells])
    const raised = graph.apply('Max', [filled, graph.floats(row, model.low)])
    const clipped = graph.apply('Min', [raised, graph.floats(row, model.high)])
    const centred = graph.apply('Sub', [clipped, graph.floats(row, model.center)])
    parts.push(graph.apply('MatMul', [centred, graph.floats([numbers.length, outputs], model.weight)]))
    if (model.missing.some((weight) => weight !== 0)) {
      const flags = graph.apply('Cast', [isMissing], { to: { integer: 1 } })
      parts.push(graph.apply('MatMul', [flags, graph.floats([numbers.length, outputs], model.missing)]))
    }
  }
  if (categories.length > 0) parts.push(applyTables(graph, model, x))
  if (parts.length === 0) {
    // no column at all: every row still has a score
    const first = graph.apply('Gather', [x, graph.integers([1], [0])], { axis: { integer: 1 } })
    const nothing = graph.apply('Where', [
      graph.apply('IsNaN', [first]),
      graph.floats([1], [0]),
      graph.floats([1], [0]),
    ])
    parts.push(nothing)
  }
  let score = graph.floats([1, outputs], intercept)
  for (const part of parts) score = graph.apply('Add', [part, score])
  return score
}

/** One row of a table per category cell, summed. Out of range and NaN take the table's last row. */
function applyTables(graph: Graph, model: LinearModel, x: string): string {
  const { outputs, categories, tableAt, table } = model
  const count = categories.length
  const levels = Float32Array.from({ length: count }, (_, c) => tableAt[c + 1]! - tableAt[c]! - 1)
  const last = graph.floats([1, count], levels)
  const cells = graph.apply('Gather', [x, graph.integers([count], categories)], { axis: { integer: 1 } })
  const aboveZero = graph.apply('GreaterOrEqual', [cells, graph.floats([1], [0])])
  const belowEnd = graph.apply('Less', [cells, last])
  const known = graph.apply('And', [aboveZero, belowEnd])
  const level = graph.apply('Cast', [graph.apply('Where', [known, cells, last])], { to: { integer: 7 } })
  const row = graph.apply('Add', [level, graph.integers([1, count], tableAt.subarray(0, count))])
  const entries = graph.apply('Gather', [graph.floats([table.length / outputs, outputs], table), row], {
    axis: { integer: 0 },
  })
  return graph.apply('ReduceSum', [entries, graph.integers([1], [1])], { keepdims: { integer: 0 } })
}
