import type { Artefact, LeaderboardRow, Split } from './artefact.ts'
import type { Dataset } from './dataset.ts'
import { TrainerError } from './errors.ts'
import { calibrationOf, type Evaluation, evaluate, fitChoice, splitOf, spreadOf } from './evaluation.ts'
import { parseExplainer, serialiseExplainer } from './explainer.ts'
import { createCrew } from './fitting/crew.ts'
import { meanMetrics } from './fold-mean.ts'
import { holdOut, type SplitBy, splitFor, type TrainTest } from './folds.ts'
import { goldenRows } from './golden.ts'
import { importancesOf } from './importances.ts'
import { columnFindings, findLeaks } from './leaks.ts'
import type { Metrics } from './metrics.ts'
import { answersOf, type Model } from './model.ts'
import { encodeModel } from './onnx/model.ts'
import type { Choice, Progress, TrainOptions } from './options.ts'
import { coverageOf, metricIntervals, slicesOf } from './reporting.ts'
import { candidatesOf, nameOf, type Search, type Study, search, trialMetrics } from './search.ts'
import { statisticsOf } from './statistics.ts'
import type { Forest } from './trees/forest.ts'
import type { ObjectiveName } from './trees/objectives.ts'

const DEFAULT_BUDGET_MS = 60_000
export const DEFAULT_SEED = 7

/** The whole training of a checked dataset. Runs for long: callers give it a thread of its own. */
export async function runStudy(
  dataset: Dataset,
  options: TrainOptions,
  threads: number,
  onProgress: (progress: Progress) => void,
): Promise<Artefact> {
  const warnings = guard(dataset, options)
  const seed = options.seed ?? DEFAULT_SEED
  const objective = objectiveOf(dataset, options)
  const outputs = dataset.task === 'multiclass' ? classCount(dataset) : 1
  const earlier = earlierForest(dataset, options)
  const crew = createCrew(
    {
      columns: dataset.columns,
      x: dataset.x,
      y: dataset.y,
      weights: fittingWeights(dataset, options, outputs),
      objective,
      classes: outputs,
    },
    threads,
  )
  try {
    const study: Study = { dataset, options, seed, objective, outputs, crew, earlier, ...progressOf(onProgress) }
    const outcome = await evaluateAll(study, warnings)
    return await assemble(study, outcome, warnings)
  } finally {
    await crew.close()
  }
}

interface Outcome {
  readonly splits: readonly Split[]
  readonly metrics: Metrics
  readonly heldOut: Artefact['heldOut']
  readonly coverage: Artefact['coverage']
  /** The search whose choice the final model follows. */
  readonly search: Search
  /** The choice fitted on every row, still without calibration. */
  readonly final: Promise<Model>
  /** Rows with scores of models that had not seen them: what the final calibration and intervals stand on. */
  readonly unseen: { readonly rows: Uint32Array; readonly scores: Float64Array }
  /** The model of the main evaluation and its test rows, for permutation importances. */
  readonly judged: { readonly model: Model; readonly rows: Uint32Array }
}

async function evaluateAll(study: Study, warnings: string[]): Promise<Outcome> {
  const { options } = study
  const fixed = typeof options.candidates === 'object' ? options.candidates : undefined
  const budgetMs = options.budgetMs ?? DEFAULT_BUDGET_MS
  if (options.givenFolds) return evaluateGiven(study, options.givenFolds, budgetMs, fixed)
  const { cuts } = usableCuts(study, warnings)
  const [main, ...others] = cuts
  let final: Promise<Model> | undefined
  const first = await evaluate(study, main!.cut, budgetMs, fixed, (choice) => {
    final = fitChoice(study, allRows(study), choice)
    // awaited in the end; until then a failure is the evaluation's to report
    final.catch(() => {})
  })
  const splits = [splitOf(first, main!.by)]
  for (const { by, cut } of others) {
    splits.push(splitOf(await evaluate(study, cut, 0, first.search.choice), by))
  }
  return {
    splits,
    metrics: first.metrics,
    heldOut: { rows: first.cut.test, answers: first.answers },
    coverage: coverageOf(study, [first]),
    search: first.search,
    final: final!,
    unseen: unseenOf(first, study.outputs),
    judged: { model: first.model, rows: first.cut.test },
  }
}

function allRows({ dataset }: Study): Uint32Array {
  return Uint32Array.from({ length: dataset.n }, (_, row) => row)
}

/** The main cut and the others that the rows allow; a warning names those they do not. */
function usableCuts(study: Study, warnings: string[]): { cuts: { by: SplitBy; cut: TrainTest }[] } {
  const { dataset, options, seed } = study
  const wanted = options.splits?.length ? options.splits : [splitFor(dataset)]
  const cuts: { by: SplitBy; cut: TrainTest }[] = []
  const tryBy = (by: SplitBy): boolean => {
    if (by.includes('time') && !dataset.times) {
      warnings.push(`No split by ${by}: the rows have no times`)
      return false
    }
    if (by.includes('group') && !dataset.groups) {
      warnings.push(`No split by ${by}: the rows have no groups`)
      return false
    }
    const cut = holdOut(dataset, by, seed)
    const problem = problemOf(dataset, cut)
    if (problem) {
      warnings.push(`No split by ${by}: ${problem}`)
      return false
    }
    cuts.push({ by, cut })
    return true
  }
  for (const by of wanted) tryBy(by)
  if (cuts.length === 0) (dataset.groups && tryBy('group')) || tryBy('stratified')
  if (cuts.length === 0)
    throw new TrainerError(
      'NOT_ENOUGH_ROWS',
      `${dataset.n} rows allow no honest hold-out: ${warnings.at(-1)}`,
      'Collect more rows.',
    )
  return { cuts }
}

function problemOf(dataset: Dataset, { train, test }: TrainTest): string | null {
  if (train.length < 10 || test.length < 2)
    return `${train.length} rows would be left to learn from, ${test.length} to judge on`
  const values = (rows: Uint32Array) => {
    const seen = new Set<number>()
    for (const row of rows) {
      seen.add(dataset.y[row]!)
      if (seen.size > 1) break
    }
    return seen.size
  }
  if (values(train) < 2) return 'all rows to learn from have one label'
  if (dataset.task !== 'regression' && values(test) < 2) return 'all rows to judge on have one label'
  return null
}

async function evaluateGiven(
  study: Study,
  folds: Int32Array,
  budgetMs: number,
  fixed: Choice | undefined,
): Promise<Outcome> {
  const { dataset, outputs } = study
  const numbers = [...new Set(folds)].filter((fold) => fold >= 0).sort((a, b) => a - b)
  const all = allRows(study)
  const share = budgetMs / (numbers.length + 1)
  const evaluations: Evaluation[] = []
  for (const fold of numbers) {
    const cut = {
      train: all.filter((row) => folds[row] !== fold),
      test: all.filter((row) => folds[row] === fold),
    }
    const problem = problemOf(dataset, cut)
    if (problem)
      throw new TrainerError('NOT_ENOUGH_ROWS', `Fold ${fold} cannot be used: ${problem}`, 'Give larger folds.')
    evaluations.push(await evaluate(study, cut, share, fixed))
  }
  const found = await search(study, all, share, fixed)
  const last = evaluations.at(-1)!
  const rows = Uint32Array.from(evaluations.flatMap((evaluation) => Array.from(evaluation.cut.test)))
  const answers = new Float64Array(rows.length * outputs)
  let at = 0
  for (const evaluation of evaluations) {
    answers.set(evaluation.answers, at)
    at += evaluation.answers.length
  }
  return {
    splits: evaluations.map((evaluation, i) =>
      splitOf(evaluation, dataset.groups ? 'group' : 'stratified', numbers[i]),
    ),
    metrics: meanMetrics(evaluations.map((evaluation) => evaluation.metrics)),
    heldOut: { rows, answers },
    coverage: coverageOf(study, evaluations),
    search: found,
    final: fitChoice(study, all, found.choice),
    unseen: { rows: found.rows, scores: found.scores },
    judged: { model: last.model, rows: last.cut.test },
  }
}

/** Out-of-fold scores of the training rows and held-out scores of the test rows: every one from a model that had not seen its row. */
function unseenOf({ search: found, cut, scores }: Evaluation, outputs: number): Outcome['unseen'] {
  const rows = new Uint32Array(found.rows.length + cut.test.length)
  rows.set(found.rows)
  rows.set(cut.test, found.rows.length)
  const together = new Float64Array(rows.length * outputs)
  together.set(found.scores)
  together.set(scores, found.scores.length)
  return { rows, scores: together }
}

async function assemble(study: Study, outcome: Outcome, warnings: string[]): Promise<Artefact> {
  const { dataset, objective, outputs, seed } = study
  const { search: found, unseen, judged } = outcome
  const calibration = calibrationOf(study, unseen.rows, unseen.scores)
  const model: Model = { ...(await outcome.final), calibration }
  const spread = spreadOf(study, unseen.rows, answersOf(unseen.scores, objective, outputs, calibration))
  const explainer = { model, spread }
  const learner = learnerOf(found.choice)
  return {
    onnx: encodeModel(model, {
      'inkling.task': dataset.task,
      'inkling.learner': learner,
      'inkling.columns': JSON.stringify(dataset.columns),
      'inkling.classes': JSON.stringify(dataset.classes ?? []),
    }),
    explainer: serialiseExplainer(explainer),
    task: dataset.task,
    columns: dataset.columns,
    learner,
    settings: settingsOf(found.choice),
    metrics: outcome.metrics,
    splits: outcome.splits,
    leaderboard: leaderboardOf(study, found),
    golden: goldenRows(explainer, dataset, seed),
    importances: importancesOf(model, judged.model, dataset, judged.rows, seed),
    statistics: statisticsOf(dataset),
    heldOut: outcome.heldOut,
    intervals: metricIntervals(study, outcome.heldOut),
    coverage: outcome.coverage,
    slices: slicesOf(study, outcome.heldOut),
    choice: found.choice,
    warnings,
    seed,
  }
}

function learnerOf({ linear, boosted }: Choice): string {
  return linear && boosted ? 'blend' : linear ? 'linear' : 'boosted'
}

function settingsOf(choice: Choice): Record<string, number | string> {
  const prefixed = (prefix: string, settings: object | null) =>
    Object.fromEntries(Object.entries(settings ?? {}).map(([name, value]) => [`${prefix}.${name}`, value as number]))
  if (choice.linear && choice.boosted)
    return {
      linearShare: choice.linearShare,
      ...prefixed('linear', choice.linear),
      ...prefixed('boosted', choice.boosted),
    }
  return { ...(choice.linear ?? choice.boosted) } as Record<string, number>
}

/** The chosen one first, then by loss; a blend has a row of its own. */
function leaderboardOf(study: Study, found: Search): LeaderboardRow[] {
  const chosen = candidatesOf(found.choice)
  const isBlend = chosen.length > 1
  const rows: LeaderboardRow[] = found.trials.map((trial) => ({
    learner: nameOf(trial.candidate) + (trial.rows < found.rows.length ? `, compared on ${trial.rows} rows` : ''),
    settings: { ...trial.candidate.settings },
    logLoss: trial.loss,
    metrics: trial.metrics,
    seconds: trial.seconds,
    chosen: !isBlend && trial.candidate.settings === (found.choice.linear ?? found.choice.boosted),
  }))
  if (isBlend)
    rows.push({
      learner: `blend, ${Math.round(100 * found.choice.linearShare)} % linear`,
      settings: settingsOf(found.choice),
      logLoss: found.loss,
      metrics: trialMetrics(study, found.rows, found.scores),
      seconds: 0,
      chosen: true,
    })
  return rows.sort((a, b) => Number(b.chosen) - Number(a.chosen) || a.logLoss - b.logLoss)
}

/** Refuses leaks and bad options; returns what is worth a warning. */
function guard(dataset: Dataset, options: TrainOptions): string[] {
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
    ...(options.continueFrom
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

function objectiveOf(dataset: Dataset, options: TrainOptions): ObjectiveName {
  if (dataset.task === 'binary') return 'logistic'
  if (dataset.task === 'multiclass') return 'softmax'
  const objective = options.objective ?? 'squared'
  if (objective === 'poisson' && dataset.y.some((value) => value < 0))
    throw new TrainerError('BAD_LABEL', 'Poisson counts cannot be negative, and some labels are', "Use 'squared'.")
  return objective
}

function classCount({ classes, y }: Dataset): number {
  if (classes) return classes.length
  let most = 0
  for (const label of y) most = Math.max(most, label)
  return most + 1
}

/** On shared memory: every thread reads them. */
function fittingWeights(dataset: Dataset, options: TrainOptions, outputs: number): Float32Array | null {
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
function earlierForest(dataset: Dataset, options: TrainOptions): Forest | null {
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

/** Turns planned and finished fits into progress that never runs backwards. */
function progressOf(onProgress: (progress: Progress) => void): Pick<Study, 'plan' | 'step'> {
  let planned = 1
  let finished = 0
  let shown = 0
  const running = new Map<symbol, number>()
  const report = (message: string) => {
    let done = finished
    for (const share of running.values()) done += share
    shown = Math.max(shown, Math.min(99, Math.floor((100 * done) / planned)))
    onProgress({ done: shown, total: 100, message })
  }
  return {
    plan(count) {
      planned += count
    },
    async step(message, run) {
      const key = Symbol(message)
      running.set(key, 0)
      try {
        return await run((share) => {
          running.set(key, share)
          report(message)
        })
      } finally {
        running.delete(key)
        finished++
        report(message)
      }
    },
  }
}
