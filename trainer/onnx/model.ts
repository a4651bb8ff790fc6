import type { IsotonicCalibration } from '../calibration.ts'
import type { Model } from '../model.ts'
import { applyForest } from './forest.ts'
import { Graph } from './graph.ts'
import { applyLinear } from './linear.ts'

/**
 * The model as an ONNX file: X float32 (N, F), NaN = missing, to `probability` (N, 1); multiclass `probabilities`
 * (N, classes); regression `value` (N, 1). Operators of ai.onnx 17 and ai.onnx.ml 3 only; the same model gives the same bytes.
 */
export function encodeModel(model: Model, metadata: Readonly<Record<string, string>>): Uint8Array {
  const graph = new Graph()
  const x = graph.input('X', ['N', model.columns.length])
  const score = applyScores(graph, model, x)
  if (model.objective === 'softmax') {
    const factor = model.calibration?.kind === 'temperature' ? model.calibration.factor : 1
    const scaled = graph.apply('Mul', [score, graph.floats([1], [factor])])
    graph.output('probabilities', ['N', model.outputs])
    graph.apply('Softmax', [scaled], { axis: { integer: 1 } }, { output: 'probabilities' })
  } else if (model.objective === 'logistic') {
    graph.output('probability', ['N', 1])
    applyProbability(graph, model, score)
  } else {
    graph.output('value', ['N', 1])
    if (model.objective === 'poisson') {
      const capped = graph.apply('Min', [score, graph.floats([1], [30])])
      graph.apply('Exp', [capped], {}, { output: 'value' })
    } else graph.apply('Identity', [score], {}, { output: 'value' })
  }
  return graph.finish(metadata)
}

function applyScores(graph: Graph, model: Model, x: string): string {
  const linear = model.linear ? applyLinear(graph, model.linear, x) : null
  const forest = model.forest ? applyForest(graph, model.forest, x) : null
  if (!linear || !forest) return (linear ?? forest)!
  return graph.apply('Add', [
    graph.apply('Mul', [linear, graph.floats([1], [model.linearShare])]),
    graph.apply('Mul', [forest, graph.floats([1], [1 - model.linearShare])]),
  ])
}

function applyProbability(graph: Graph, model: Model, score: string): void {
  const { calibration } = model
  if (calibration?.kind === 'isotonic') {
    applyIsotonic(graph, calibration, score)
    return
  }
  let margin = score
  if (calibration?.kind === 'platt') {
    const scaled = graph.apply('Mul', [score, graph.floats([1], [calibration.slope])])
    margin = graph.apply('Add', [scaled, graph.floats([1], [calibration.intercept])])
  }
  graph.apply('Sigmoid', [margin], {}, { output: 'probability' })
}

/** p[0] + sum over knots of slope * clip(score - knot, 0, gap): straight lines, flat outside, continuous in float32 too. */
function applyIsotonic(graph: Graph, calibration: IsotonicCalibration, score: string): void {
  const { margins, probabilities } = calibration
  const count = margins.length - 1
  if (count < 1) {
    const nothing = graph.apply('Mul', [score, graph.floats([1], [0])])
    graph.apply('Add', [nothing, graph.floats([1], [probabilities[0]!])], {}, { output: 'probability' })
    return
  }
  const row = [1, count]
  const gaps = Float32Array.from({ length: count }, (_, i) => margins[i + 1]! - margins[i]!)
  const slopes = Float32Array.from(
    { length: count },
    (_, i) => (probabilities[i + 1]! - probabilities[i]!) / (margins[i + 1]! - margins[i]!),
  )
  const past = graph.apply('Sub', [score, graph.floats(row, margins.slice(0, count))])
  const within = graph.apply('Min', [graph.apply('Max', [past, graph.floats([1], [0])]), graph.floats(row, gaps)])
  const risen = graph.apply('MatMul', [within, graph.floats([count, 1], slopes)])
  graph.apply('Add', [risen, graph.floats([1], [probabilities[0]!])], {}, { output: 'probability' })
}
