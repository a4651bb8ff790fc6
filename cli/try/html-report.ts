import { bars, escapeHtml, foldStrip } from '../../ml/report/plots.ts'
import { reportStyle } from '../../ml/report/style.ts'
import { htmlTable } from '../../ml/report/table.ts'
import { briefMetrics, figure, foldMetrics, importanceBars, metricLines, percent, splitWords } from './figures.ts'
import { reportPlots } from './report-plots.ts'
import type { Plots, TryResult } from './result.ts'

/** One self-contained page: no script, no font or style from elsewhere, light and dark. */
export function htmlReport(result: TryResult, plots: Plots): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(result.label)} in ${escapeHtml(result.file)} · Inkling</title>
<style>${reportStyle}</style>
</head>
<body>
<main>
${header(result)}
${tiles(result)}
${warnings(result)}
${section('How good is it?', metricsTable(result))}
${section('Plots', reportPlots(result, plots))}
${section('What it looks at', importance(result))}
${section('Leaderboard', leaderboard(result))}
${result.folds.length > 1 ? section('Folds', foldTable(result) + foldStrips(result)) : ''}
${result.slices.length > 0 ? section('Slices', sliceTable(result)) : ''}
${result.reliability.length > 0 ? section('Reliability', reliabilityTable(result)) : ''}
${result.confusion.length > 0 ? section('Confusion', confusionTable(result)) : ''}
${section('Columns', columnTable(result))}
<footer>Written by <code>inkling try</code> in ${result.seconds.toFixed(1)} s with seed ${result.seed}. The model stands beside this page in <code>model.onnx</code>, every figure in <code>result.json</code>.</footer>
</main>
</body>
</html>
`
}

const section = (title: string, body: string): string => `<section><h2>${title}</h2>\n${body}\n</section>`

function header(result: TryResult): string {
  const about =
    result.task === 'binary'
      ? `the probability that <b>${escapeHtml(result.label)}</b> is <b>${escapeHtml(result.classes[1]!)}</b>, which ${percent(result.shares[1]!)} of the rows are`
      : result.task === 'multiclass'
        ? `which of ${result.classes.length} values <b>${escapeHtml(result.label)}</b> has`
        : `the number <b>${escapeHtml(result.label)}</b>`
  const shape = `${result.rows.toLocaleString('en')} rows, ${result.features} features`
  return `<header><h1>${escapeHtml(result.file)}</h1>
<p>Predicts ${about}. ${shape}; judged on ${escapeHtml(splitWords(result))}. Learner: ${escapeHtml(result.learner)}.</p></header>`
}

function tiles(result: TryResult): string {
  const lines = metricLines(result).slice(0, result.task === 'regression' ? 3 : 4)
  const tile = (line: (typeof lines)[number]): string =>
    `<div class="tile"><span>${escapeHtml(line.title)}</span><strong>${line.mean}</strong>` +
    `<small>${line.interval ? `${line.interval}<br>` : ''}baseline ${line.baseline}</small></div>`
  return `<div class="tiles">${lines.map(tile).join('')}</div>`
}

function warnings(result: TryResult): string {
  if (result.warnings.length === 0) return ''
  return `<aside><h2>Warnings</h2><ul>${result.warnings.map((warning) => `<li>${escapeHtml(warning)}</li>`).join('')}</ul></aside>`
}

function metricsTable(result: TryResult): string {
  const base = result.task === 'regression' ? 'mean of the label' : 'majority class'
  const rows = metricLines(result).map((line) => [line.title, line.mean, line.interval, line.baseline])
  const notes: string[] = []
  if (typeof result.pooled.threshold === 'number') {
    notes.push(
      `Precision, recall and F1 hold at a threshold near ${figure(result.pooled.threshold)}, chosen on the other folds; accuracy at one half.`,
    )
  }
  if (result.task === 'binary')
    notes.push('ECE: mean gap between what was said and what happened, over 15 equal-mass bins of all folds together.')
  if (result.coverage) {
    notes.push(
      result.task === 'regression'
        ? `The interval around each value is ${figure(result.coverage.width)} wide and held ${percent(result.coverage.covered)} of the values tested.`
        : `The interval around each probability is ${figure(result.coverage.width)} wide on average; ${percent(result.coverage.covered)} of the equal-mass bins agree with what happened.`,
    )
  }
  return (
    htmlTable(['', 'mean', '95 % interval', `baseline (${base})`], rows, 1) +
    notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('')
  )
}

function confusionTable({ confusion, classes }: TryResult): string {
  const rows = confusion.map((counts, index) => [classes[index]!, ...counts.map((count) => count.toLocaleString('en'))])
  return `${htmlTable(['', ...classes.map((name) => `called ${name}`)], rows, 1)}<p class="note">Rows of each class, by what they were called.</p>`
}

function importance(result: TryResult): string {
  const { kind, bars: entries } = importanceBars(result, 25)
  const note =
    kind === 'gain'
      ? 'Share of the gain that splits and weights on the feature brought.'
      : 'How much the log-loss (or squared error) rises when the feature is shuffled among rows.'
  return (
    bars(entries.map((entry) => ({ name: entry.feature, share: entry.share, value: entry.value.toPrecision(3) }))) +
    `<p class="note">${note}</p>`
  )
}

function leaderboard(result: TryResult): string {
  const brief = briefMetrics(result.task).filter(([name]) =>
    result.leaderboard.some((row) => row.metrics[name] != null),
  )
  const rows = [...result.leaderboard]
    .sort((a, b) => a.logLoss - b.logLoss)
    .map((row) => [
      `${row.chosen ? '★ ' : ''}${row.learner}`,
      ...brief.map(([name]) => figure(row.metrics[name])),
      `${row.seconds.toFixed(1)} s`,
      Object.entries(row.settings)
        .map(([name, value]) => `${name} ${typeof value === 'number' ? Number(value.toPrecision(4)) : value}`)
        .join(', '),
    ])
  return htmlTable(['learner', ...brief.map(([, title]) => title), 'time', 'settings'], rows, 1, brief.length + 1)
}

function foldTable(result: TryResult): string {
  const brief = foldMetrics(result.task)
  const rows = result.folds.map((fold) => [
    fold.fold,
    fold.train.toLocaleString('en'),
    fold.test.toLocaleString('en'),
    ...brief.map(([name]) => figure(fold.metrics[name])),
    fold.learner,
  ])
  return htmlTable(
    ['fold', 'trained on', 'tested on', ...brief.map(([, title]) => title), 'learner'],
    rows,
    1,
    brief.length + 2,
  )
}

function sliceTable(result: TryResult): string {
  const brief = foldMetrics(result.task)
  const rows = result.slices.map(({ column, slice, rows: count, metrics }) => [
    `${column} = ${slice}`,
    count.toLocaleString('en'),
    ...brief.map(([name]) => (metrics ? figure(metrics[name]) : 'not enough data')),
  ])
  return htmlTable(['slice', 'rows', ...brief.map(([, title]) => title)], rows, 1)
}

function foldStrips(result: TryResult): string {
  const strips = foldMetrics(result.task).map(([name, title]) => {
    const values = result.folds.flatMap((fold) => {
      const value = fold.metrics[name]
      return typeof value === 'number' ? [{ name: fold.fold, value }] : []
    })
    const mean = values.reduce((sum, entry) => sum + entry.value, 0) / values.length
    return values.length > 1 ? foldStrip(title, values, mean) : ''
  })
  return `<div class="plots">${strips.join('')}</div>`
}

function reliabilityTable(result: TryResult): string {
  const rows = result.reliability.map((bin) => [
    `${figure(bin.low)} – ${figure(bin.high)}`,
    bin.rows.toLocaleString('en'),
    figure(bin.said),
    figure(bin.seen),
  ])
  return htmlTable([result.task === 'binary' ? 'probability' : 'prediction', 'rows', 'said', 'happened'], rows, 1)
}

function columnTable(result: TryResult): string {
  const rows = result.columns.map((column) => [
    column.name,
    column.use === 'dropped' ? `${column.type}, not used` : column.type,
    column.distinct === null ? 'many' : column.distinct.toLocaleString('en'),
    column.missing > 0 ? percent(column.missing / result.rows) : '',
    column.note ?? '',
  ])
  return htmlTable(['column', 'type', 'values', 'missing', 'note'], rows, 2, 2)
}
