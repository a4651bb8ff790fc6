import type { Model } from '../define.ts'
import { metricNames } from '../metric-order.ts'
import type { ModelVersion } from '../model-version.ts'
import { limitsOf } from './limits.ts'

/** A piece of a card, which every format can show. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | {
      readonly kind: 'table'
      readonly head: readonly string[]
      readonly rows: readonly (readonly string[])[]
      /** Columns from here on are numbers. */
      readonly numbersFrom: number
    }
  | { readonly kind: 'bars'; readonly entries: readonly { name: string; share: number; value: string }[] }
  | { readonly kind: 'reliability'; readonly bins: NonNullable<ModelVersion['contents']['reliability']> }

export interface Card {
  readonly title: string
  readonly subtitle: string
  readonly tiles: readonly { readonly title: string; readonly value: string; readonly small: string }[]
  readonly sections: readonly { readonly title: string; readonly parts: readonly Part[] }[]
}

export interface CardInput {
  readonly version: ModelVersion
  /** Names that point at the version now. */
  readonly aliases: readonly string[]
  /** The model file as it is today; null when it is gone. */
  readonly model: Model | null
}

const titles: Readonly<Record<string, string>> = {
  auc: 'AUC',
  prAuc: 'Precision-recall area',
  logLoss: 'Log-loss',
  brier: 'Brier score',
  ece: 'Calibration error',
  accuracy: 'Accuracy',
  precision: 'Precision',
  recall: 'Recall',
  f1: 'F1',
  threshold: 'Threshold',
}
const TILES = ['auc', 'logLoss', 'ece', 'accuracy']

/** Everything that somebody should know who relies on a version, from what was stored with it. Holds no row of anybody. */
export function cardOf({ version, aliases, model }: CardInput): Card {
  const { contents, name, number, state } = version
  const standing = aliases.length > 0 ? `${state.toLowerCase()}, ${aliases.join(', ')}` : state.toLowerCase()
  return {
    title: `${name} version ${number}`,
    subtitle: `${contents.question} About ${contents.entity}; ${standing}. ${learnerOf(version)}`,
    tiles: TILES.filter((metric) => metric in contents.metrics).map((metric) => ({
      title: titles[metric] ?? metric,
      value: figure(contents.metrics[metric]),
      small: [rangeOf(contents, metric), baselineOf(contents, metric)].filter(Boolean).join(' · '),
    })),
    sections: [
      { title: 'Data', parts: dataParts(version) },
      { title: 'Metrics', parts: metricParts(version) },
      { title: 'Calibration', parts: calibrationParts(version) },
      { title: 'What it looks at', parts: importanceParts(version) },
      ...(contents.slices.length > 0 ? [{ title: 'Slices', parts: sliceParts(version) }] : []),
      { title: 'Gates', parts: gateParts(version) },
      { title: 'Features', parts: featureParts(version) },
      { title: 'Limits', parts: [{ kind: 'list' as const, items: limitsOf(version, model) }] },
      { title: 'Provenance', parts: provenanceParts(version) },
    ],
  }
}

function learnerOf({ contents, createdAt }: ModelVersion): string {
  const day = createdAt.toISOString().slice(0, 10)
  const { origin, learner } = contents
  if (origin?.kind === 'IMPORTED')
    return `Trained elsewhere (${origin.producer || 'unknown software'}), imported on ${day}.`
  if (origin) return `Trained in another installation as version ${origin.version?.number}, imported on ${day}.`
  return `Learner: ${learner}, trained on ${day}.`
}

function dataParts({ contents }: ModelVersion): Part[] {
  const { rows, positives, notApplicable, window, splits, origin } = contents
  const learned = origin?.kind === 'IMPORTED' ? 'Labelled rows here' : 'Labelled rows'
  return [
    {
      kind: 'table',
      head: ['', ''],
      numbersFrom: 9,
      rows: [
        [learned, count(rows)],
        ['Answered yes', `${count(positives)} (${percent(positives / rows)})`],
        ['Left out: the question was not about them', count(notApplicable)],
        ['First moment', day(window.from)],
        ['Last moment', day(window.to)],
      ],
    },
    {
      kind: 'table',
      head: ['held out', 'other rows', 'judged on', 'AUC', 'log-loss', 'baseline log-loss'],
      numbersFrom: 1,
      rows: splits.map(({ by, train, test, metrics, baseline }) => [
        `by ${by}`,
        count(train),
        count(test),
        figure(metrics.auc),
        figure(metrics.logLoss),
        figure(baseline.logLoss),
      ]),
    },
  ]
}

function metricParts({ contents }: ModelVersion): Part[] {
  const names = metricNames(contents.metrics)
  if (names.length === 0) return [{ kind: 'text', text: 'Nothing was held out: no figure is known.' }]
  return [
    {
      kind: 'table',
      head: ['metric', 'value', '95 % interval', 'baseline'],
      numbersFrom: 1,
      rows: names.map((name) => [
        titles[name] ?? name,
        figure(contents.metrics[name]),
        rangeOf(contents, name),
        name === 'threshold' ? '' : figure(contents.splits[0]?.baseline[name]),
      ]),
    },
    {
      kind: 'text',
      text: `On the main hold-out (${count(contents.splits[0]?.test ?? 0)} rows), which it was not trained on. Intervals by bootstrap, whole groups drawn. The baseline always answers the base rate.`,
    },
  ]
}

function calibrationParts({ contents }: ModelVersion): Part[] {
  const { reliability, coverage, metrics } = contents
  const parts: Part[] = []
  if (reliability && reliability.length > 0) parts.push({ kind: 'reliability', bins: reliability })
  else
    parts.push({ kind: 'text', text: 'What was said and what happened was not recorded bin by bin with this version.' })
  parts.push({
    kind: 'text',
    text: `Calibration error ${figure(metrics.ece)}: the mean gap between what was said and what happened, over 15 bins of equal mass.`,
  })
  if (coverage)
    parts.push({
      kind: 'text',
      text: `Intervals around a probability are ${figure(coverage.width)} wide on average; ${percent(coverage.covered)} of the bins agree with what happened.`,
    })
  return parts
}

function importanceParts({ contents }: ModelVersion): Part[] {
  const known = contents.importances.filter(({ permutation }) => permutation !== null)
  const isPermuted = known.length > 0
  const values = contents.importances
    .map(({ feature, gain, permutation }) => ({ feature, value: isPermuted ? (permutation ?? 0) : gain }))
    .sort((a, b) => b.value - a.value)
    .slice(0, 25)
  const most = Math.max(...values.map(({ value }) => value), 1e-12)
  return [
    {
      kind: 'bars',
      entries: values.map(({ feature, value }) => ({
        name: feature,
        share: Math.max(0, value) / most,
        value: value.toPrecision(3),
      })),
    },
    {
      kind: 'text',
      text: isPermuted
        ? 'How much the log-loss rises on held-out rows when the feature is shuffled among them.'
        : 'Share of the gain that the feature brought in training.',
    },
  ]
}

function sliceParts({ contents }: ModelVersion): Part[] {
  return [
    {
      kind: 'table',
      head: ['slice', 'rows', 'AUC', 'log-loss', 'calibration error'],
      numbersFrom: 1,
      rows: contents.slices.map(({ column, slice, rows, metrics }) => [
        `${column} = ${slice}`,
        count(rows),
        ...['auc', 'logLoss', 'ece'].map((name) => (metrics ? figure(metrics[name]) : 'not enough rows')),
      ]),
    },
  ]
}

function gateParts({ contents, reasons }: ModelVersion): Part[] {
  const { gates = [], comparison } = contents
  const parts: Part[] = []
  if (gates.length > 0)
    parts.push({
      kind: 'table',
      head: ['', 'gate', 'result'],
      numbersFrom: 9,
      rows: gates.map(({ gate, says, isPassed }) => [isPassed ? 'passed' : 'failed', gate, says]),
    })
  else
    parts.push({ kind: 'text', text: 'The model file demands nothing of a version, or the result was not recorded.' })
  if (comparison)
    parts.push({
      kind: 'text',
      text: `Held against version ${comparison.number}, the champion of that time, on ${count(comparison.rows)} rows${comparison.isUnseen ? '' : ', some of which the champion had learned from'}.`,
    })
  if (reasons.length > 0) parts.push({ kind: 'list', items: reasons })
  return parts
}

function featureParts({ contents }: ModelVersion): Part[] {
  const statistics = new Map(contents.statistics.map((entry) => [entry.feature, entry]))
  return [
    {
      kind: 'table',
      head: ['feature', 'kind', 'unit', 'meaning when it raises', 'range', 'missing'],
      numbersFrom: 9,
      rows: contents.features.map(({ name, kind, unit, says }) => {
        const seen = statistics.get(name)
        const levels = contents.columns.find((column) => column.name === name)?.levels
        const range =
          kind === 'category' ? `${levels?.length ?? 0} levels` : `${figure(seen?.min)} to ${figure(seen?.max)}`
        return [name, kind, unit ?? '', says, range, seen ? percent(seen.missing) : '']
      }),
    },
  ]
}

function provenanceParts(version: ModelVersion): Part[] {
  const { contents, artefacts, schemaHash, createdBy, createdAt, id } = version
  const { receipt, origin, seed, settings } = contents
  const rows = [
    ['Version', id],
    ['Registered', `${createdAt.toISOString()} by ${createdBy}`],
    ['Seed', String(seed)],
    ...Object.entries(settings).map(([name, value]) => [`Setting ${name}`, String(value)]),
    ['Rows', receipt.rows],
    ['Definition', receipt.definition],
    ['Code', receipt.code],
    ['Schema', schemaHash],
    ...Object.entries(artefacts).map(([role, sha256]) => [`Artefact ${role}`, sha256]),
    ...(origin
      ? [
          [
            'Came from',
            origin.kind === 'IMPORTED'
              ? `a file written by ${origin.producer || 'unknown software'}`
              : 'another installation',
          ],
          ['File', origin.sha256],
          ...(origin.trainedUntil ? [['Learned from rows until', origin.trainedUntil]] : []),
          ...(origin.version ? [['There', `version ${origin.version.number}, ${origin.version.id}`]] : []),
        ]
      : []),
  ]
  return [
    { kind: 'table', head: ['', ''], numbersFrom: 9, rows },
    {
      kind: 'text',
      text: 'Hashes are sha256. `inkling verify` repeats a training from its receipt and compares them.',
    },
  ]
}

type Contents = ModelVersion['contents']

function rangeOf({ intervals }: Contents, metric: string): string {
  const range = intervals[metric]
  return range ? `${figure(range[0])} – ${figure(range[1])}` : ''
}

function baselineOf({ splits }: Contents, metric: string): string {
  const value = splits[0]?.baseline[metric]
  return value === null || value === undefined ? '' : `baseline ${figure(value)}`
}

export const figure = (value: number | null | undefined): string =>
  value === null || value === undefined
    ? '–'
    : Number.isInteger(value)
      ? String(value)
      : value.toFixed(Math.abs(value) < 100 ? 4 : 1)
export const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–')
const count = (value: number): string => value.toLocaleString('en')
const day = (moment: string): string => moment.slice(0, 10)
