import type { Artefact, Split } from './artefact.ts'
import type { Study } from './context.ts'
import type { Dataset } from './dataset.ts'
import { TrainerError } from './errors.ts'
import { calibrationOf, type Evaluation, evaluate, fitChoice, splitOf, spreadOf } from './evaluation.ts'
import { serialiseExplainer } from './explainer.ts'
import { createCrew } from './fitting/crew.ts'
import { meanMetrics } from './fold-mean.ts'
import { holdOut, type SplitBy, splitFor, type TrainTest } from './folds.ts'
import { goldenRows } from './golden.ts'
import { importancesOf } from './importances.ts'
import { leaderboardOf, learnerOf, settingsOf } from './leaderboard.ts'
import type { Metrics } from './metrics.ts'
import { answersOf, type Model } from './model.ts'
import { encodeModel } from './onnx/model.ts'
import type { Choice, Progress, TrainOptions } from './options.ts'
import { classCount, earlierForest, fittingWeights, guard, objectiveOf } from './preparation.ts'
import { progressOf } from './progress.ts'
import { coverageOf, metricIntervals, slicesOf } from './reporting.ts'
import { type Search, search } from './search.ts'
import { statisticsOf } from './statistics.ts'

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
  /** The model of the main evaluation and its test rows, for permutation importances; null without a hold-out. */
  readonly judged: { readonly model: Model; readonly rows: Uint32Array } | null
}

async function evaluateAll(study: Study, warnings: string[]): Promise<Outcome> {
  const { options } = study
  const fixed = typeof options.candidates === 'object' ? options.candidates : undefined
  const budgetMs = options.budgetMs ?? DEFAULT_BUDGET_MS
  if (options.givenFolds) return evaluateGiven(study, options.givenFolds, budgetMs, fixed)
  if (options.splits?.length === 0) return searchAlone(study, budgetMs, fixed)
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

/** No hold-out: every row is searched on, and nothing is said about rows not seen. */
async function searchAlone(study: Study, budgetMs: number, fixed: Choice | undefined): Promise<Outcome> {
  const all = allRows(study)
  const found = await search(study, all, budgetMs, fixed)
  return {
    splits: [],
    metrics: {},
    heldOut: { rows: new Uint32Array(0), answers: new Float64Array(0) },
    coverage: null,
    search: found,
    final: fitChoice(study, all, found.choice),
    unseen: { rows: found.rows, scores: found.scores },
    judged: null,
  }
}

function allRows({ dataset }: Study): Uint32Array {
  return Uint32Array.from({ length: dataset.n }, (_, row) => row)
}

/** The main cut and the others that the rows allow; a warning names those they do not. */
function usableCuts(study: Study, warnings: string[]): { cuts: { by: SplitBy; cut: TrainTest }[] } {
  const { dataset, options, seed } = study
  const newer = newerCut(study, warnings)
  if (newer) return { cuts: [{ by: 'time', cut: newer }] }
  const wanted = options.splits ?? [splitFor(dataset)]
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

/** The rows that an earlier version cannot have seen, to be judged on; null, and a warning, where they are too few. */
function newerCut(study: Study, warnings: string[]): TrainTest | null {
  const { dataset, options } = study
  const { times } = dataset
  if (options.testAfter === undefined || !times) return null
  const after = options.testAfter
  const all = allRows(study)
  const cut = { train: all.filter((row) => times[row]! <= after), test: all.filter((row) => times[row]! > after) }
  const problem = cut.test.length < FEWEST_NEWER ? `only ${cut.test.length} rows are newer` : problemOf(dataset, cut)
  if (!problem) return cut
  warnings.push(`The version continued may have learned from the rows held out, so the metrics flatter: ${problem}`)
  return null
}

/** Fewer rows say little about a version. */
const FEWEST_NEWER = 50
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
  const threshold = outcome.metrics.threshold ?? 0.5
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
    importances: importancesOf(model, judged, dataset, seed),
    statistics: statisticsOf(dataset),
    heldOut: outcome.heldOut,
    intervals: judged ? metricIntervals(study, outcome.heldOut, threshold) : {},
    coverage: outcome.coverage,
    slices: judged ? slicesOf(study, outcome.heldOut, threshold) : [],
    choice: found.choice,
    warnings,
    seed,
  }
}
