import type { Metrics } from '../../trainer/metrics.ts'
import type { TryResult } from './result.ts'

/** Metrics worth a line, in reading order, with the words for people. */
const shown: Record<TryResult['task'], readonly (readonly [name: string, title: string])[]> = {
  binary: [
    ['auc', 'AUC'],
    ['prAuc', 'PR-AUC'],
    ['logLoss', 'log-loss'],
    ['brier', 'Brier'],
    ['ece', 'ECE'],
    ['accuracy', 'accuracy'],
    ['precision', 'precision'],
    ['recall', 'recall'],
    ['f1', 'F1'],
  ],
  multiclass: [
    ['auc', 'AUC (macro)'],
    ['logLoss', 'log-loss'],
    ['brier', 'Brier'],
    ['accuracy', 'accuracy'],
    ['f1', 'F1 (macro)'],
  ],
  regression: [
    ['rmse', 'RMSE'],
    ['mae', 'MAE'],
    ['r2', 'R2'],
  ],
}

export interface MetricLine {
  readonly name: string
  readonly title: string
  readonly mean: string
  readonly interval: string
  readonly baseline: string
}

/** One line per metric that the task has. */
export function metricLines(result: TryResult): MetricLine[] {
  return shown[result.task]
    .filter(([name]) => name in result.mean)
    .map(([name, title]) => {
      const bounds = result.intervals[name]
      return {
        name,
        title,
        mean: figure(result.mean[name]),
        interval: bounds ? `${figure(bounds[0])} .. ${figure(bounds[1])}` : '',
        baseline: name in result.baseline ? figure(result.baseline[name]) : '',
      }
    })
}

/** The metrics a leaderboard or a fold shows. */
export function briefMetrics(task: TryResult['task']): readonly (readonly [name: string, title: string])[] {
  const wanted = {
    binary: ['auc', 'logLoss', 'prAuc', 'ece'],
    multiclass: ['auc', 'logLoss', 'accuracy'],
    regression: ['rmse', 'mae', 'r2'],
  }[task]
  return shown[task].filter(([name]) => wanted.includes(name))
}

/** The same for one fold, without ECE: over a fold's few rows it is noise. */
export function foldMetrics(task: TryResult['task']): readonly (readonly [name: string, title: string])[] {
  return briefMetrics(task).filter(([name]) => name !== 'ece')
}

/** Four decimals below 10, else as many as say something; "not enough data" for null. */
export function figure(value: Metrics[string] | undefined): string {
  if (value === null || value === undefined) return 'not enough data'
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en')
  return Math.abs(value) >= 10 ? value.toFixed(2) : value.toFixed(4)
}

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`

/** Permutation importance where it was measured, else the share of gain; largest first, as parts of the largest. */
export function importanceBars(
  result: Pick<TryResult, 'importances'>,
  most: number,
): { kind: 'permutation' | 'gain'; bars: { feature: string; value: number; share: number }[] } {
  const hasPermutation = result.importances.some((entry) => entry.permutation !== null)
  const all = result.importances
    .map((entry) => ({ feature: entry.feature, value: hasPermutation ? (entry.permutation ?? 0) : entry.gain }))
    .sort((a, b) => b.value - a.value)
  const largest = Math.max(all[0]?.value ?? 0, Number.MIN_VALUE)
  const bars = all.slice(0, most).map((entry) => ({ ...entry, share: Math.max(0, entry.value / largest) }))
  return { kind: hasPermutation ? 'permutation' : 'gain', bars }
}

/** How the rows were split, in words. */
export function splitWords(result: Pick<TryResult, 'split' | 'folds'>): string {
  const count = `${result.folds.length} ${result.folds.length === 1 ? 'hold-out' : 'folds'}`
  const how = {
    given: 'as given',
    stratified: 'at random, labels spread evenly',
    group: 'by group: no group on both sides',
    time: 'by time: trained before, tested after',
    'time+group': 'by time and group: tested later, on groups never seen',
  }[result.split]
  return `${count}, ${how}`
}
