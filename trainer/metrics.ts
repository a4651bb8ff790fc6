import type { Task } from './dataset.ts'
import { confusion, decisionMetrics } from './metrics/decision.ts'
import { macroAuc, macroF1, multiclassAccuracy, multiclassBrier, multiclassLogLoss } from './metrics/multiclass.ts'
import { brier, ece, logLoss } from './metrics/probability.ts'
import { auc, prAuc } from './metrics/ranking.ts'
import { regressionMetrics } from './metrics/regression.ts'
import { orderOf } from './order.ts'

export { bootstrapIntervals } from './metrics/bootstrap.ts'
export { bestThreshold, type Confusion, type Costs, confusion, decisionMetrics } from './metrics/decision.ts'
export { macroAuc, macroF1, multiclassAccuracy, multiclassBrier, multiclassLogLoss } from './metrics/multiclass.ts'
export { brier, ece, logLoss, type ReliabilityBin, reliability } from './metrics/probability.ts'
export { auc, type CurvePoint, curveOf, prAuc } from './metrics/ranking.ts'
export { type RegressionMetrics, regressionMetrics } from './metrics/regression.ts'
export { sliceMetrics } from './metrics/slices.ts'

/** Name -> value; null means "not enough data". */
export type Metrics = Record<string, number | null>

/**
 * Every metric of a task. binary: y 0 or 1, predicted = probability (n,). multiclass: y class index, predicted (n, classes)
 * row-major. regression: the value (n,). threshold: where precision, recall and F1 are taken. order: `orderOf(predicted)`
 * of a binary task, where it is at hand.
 */
export function measure(
  task: Task,
  y: ArrayLike<number>,
  predicted: ArrayLike<number>,
  options: { classes?: number; threshold?: number; weights?: ArrayLike<number>; order?: Uint32Array } = {},
): Metrics {
  const { weights, threshold = 0.5 } = options
  if (task === 'regression') return { ...regressionMetrics(y, predicted, weights) }
  if (task === 'multiclass') {
    const classes = options.classes ?? (y.length > 0 ? predicted.length / y.length : 0)
    return {
      logLoss: multiclassLogLoss(y, predicted, classes, weights),
      auc: macroAuc(y, predicted, classes, weights),
      accuracy: multiclassAccuracy(y, predicted, classes, weights),
      f1: macroF1(y, predicted, classes),
      brier: multiclassBrier(y, predicted, classes),
    }
  }
  const order = options.order ?? orderOf(predicted)
  return {
    auc: auc(y, predicted, weights, order),
    prAuc: prAuc(y, predicted, weights, order),
    logLoss: logLoss(y, predicted, weights),
    brier: brier(y, predicted, weights),
    ece: ece(y, predicted),
    ...decisionMetrics(confusion(y, predicted, threshold, weights)),
  }
}
