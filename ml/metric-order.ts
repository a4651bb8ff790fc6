import type { Metrics } from '../trainer/metrics.ts'

const ORDER = ['auc', 'prAuc', 'logLoss', 'brier', 'ece', 'accuracy', 'precision', 'recall', 'f1', 'threshold']

/** Names of metrics as people look for them: ranking, losses, decisions, then the others. The database gives them by length. */
export function metricNames(...all: readonly Metrics[]): string[] {
  const names = new Set(all.flatMap((metrics) => Object.keys(metrics)))
  return [...ORDER.filter((name) => names.has(name)), ...[...names].filter((name) => !ORDER.includes(name))]
}
