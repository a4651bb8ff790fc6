import type { Split } from './artefact.ts'
import { type Calibration, fitIsotonic, fitPlatt } from './calibration.ts'
import type { Study } from './context.ts'
import type { Spread } from './explainer.ts'
import type { TrainTest } from './folds.ts'
import { fitVennAbers, residualWidth } from './interval.ts'
import { classScores, onlyClass } from './metrics/multiclass.ts'
import { bestThreshold, type Metrics, measure } from './metrics.ts'
import { answersOf, type Model, modelScores } from './model.ts'
import type { Choice } from './options.ts'
import { type Search, search } from './search.ts'

/** One honest hold-out: searched, fitted and calibrated on the training rows, judged on the others. */
export interface Evaluation {
  readonly cut: TrainTest
  readonly search: Search
  readonly model: Model
  /** Of the test rows, before and after calibration. */
  readonly scores: Float64Array
  readonly answers: Float64Array
  readonly metrics: Metrics
  readonly baseline: Metrics
}

/** onChoice: told what the search chose, before the fit, so that another fit may run beside it. */
export async function evaluate(
  study: Study,
  cut: TrainTest,
  budgetMs: number,
  fixed?: Choice,
  onChoice?: (choice: Choice) => void,
): Promise<Evaluation> {
  const { dataset, outputs } = study
  const found = await search(study, cut.train, budgetMs, fixed)
  onChoice?.(found.choice)
  const fitted = await fitChoice(study, cut.train, found.choice)
  const calibration = calibrationOf(study, found.rows, found.scores)
  const model = { ...fitted, calibration }
  const scores = modelScores(model, dataset.x, cut.test)
  const answers = answersOf(scores, model.objective, outputs, calibration)
  const y = pick(dataset.y, cut.test)
  const weights = dataset.weights ? pick(dataset.weights, cut.test) : undefined
  const threshold = thresholdFor(study, found, calibration)
  const how = { ...(threshold === null ? {} : { threshold }), ...(weights ? { weights } : {}) }
  const measured = measure(dataset.task, y, answers, { classes: outputs, ...how })
  return {
    cut,
    search: found,
    model,
    scores,
    answers,
    metrics: threshold === null ? measured : { ...measured, threshold },
    baseline: baselineOf(study, cut, y, how),
  }
}

/** The declared threshold, or the cheapest one on out-of-fold answers where costs are declared; null where neither is. */
function thresholdFor(study: Study, found: Search, calibration: Model['calibration']): number | null {
  const { dataset, options, objective, outputs } = study
  if (dataset.task !== 'binary') return null
  if (options.threshold !== undefined) return options.threshold
  if (!options.costs) return null
  const answers = answersOf(found.scores, objective, outputs, calibration)
  return bestThreshold(pick(dataset.y, found.rows), answers, options.costs) ?? 0.5
}

/** The majority's probability, the class shares or the mean; beside it the last known value where one is declared. */
function baselineOf(
  study: Study,
  cut: TrainTest,
  y: Float32Array,
  how: { readonly threshold?: number; readonly weights?: Float32Array },
): Metrics {
  const { dataset, options, outputs } = study
  const shares = new Float64Array(outputs)
  let total = 0
  for (const row of cut.train) {
    const w = dataset.weights ? dataset.weights[row]! : 1
    total += w
    if (dataset.task === 'multiclass') shares[dataset.y[row]!]! += w
    else shares[0]! += w * dataset.y[row]!
  }
  const constant = new Float64Array(cut.test.length * outputs)
  for (let at = 0; at < constant.length; at++) constant[at] = total > 0 ? shares[at % outputs]! / total : 0
  const metrics = measure(dataset.task, y, constant, { classes: outputs, ...how })
  const column = dataset.columns.findIndex(({ name }) => name === options.lastKnown)
  if (column < 0 || dataset.task === 'multiclass') return metrics
  const width = dataset.columns.length
  const last = Float64Array.from(cut.test, (row, i) => {
    const value = dataset.x[row * width + column]!
    return Number.isNaN(value)
      ? constant[i]!
      : dataset.task === 'binary'
        ? Math.min(0.99, Math.max(0.01, value))
        : value
  })
  const known = measure(dataset.task, y, last, how)
  return {
    ...metrics,
    ...Object.fromEntries(Object.entries(known).map(([name, value]) => [`lastKnown.${name}`, value])),
  }
}

/** Fits what the search chose on these rows. */
export async function fitChoice(study: Study, rows: Uint32Array, choice: Choice): Promise<Model> {
  const { crew, seed, dataset, objective, outputs, earlier } = study
  const { linear, boosted, linearShare } = choice
  study.plan((linear ? 1 : 0) + (boosted ? 1 : 0))
  const task = { rows, held: null, wantsModel: true, seed }
  const [linearFit, boostedFit] = await Promise.all([
    linear &&
      study.step('fitting the linear model', (onShare) =>
        crew.run({ ...task, candidate: { learner: 'linear', settings: linear } }, onShare),
      ),
    boosted &&
      study.step('fitting the trees', (onShare) =>
        crew.run(
          { ...task, candidate: { learner: 'boosted', settings: boosted }, ...(earlier ? { earlier } : {}) },
          onShare,
        ),
      ),
  ])
  return {
    task: dataset.task,
    objective,
    columns: dataset.columns,
    outputs,
    linear: linearFit?.linear ?? null,
    forest: boostedFit?.forest ?? null,
    linearShare,
    calibration: null,
  }
}

/** From scores of rows that no part of the scoring model was fitted on. */
export function calibrationOf(study: Study, rows: Uint32Array, scores: Float64Array): Model['calibration'] {
  const { dataset, objective, options, outputs } = study
  const y = pick(dataset.y, rows)
  const weights = dataset.weights ? pick(dataset.weights, rows) : undefined
  if (objective === 'softmax') return { kind: 'temperature', factor: bestFactor(scores, y, outputs) }
  if (objective !== 'logistic') return null
  const platt = fitPlatt(scores, y, weights)
  if (options.calibration !== 'isotonic') return platt
  return spacedOut(fitIsotonic(scores, y, weights))
}

/** Knots nearer than this would need slopes that float32 scores cannot follow to 1e-5. */
const KNOT_GAP = 0.05

function spacedOut(calibration: Calibration): Calibration {
  if (calibration.kind !== 'isotonic') return calibration
  const margins: number[] = []
  const probabilities: number[] = []
  calibration.margins.forEach((margin, at) => {
    const isLast = at === calibration.margins.length - 1
    if (margins.length > 0 && margin - margins.at(-1)! < KNOT_GAP) {
      if (!isLast || margins.length === 1) return
      margins.pop()
      probabilities.pop()
    }
    margins.push(Math.fround(margin))
    probabilities.push(calibration.probabilities[at]!)
  })
  return { kind: 'isotonic', margins, probabilities }
}

/** Golden-section search of the factor that minimises log-loss; the loss is convex in it. */
function bestFactor(scores: Float64Array, y: Float32Array, outputs: number): number {
  const lossAt = (factor: number): number => {
    const shares = answersOf(scores, 'softmax', outputs, { kind: 'temperature', factor })
    let sum = 0
    for (let i = 0; i < y.length; i++) sum -= Math.log(Math.max(1e-15, shares[i * outputs + y[i]!]!))
    return sum
  }
  const ratio = (Math.sqrt(5) - 1) / 2
  let low = 0.1
  let high = 3
  for (let step = 0; step < 30; step++) {
    const left = high - ratio * (high - low)
    const right = low + ratio * (high - low)
    if (lossAt(left) < lossAt(right)) high = right
    else low = left
  }
  return Math.fround((low + high) / 2)
}

/** How far rows that were held out strayed from the answers: what intervals are made of. */
export function spreadOf(study: Study, rows: Uint32Array, answers: Float64Array): Spread | null {
  const { dataset, outputs } = study
  const y = pick(dataset.y, rows)
  if (dataset.task === 'binary') return { kind: 'venn-abers', tables: [fitVennAbers(answers, y)] }
  if (dataset.task === 'multiclass') {
    const tables = Array.from({ length: outputs }, (_, k) =>
      fitVennAbers(classScores(answers, outputs, k), onlyClass(y, k)),
    )
    return { kind: 'venn-abers', tables }
  }
  const misses = Float64Array.from(answers, (answer, i) => answer - y[i]!)
  const halfWidth = residualWidth(misses, COVERAGE)
  return halfWidth === null ? null : { kind: 'conformal', halfWidth, coverage: COVERAGE }
}

const COVERAGE = 0.9

export function pick(values: Float32Array, rows: Uint32Array): Float32Array {
  return Float32Array.from(rows, (row) => values[row]!)
}

export function splitOf(evaluation: Evaluation, by: Split['by'], fold?: number): Split {
  const { cut, metrics, baseline } = evaluation
  return {
    by,
    ...(fold === undefined ? {} : { fold }),
    train: cut.train.length,
    test: cut.test.length,
    metrics,
    baseline,
  }
}
