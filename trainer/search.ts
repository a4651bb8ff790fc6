import { candidatesFor, slower } from './candidates.ts'
import type { Study } from './context.ts'
import { blendScores } from './model.ts'
import type { Candidate, Choice } from './options.ts'
import { innerFolds, lossOf, sampled, type Trial, tryCandidate } from './trials.ts'

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
