import type { TrainingOutcome } from '../ml/training.ts'
import type { Artefact, Split } from '../trainer/artefact.ts'

const SHOWN = ['auc', 'prAuc', 'logLoss', 'brier', 'ece', 'accuracy', 'precision', 'recall'] as const
const LAST_KNOWN = 'lastKnown.'
const SPLIT_SAYS: Record<Split['by'], string> = {
  stratified: 'rows at random',
  group: 'groups never seen in training',
  time: 'later than anything trained on',
  'time+group': 'later, and groups never seen in training',
}

/** What a person wants to know about a training run: rows, hold-outs beside the baseline, what won, whether it serves. */
export function trainingReport({ model, version, promoted, why, reasons }: TrainingOutcome): string {
  const { contents } = version
  const share = ((100 * contents.positives) / contents.rows).toFixed(1)
  const lines = [
    `${model} version ${version.number}: ${contents.learner}`,
    `  ${contents.rows} rows from ${contents.window.from.slice(0, 10)} to ${contents.window.to.slice(0, 10)}, ${contents.positives} positive (${share} %)`,
    ...contents.splits.flatMap(describeSplit),
    ...describeSlices(contents.slices),
    '  strongest features: ' +
      [...contents.importances]
        .sort((a, b) => b.gain - a.gain)
        .slice(0, 5)
        .map(({ feature }) => feature)
        .join(', '),
    ...contents.warnings.map((warning) => `  warning: ${warning}`),
    ...reasons.map((reason) => `  gate failed: ${reason}`),
    promoted ? `  promoted: it serves now (${why})` : `  not promoted: ${why}`,
  ]
  return `${lines.join('\n')}\n`
}

function describeSplit(split: Split): string[] {
  return [
    `  hold-out by ${split.by} (${SPLIT_SAYS[split.by]}), ${split.test} rows, ${split.train} trained on`,
    `    ${pad('')}${SHOWN.map((name) => name.padStart(10)).join('')}`,
    `    ${pad('model')}${row(split.metrics)}`,
    `    ${pad('base rate')}${row(split.baseline)}`,
    ...('lastKnown.auc' in split.baseline ? [`    ${pad('last known')}${row(lastKnownOf(split))}`] : []),
  ]
}

/** The metrics of answering with what was known last, without their prefix. */
function lastKnownOf({ baseline }: Split): Split['baseline'] {
  return Object.fromEntries(
    Object.entries(baseline)
      .filter(([name]) => name.startsWith(LAST_KNOWN))
      .map(([name, value]) => [name.slice(LAST_KNOWN.length), value]),
  )
}

function describeSlices(slices: Artefact['slices']): string[] {
  if (slices.length === 0) return []
  return [
    `  the same hold-out by ${[...new Set(slices.map(({ column }) => column))].join(' and ')}`,
    ...slices.map(({ column, slice, rows, metrics }) =>
      metrics
        ? `    ${`${column} ${slice}`.padEnd(24)}${String(rows).padStart(8)} rows  auc ${figure(metrics.auc)}  logLoss ${figure(metrics.logLoss)}`
        : `    ${`${column} ${slice}`.padEnd(24)}${String(rows).padStart(8)} rows  not enough data`,
    ),
  ]
}

const figure = (value: number | null | undefined) => value?.toFixed(4) ?? '-'

function row(metrics: Record<string, number | null>): string {
  return SHOWN.map((name) => (metrics[name] ?? null)?.toFixed(4) ?? '-')
    .map((text) => text.padStart(10))
    .join('')
}

const pad = (text: string) => text.padEnd(12)
