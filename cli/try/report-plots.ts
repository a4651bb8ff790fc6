import { bars, chart } from '../../ml/report/plots.ts'
import { reliabilityChart } from '../../ml/report/reliability-chart.ts'
import { figure, percent } from './figures.ts'
import type { Plots, TryResult } from './result.ts'

/** The row of plots that fits the task: ROC, precision-recall and reliability; or predictions against labels; or class shares. */
export function reportPlots(result: TryResult, plots: Plots): string {
  if (result.task === 'binary' && plots.curve.length > 0) {
    const roc = chart(
      { title: `ROC, area ${figure(result.pooled.auc)}`, x: 'false positive rate', y: 'true positive rate' },
      {
        lines: [
          [[0, 0], ...plots.curve.map((point) => [point.falsePositiveRate, point.truePositiveRate] as const), [1, 1]],
        ],
        reference: [
          [0, 0],
          [1, 1],
        ],
      },
    )
    const share = result.shares[1]!
    const recall = chart(
      { title: `Precision and recall, area ${figure(result.pooled.prAuc)}`, x: 'recall', y: 'precision' },
      {
        lines: [plots.curve.map((point) => [point.truePositiveRate, point.precision] as const)],
        reference: [
          [0, share],
          [1, share],
        ],
      },
    )
    return `<div class="plots">${roc}${recall}${reliabilityChart(result.reliability, result.task === 'binary')}</div>`
  }
  if (plots.pairs.length > 0) {
    const labels = plots.pairs.map(([label]) => label)
    const range = [Math.min(...labels), Math.max(...labels)] as const
    const scatter = chart(
      {
        title: 'Each dot is a row: on the line is right',
        x: result.label,
        y: 'predicted',
        xRange: range,
        yRange: range,
      },
      {
        reference: [
          [range[0], range[0]],
          [range[1], range[1]],
        ],
        dots: plots.pairs.map(([label, predicted]) => ({
          at: [label, Math.min(range[1], Math.max(range[0], predicted))] as const,
          r: 1.6,
        })),
      },
    )
    return `<div class="plots">${scatter}${reliabilityChart(result.reliability, result.task === 'binary')}</div>`
  }
  const shares = result.classes.map((name, at) => ({
    name,
    share: result.shares[at]! / Math.max(...result.shares),
    value: percent(result.shares[at]!),
  }))
  return `<p class="note">How often each class occurs.</p>${bars(shares.slice(0, 30))}`
}
