import type { Dataset } from './dataset.ts'
import { TrainerError } from './errors.ts'
import { parseExplainer } from './explainer.ts'
import { columnFindings, findLeaks } from './leaks.ts'
import type { TrainOptions } from './options.ts'
import type { Forest } from './trees/forest.ts'
import type { ObjectiveName } from './trees/objectives.ts'

/** Refuses leaks and bad options; returns what is worth a warning. */
export function guard(dataset: Dataset, options: TrainOptions): string[] {
  const allowed = new Set(options.allowLeaks ?? [])
  const leaks = findLeaks(dataset)
  const refused = leaks.filter((leak) => !allowed.has(leak.feature))
  if (refused.length > 0)
    throw new TrainerError(
      'LEAK',
      `Gives the label away: ${refused.map((leak) => leak.message).join('; ')}`,
      `Remove ${refused.length === 1 ? 'the column' : 'the columns'}, or allow ${refused
        .map((leak) => `--allow-leak ${leak.feature}`)
        .join(' ')} if the value is known before the label.`,
    )
  return [
    ...leaks.map((leak) => `Allowed although it gives the label away: ${leak.message}`),
    ...columnFindings(dataset).map((finding) => finding.message),
    ...imbalance(dataset),
    ...(options.continueFrom && options.testAfter === undefined
      ? ['The version continued may have learned from rows held out here: its metrics are only honest on newer rows']
      : []),
  ]
}

function imbalance({ task, y, n }: Dataset): string[] {
  if (task !== 'binary') return []
  let positives = 0
  for (const label of y) positives += label
  const rare = Math.min(positives, n - positives)
  if (rare / n >= 0.05) return []
  return [`Only ${rare} of ${n} rows are of the rarer class: metrics that need them are uncertain`]
}

export function objectiveOf(dataset: Dataset, options: TrainOptions): ObjectiveName {
  if (dataset.task === 'binary') return 'logistic'
  if (dataset.task === 'multiclass') return 'softmax'
  const objective = options.objective ?? 'squared'
  if (objective === 'poisson' && dataset.y.some((value) => value < 0))
    throw new TrainerError('BAD_LABEL', 'Poisson counts cannot be negative, and some labels are', "Use 'squared'.")
  return objective
}

export function classCount({ classes, y }: Dataset): number {
  if (classes) return classes.length
  let most = 0
  for (const label of y) most = Math.max(most, label)
  return most + 1
}

/** On shared memory: every thread reads them. */
export function fittingWeights(dataset: Dataset, options: TrainOptions, outputs: number): Float32Array | null {
  const { weights = null, y, n, task } = dataset
  const { classWeights } = options
  if (!classWeights || task === 'regression') return weights
  const classes = Math.max(2, outputs)
  const totals = new Float64Array(classes)
  for (let row = 0; row < n; row++) totals[y[row]!]! += weights ? weights[row]! : 1
  const whole = totals.reduce((sum, value) => sum + value, 0)
  const factors = Float64Array.from(totals, (total, k) =>
    classWeights === 'balanced' ? whole / (classes * Math.max(total, 1e-12)) : (classWeights[k] ?? 1),
  )
  const out = new Float32Array(new SharedArrayBuffer(4 * n))
  for (let row = 0; row < n; row++) out[row] = (weights ? weights[row]! : 1) * factors[y[row]!]!
  return out
}

/** The trees to go on from, their level bins in the order of the dataset's levels. */
export function earlierForest(dataset: Dataset, options: TrainOptions): Forest | null {
  if (!options.continueFrom) return null
  const { model } = parseExplainer(options.continueFrom)
  const refuse = (message: string) =>
    new TrainerError('CANNOT_CONTINUE', message, 'Train a new version instead of continuing this one.')
  if (!model.forest) throw refuse('The version is a linear model: only boosted trees can be continued')
  if (model.task !== dataset.task)
    throw refuse(`The version answers a ${model.task} task, the rows a ${dataset.task} one`)
  const names = (columns: Dataset['columns']) => columns.map((column) => `${column.name}:${column.kind}`).join(', ')
  if (names(model.columns) !== names(dataset.columns))
    throw refuse(`The version has the columns ${names(model.columns)}; the rows have ${names(dataset.columns)}`)
  const levelBins = model.forest.levelBins.map((bins, f) => {
    if (!bins) return null
    const old = new Map(model.columns[f]!.levels?.map((level, at) => [level, bins[at]!]))
    return Uint8Array.from(dataset.columns[f]!.levels ?? [], (level) => old.get(level) ?? 255)
  })
  return { ...model.forest, levelBins }
}
