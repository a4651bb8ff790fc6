import type { Study } from './context.ts'
import type { FitResult } from './fitting/fit.ts'
import { foldsOf } from './folds.ts'
import { type Metrics, measure } from './metrics.ts'
import { answersOf } from './model.ts'
import type { Candidate } from './options.ts'
import { createRandom } from './random.ts'
import { isCheckpoint } from './trees/boost.ts'
import type { ObjectiveName } from './trees/objectives.ts'

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

export function sampled(study: Study, rows: Uint32Array, most: number): Uint32Array {
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

export interface Fold {
  readonly train: Uint32Array
  readonly held: Uint32Array
  /** Positions of the held rows among the rows searched on. */
  readonly at: Uint32Array
}

/** Folds keep groups whole. Time is not respected inside: every row must get an out-of-fold score for calibration. */
export function innerFolds(study: Study, rows: Uint32Array, wanted: number): Fold[] {
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

export async function tryCandidate(
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
export function lossOf(study: Study, rows: Uint32Array, scores: ArrayLike<number>): number {
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
