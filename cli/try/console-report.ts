import { briefMetrics, figure, foldMetrics, importanceBars, metricLines, percent, splitWords } from './figures.ts'
import type { TryResult } from './result.ts'

/** The result as text, at most `width` characters wide where its names allow. */
export function consoleReport(result: TryResult, width = 100): string {
  return [
    heading(result),
    section('Columns', columnLines(result)),
    section('Leaderboard', leaderboardLines(result)),
    section(`Result on rows not trained on (${splitWords(result)})`, resultLines(result)),
    result.folds.length > 1 ? section('Folds', foldLines(result)) : '',
    result.slices.length > 0 ? section('Slices: all folds together', sliceLines(result)) : '',
    result.task === 'multiclass' && result.confusion.length > 0
      ? section('Confusion: rows of a class, columns what they were called', confusionLines(result))
      : '',
    result.reliability.length > 0 ? section('Reliability: what was said, what happened', reliabilityLines(result)) : '',
    section('Importance', importanceLines(result, width)),
    result.warnings.length > 0
      ? section(
          'Warnings',
          result.warnings.map((warning) => `  ! ${warning}`),
        )
      : '',
    section('Written', [...result.files.map((file) => `  ${file}`), `  in ${result.seconds.toFixed(1)} s`]),
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function heading(result: TryResult): string {
  const shape = `${result.rows.toLocaleString('en')} rows x ${result.features} features`
  const question =
    result.task === 'binary'
      ? `${result.label} = ${result.classes[1]} (${percent(result.shares[1]!)})`
      : result.task === 'multiclass'
        ? `${result.label}: ${result.classes.length} classes`
        : `${result.label}: a number`
  return `${result.file}: ${shape}; ${question}\n`
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines, ''].join('\n')
}

function columnLines(result: TryResult): string[] {
  const rows = result.columns.map((column) => [
    `  ${column.name}`,
    column.use === 'dropped' ? `${column.type}, not used` : column.type,
    column.distinct === null ? 'many values' : `${column.distinct.toLocaleString('en')} values`,
    column.missing > 0 ? `${percent(column.missing / Math.max(1, result.rows))} missing` : '',
    column.note ?? '',
  ])
  const most = 60
  const lines = table(rows.slice(0, most), 'lllll')
  return rows.length > most ? [...lines, `  ... and ${rows.length - most} more (all in result.json)`] : lines
}

function leaderboardLines(result: TryResult): string[] {
  const brief = briefMetrics(result.task).filter(([name]) =>
    result.leaderboard.some((row) => row.metrics[name] != null),
  )
  const rows = [...result.leaderboard]
    .sort((a, b) => a.logLoss - b.logLoss)
    .map((row) => [
      row.chosen ? '  *' : '   ',
      row.learner,
      ...brief.map(([name]) => figure(row.metrics[name])),
      `${row.seconds.toFixed(1)} s`,
      settingsWords(row.settings),
    ])
  return table(
    [['   ', 'learner', ...brief.map(([, title]) => title), 'time', 'settings'], ...rows],
    `ll${'r'.repeat(brief.length + 1)}l`,
  )
}

function settingsWords(settings: Record<string, number | string>): string {
  const words = Object.entries(settings).map(([name, value]) => {
    return `${name} ${typeof value === 'number' ? Number(value.toPrecision(3)) : value}`
  })
  const text = words.join(', ')
  return text.length > 70 ? `${text.slice(0, 67)}...` : text
}

function resultLines(result: TryResult): string[] {
  const lines = metricLines(result)
  const base = result.task === 'regression' ? 'mean' : 'majority'
  const rows = lines.map((line) => [`  ${line.title}`, line.mean, line.interval, line.baseline])
  const tableLines = table([['', 'mean', '95 % interval', `baseline (${base})`], ...rows], 'lrrr')
  const notes: string[] = []
  if (result.task === 'binary') {
    const { threshold } = result.pooled
    const where =
      typeof threshold === 'number' ? `probability ${figure(threshold)}, chosen on the other folds` : 'one half'
    notes.push(`  precision, recall and F1 at ${where}`)
  }
  if (result.coverage) {
    const { width, covered } = result.coverage
    notes.push(
      result.task === 'regression'
        ? `  intervals are ${figure(width)} wide on average and hold ${percent(covered)} of the values`
        : `  probability intervals are ${figure(width)} wide on average; ${percent(covered)} of the bins agree with what happened`,
    )
  }
  return [...tableLines, ...notes]
}

function foldLines(result: TryResult): string[] {
  const brief = foldMetrics(result.task)
  const rows = result.folds.map((fold) => [
    `  ${fold.fold}`,
    fold.train.toLocaleString('en'),
    fold.test.toLocaleString('en'),
    ...brief.map(([name]) => figure(fold.metrics[name])),
    fold.learner,
  ])
  const head = ['  fold', 'trained on', 'tested on', ...brief.map(([, title]) => title), 'learner']
  return table([head, ...rows], `lrr${'r'.repeat(brief.length)}l`)
}

function sliceLines(result: TryResult): string[] {
  const brief = foldMetrics(result.task)
  const rows = result.slices.map(({ column, slice, rows: count, metrics }) => [
    `  ${column} = ${slice}`,
    count.toLocaleString('en'),
    ...(metrics ? brief.map(([name]) => figure(metrics[name])) : ['not enough data']),
  ])
  return table([['  slice', 'rows', ...brief.map(([, title]) => title)], ...rows], `lr${'r'.repeat(brief.length)}`)
}

function confusionLines({ confusion, classes }: TryResult): string[] {
  const rows = confusion.map((counts, index) => [
    `  ${classes[index]}`,
    ...counts.map((count) => count.toLocaleString('en')),
  ])
  return table([['', ...classes], ...rows], `l${'r'.repeat(classes.length)}`)
}

function reliabilityLines(result: TryResult): string[] {
  const isProbability = result.task === 'binary'
  const value = (number: number): string => (isProbability ? number.toFixed(4) : figure(number))
  const low = isProbability ? 0 : Math.min(0, ...result.reliability.map((bin) => bin.seen))
  const high = isProbability ? 1 : Math.max(...result.reliability.map((bin) => bin.seen))
  const rows = result.reliability.map((bin) => [
    `  ${value(bin.low)} .. ${value(bin.high)}`,
    bin.rows.toLocaleString('en'),
    value(bin.said),
    value(bin.seen),
    bar((bin.seen - low) / (high - low || 1), 30),
  ])
  return table([[isProbability ? '  probability' : '  prediction', 'rows', 'said', 'happened', ''], ...rows], 'lrrrl')
}

function importanceLines(result: TryResult, width: number): string[] {
  const { kind, bars } = importanceBars(result, 20)
  const unit = kind === 'gain' ? 'share of gain' : 'loss when shuffled'
  const room = Math.max(10, Math.min(40, width - 50))
  return table(
    [
      ...bars.map((entry) => [`  ${entry.feature}`, entry.value.toFixed(4), bar(entry.share, room)]),
      ['', '', `(${unit})`],
    ],
    'lrl',
  )
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

function bar(share: number, room: number): string {
  const parts = Math.round(Math.min(1, Math.max(0, share)) * room * 8)
  return '█'.repeat(Math.floor(parts / 8)) + eighths[parts % 8]!
}

/** Columns padded to their widest cell; sides: l or r per column. */
function table(rows: readonly (readonly string[])[], sides: string): string[] {
  const widths = [...sides].map((_, at) => Math.max(0, ...rows.map((row) => (row[at] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, at) => (sides[at] === 'r' ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!)))
      .join('  ')
      .trimEnd(),
  )
}
