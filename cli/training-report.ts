import type { TrainingOutcome } from '../ml/training.ts'
import type { Split } from '../trainer/artefact.ts'

const SHOWN = ['auc', 'prAuc', 'logLoss', 'brier', 'ece', 'accuracy', 'precision', 'recall'] as const
const SPLIT_SAYS: Record<Split['by'], string> = {
  stratified: 'rows at random',
  group: 'groups never seen in training',
  time: 'later than anything trained on',
  'time+group': 'later, and groups never seen in training',
}

/** What a person wants to know about a training run: rows, hold-outs beside the baseline, what won, whether it serves. */
export function trainingReport({ model, version, promoted, reasons }: TrainingOutcome): string {
  const { contents } = version
  const share = ((100 * contents.positives) / contents.rows).toFixed(1)
  const lines = [
    `${model} version ${version.number}: ${contents.learner}`,
    `  ${contents.rows} rows from ${contents.window.from.slice(0, 10)} to ${contents.window.to.slice(0, 10)}, ${contents.positives} positive (${share} %)`,
    ...contents.splits.flatMap(describeSplit),
    '  strongest features: ' +
      [...contents.importances]
        .sort((a, b) => b.gain - a.gain)
        .slice(0, 5)
        .map(({ feature }) => feature)
        .join(', '),
    ...contents.warnings.map((warning) => `  warning: ${warning}`),
    ...reasons.map((reason) => `  gate failed: ${reason}`),
    promoted ? '  promoted: it serves now' : `  not promoted${reasons.length > 0 ? ': it failed a gate' : ''}`,
  ]
  return `${lines.join('\n')}\n`
}

function describeSplit(split: Split): string[] {
  return [
    `  hold-out by ${split.by} (${SPLIT_SAYS[split.by]}), ${split.test} rows, ${split.train} trained on`,
    `    ${pad('')}${SHOWN.map((name) => name.padStart(10)).join('')}`,
    `    ${pad('model')}${row(split.metrics)}`,
    `    ${pad('base rate')}${row(split.baseline)}`,
  ]
}

function row(metrics: Record<string, number | null>): string {
  return SHOWN.map((name) => (metrics[name] ?? null)?.toFixed(4) ?? '-')
    .map((text) => text.padStart(10))
    .join('')
}

const pad = (text: string) => text.padEnd(10)
