import { candidatesFor, slower } from './candidates.ts'
import type { Dataset } from './dataset.ts'
import type { Crew } from './fitting/crew.ts'
import type { FitResult } from './fitting/fit.ts'
import { foldsOf } from './folds.ts'
import { type Metrics, measure } from './metrics.ts'
import { answersOf, blendScores } from './model.ts'
import type { Candidate, Choice, TrainOptions } from './options.ts'
import { createRandom } from './random.ts'
import { isCheckpoint } from './trees/boost.ts'
import type { Forest } from './trees/forest.ts'
import type { ObjectiveName } from './trees/objectives.ts'

/** What a training run carries from step to step. */
export interface Study {
  readonly dataset: Dataset
  readonly options: TrainOptions
  readonly seed: number
  readonly objective: ObjectiveName
  /** Scores per row: 1, or the classes. */
  readonly outputs: number
  readonly crew: Crew
  readonly earlier: Forest | null
  /** Plans `count` fits more, so that progress knows its total. */
  plan(count: number): void
  /** Runs a planned fit and reports it. */
  step(message: string, run: (onShare: (share: number) => void) => Promise<FitResult>): Promise<FitResult>
}

/** A candidate judged on folds. */
export interface Trial {
  readonly candidate: Candidate
  /** Mean loss over out-of-fold rows: what the search minimises. */
  readonly loss: number
  /** Of the uncalibrated out-of-fold scores. */
  readonly metrics: Metrics
  /** Out-of-fold scores, shape (rows, outputs). */
  readonly scores: Float32Array
  readonly rows: number
  readonly seconds: number
}

export interface Search {
  readonly trials: readonly Trial[]
  readonly choice: Choice
  readonly loss: number
  /** The rows searched on, rising, and the blend's out-of-fold scores for them. */
  readonly rows: Uint32Array
  readonly scores: Float64Array
}

/** Larger tables are judged on a sample; the final fit sees every row. */
const MOST_ROWS = 150_000
/** Candidates of larger tables are compared on a sample of this size, and only the winners on all rows. */
const COMPARED_ROWS = 50_000
const SMALL_ROWS = 1000
/** A blend must lower the loss by this share to be worth its second half. */
const BLEND_GAIN = 2e-4

/** Compares candidates by out-of-fold loss on some rows, then blends the best of each kind where that wins. */
export async function search(study: Study, allRows: Uint32Array, budgetMs: number, fixed?: Choice): Promise<Search> {
  const { options } = study
  const rows = sampled(study, allRows, MOST_ROWS)
  const isQuick = options.candidates === 'quick'
  const folds = fixed?.folds ?? options.folds ?? foldCountFor(rows.length, isQuick)
  if (fixed) {
    const trials = await tryAll(study, candidatesOf(fixed), rows, folds)
    return { trials, choice: fixed, loss: 0, rows, scores: fixedBlend(trials, fixed) }
  }
  const compared = sampled(study, rows, COMPARED_ROWS)
  const isWhole = compared.length === rows.length
  const trials = await compare(study, compared, folds, isWhole ? budgetMs : budgetMs / 2)
  if (isWhole) return { ...chooseBlend(study, trials, rows, folds), trials, rows }
  // the winners once more on all rows: they can afford more rounds there, and every row gets an out-of-fold score
  const finals = await tryAll(study, finalists(trials), rows, folds)
  return { ...chooseBlend(study, finals, rows, folds), trials: [...finals, ...trials], rows }
}

/** Small tables need many folds to rank candidates at all; on large ones three tell them apart. */
function foldCountFor(rows: number, isQuick: boolean): number {
  if (rows < SMALL_ROWS) return isQuick ? 5 : 10
  return isQuick || rows > COMPARED_ROWS ? 3 : 5
}

async function tryAll(
  study: Study,
  candidates: readonly Candidate[],
  rows: Uint32Array,
  foldCount: number,
): Promise<Trial[]> {
  const folds = innerFolds(study, rows, foldCount)
  study.plan(candidates.length * folds.length)
  const trials: Trial[] = []
  for (const candidate of candidates) trials.push(await tryCandidate(study, candidate, rows, folds))
  return trials
}

async function compare(study: Study, rows: Uint32Array, folds: number, budgetMs: number): Promise<Trial[]> {
  const started = performance.now()
  const { quick, more } = candidatesFor(study.options, rows.length)
  const trials = await tryAll(study, quick, rows, folds)
  if (study.options.candidates === 'quick') return trials
  await spend(trials, more, budgetMs - (performance.now() - started), async (candidate) => {
    trials.push(...(await tryAll(study, [candidate], rows, folds)))
  })
  return trials
}

function finalists(trials: readonly Trial[]): Candidate[] {
  const out: Candidate[] = []
  const linear = bestOf(trials, 'linear')
  if (linear) out.push(linear.candidate)
  const boosted = bestOf(trials, 'boosted')
  if (boosted?.candidate.learner === 'boosted') {
    const { settings } = boosted.candidate
    out.push({ learner: 'boosted', settings: { ...settings, rounds: 2 * settings.rounds + 50 } })
  }
  return out
}

/** Tries what the budget allows: each candidate is expected to cost what the dearest one so far did. */
async function spend(
  trials: readonly Trial[],
  more: readonly Candidate[],
  budgetMs: number,
  tryOne: (candidate: Candidate) => Promise<void>,
): Promise<void> {
  const started = performance.now()
  const left = () => budgetMs - (performance.now() - started)
  const costMs = (learner: Candidate['learner']) =>
    1000 * Math.max(0, ...trials.filter((trial) => trial.candidate.learner === learner).map((trial) => trial.seconds))
  // the slower variant of the winner is worth more than any other candidate: its time is kept
  const kept = () => 2.5 * costMs('boosted')
  for (const candidate of more) {
    if (left() < kept() + costMs(candidate.learner)) break
    await tryOne(candidate)
  }
  const best = bestOf(trials, 'boosted')
  if (best?.candidate.learner === 'boosted' && left() > kept()) {
    await tryOne({ learner: 'boosted', settings: slower(best.candidate.settings) })
  }
}

export function candidatesOf(choice: Choice): Candidate[] {
  const out: Candidate[] = []
  if (choice.linear) out.push({ learner: 'linear', settings: choice.linear })
  if (choice.boosted) out.push({ learner: 'boosted', settings: choice.boosted })
  return out
}

function bestOf(trials: readonly Trial[], learner: Candidate['learner']): Trial | null {
  let best: Trial | null = null
  for (const trial of trials) if (trial.candidate.learner === learner && (!best || trial.loss < best.loss)) best = trial
  return best
}

function sampled(study: Study, rows: Uint32Array, most: number): Uint32Array {
  if (rows.length <= most) return rows
  const random = createRandom(study.seed).fork(11)
  const { groups } = study.dataset
  const share = most / rows.length
  if (!groups) return rows.filter(() => random.next() < share)
  const kept = new Map<number, boolean>()
  return rows.filter((row) => {
    const group = groups[row]!
    const known = kept.get(group)
    if (known !== undefined) return known
    const drawn = random.next() < share
    kept.set(group, drawn)
    return drawn
  })
}

interface Fold {
  readonly train: Uint32Array
  readonly held: Uint32Array
  /** Positions of the held rows among the rows searched on. */
  readonly at: Uint32Array
}

/** Folds keep groups whole. Time is not respected inside: every row must get an out-of-fold score for calibration. */
function innerFolds(study: Study, rows: Uint32Array, wanted: number): Fold[] {
  const { dataset, seed } = study
  const n = rows.length
  const k = Math.max(2, Math.min(wanted, Math.floor(n / 2)))
  const groups = dataset.groups ? Int32Array.from(rows, (row) => dataset.groups![row]!) : null
  const canGroup = groups !== null && new Set(groups).size >= 2 * k
  const numbers = foldsOf(
    {
      n,
      y: Float32Array.from(rows, (row) => dataset.y[row]!),
      task: dataset.task,
      ...(canGroup ? { groups } : {}),
    },
    k,
    canGroup ? 'group' : 'stratified',
    seed,
  )
  const folds: Fold[] = []
  for (let fold = 0; fold < k; fold++) {
    const at = Uint32Array.from(numbers.keys()).filter((i) => numbers[i] === fold)
    if (at.length === 0) continue
    folds.push({
      at,
      held: Uint32Array.from(at, (i) => rows[i]!),
      train: rows.filter((_, i) => numbers[i] !== fold),
    })
  }
  return folds
}

async function tryCandidate(
  study: Study,
  candidate: Candidate,
  rows: Uint32Array,
  folds: readonly Fold[],
): Promise<Trial> {
  const { crew, outputs, seed, earlier } = study
  const started = performance.now()
  const name = nameOf(candidate)
  const results = await Promise.all(
    folds.map((fold, index) =>
      study.step(`${name}, fold ${index + 1} of ${folds.length}`, (onShare) =>
        crew.run(
          {
            candidate,
            rows: fold.train,
            held: fold.held,
            wantsModel: false,
            seed: seed + index,
            ...(earlier && candidate.learner === 'boosted' ? { earlier } : {}),
          },
          onShare,
        ),
      ),
    ),
  )
  const chosen = commonCheckpoint(results, folds, candidate.learner === 'boosted' ? candidate.settings.rounds : 0)
  const scores = new Float32Array(rows.length * outputs)
  results.forEach((result, index) => {
    const own = stateAt(result, chosen)
    folds[index]!.at.forEach((to, i) => {
      for (let k = 0; k < outputs; k++) scores[to * outputs + k] = own.scores[i * outputs + k]!
    })
  })
  const kept: Candidate =
    candidate.learner === 'linear'
      ? candidate
      : { learner: 'boosted', settings: { ...candidate.settings, rounds: chosen } }
  return {
    candidate: kept,
    scores,
    rows: rows.length,
    loss: lossOf(study, rows, scores),
    metrics: trialMetrics(study, rows, scores),
    seconds: (performance.now() - started) / 1000,
  }
}

function stateAt(result: FitResult, rounds: number): FitResult['checkpoints'][number] {
  return result.checkpoints.findLast((checkpoint) => checkpoint.rounds <= rounds) ?? result.checkpoints[0]!
}

/** The number of rounds with the lowest loss over all folds' rows; a fold that stopped earlier keeps its last state. */
function commonCheckpoint(results: readonly FitResult[], folds: readonly Fold[], ceiling: number): number {
  const isCommon = (round: number) => round === ceiling || isCheckpoint(round)
  // a round at which every fold keeps its scores, or a verification that stops there would see other ones
  const rounds = new Set(
    results.flatMap((result) => result.checkpoints.map((checkpoint) => checkpoint.rounds)).filter(isCommon),
  )
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (const round of [...rounds].sort((a, b) => a - b)) {
    let sum = 0
    results.forEach((result, index) => {
      sum += stateAt(result, round).loss * folds[index]!.held.length
    })
    if (sum < least) {
      least = sum
      best = round
    }
  }
  return best
}

/** Log-loss of uncalibrated scores; regression: mean squared, absolute or Poisson error. */
function lossOf(study: Study, rows: Uint32Array, scores: ArrayLike<number>): number {
  const { dataset, objective, outputs } = study
  let sum = 0
  let total = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    const w = dataset.weights ? dataset.weights[row]! : 1
    total += w
    sum += w * rowLoss(objective, dataset.y[row]!, scores, i * outputs, outputs)
  }
  return total > 0 ? sum / total : 0
}

function rowLoss(objective: ObjectiveName, y: number, scores: ArrayLike<number>, at: number, outputs: number): number {
  const z = scores[at]!
  if (objective === 'logistic') {
    const m = y > 0.5 ? z : -z
    return m > 0 ? Math.log1p(Math.exp(-m)) : -m + Math.log1p(Math.exp(m))
  }
  if (objective === 'squared') return (z - y) ** 2
  if (objective === 'absolute') return Math.abs(z - y)
  if (objective === 'poisson') return Math.exp(Math.min(30, z)) - y * z
  let top = Number.NEGATIVE_INFINITY
  for (let k = 0; k < outputs; k++) top = Math.max(top, scores[at + k]!)
  let sum = 0
  for (let k = 0; k < outputs; k++) sum += Math.exp(scores[at + k]! - top)
  return top + Math.log(sum) - scores[at + y]!
}

function chooseBlend(
  study: Study,
  trials: readonly Trial[],
  rows: Uint32Array,
  folds: number,
): Pick<Search, 'choice' | 'loss' | 'scores'> {
  const linear = bestOf(trials, 'linear')
  const boosted = bestOf(trials, 'boosted')
  const settings = {
    linear: linear?.candidate.learner === 'linear' ? linear.candidate.settings : null,
    boosted: boosted?.candidate.learner === 'boosted' ? boosted.candidate.settings : null,
  }
  // a continued version keeps its trees
  const single = !boosted || (linear && !study.earlier && linear.loss < boosted.loss) ? linear! : boosted
  const alone: Choice = {
    linear: single === linear ? settings.linear : null,
    boosted: single === linear ? null : settings.boosted,
    linearShare: single === linear ? 1 : 0,
    folds,
  }
  let best: Pick<Search, 'choice' | 'loss' | 'scores'> = {
    choice: alone,
    loss: single.loss,
    scores: Float64Array.from(single.scores),
  }
  if (!linear || !boosted) return best
  let bar = single.loss - Math.abs(single.loss) * BLEND_GAIN
  for (let step = 1; step < 20; step++) {
    const linearShare = step / 20
    const scores = blendScores(linear.scores, boosted.scores, linearShare)
    const loss = lossOf(study, rows, scores)
    if (loss >= bar) continue
    bar = loss
    best = { choice: { ...settings, linearShare, folds }, loss, scores }
  }
  return best
}

function fixedBlend(trials: readonly Trial[], choice: Choice): Float64Array {
  const linear = trials.find((trial) => trial.candidate.learner === 'linear')
  const boosted = trials.find((trial) => trial.candidate.learner === 'boosted')
  if (linear && boosted) return blendScores(linear.scores, boosted.scores, choice.linearShare)
  return Float64Array.from((linear ?? boosted)!.scores)
}

export function nameOf(candidate: Candidate): string {
  if (candidate.learner === 'linear') return `linear, L2 1/${candidate.settings.inverseL2}`
  const { leaves, learningRate } = candidate.settings
  return `trees of ${leaves} leaves, rate ${Math.round(learningRate * 1000) / 1000}`
}

/** The metrics of a trial's out-of-fold scores, uncalibrated. */
export function trialMetrics(study: Study, rows: Uint32Array, scores: ArrayLike<number>): Metrics {
  const { dataset, objective, outputs } = study
  const answers = answersOf(Float64Array.from(scores), objective, outputs, null)
  const y = Float32Array.from(rows, (row) => dataset.y[row]!)
  return measure(dataset.task, y, answers, { classes: outputs })
}
