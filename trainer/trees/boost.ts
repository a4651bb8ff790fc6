import type { Column } from '../dataset.ts'
import { createRandom } from '../random.ts'
import { type Bins, binRows, findBins } from './bins.ts'
import { appendForest, type Forest, forestScores } from './forest.ts'
import { createForestBuilder } from './forest-builder.ts'
import { createGrower, type GrownTree } from './grow.ts'
import { type Arena, binBytes } from './histogram.ts'
import { createObjective, type Objective, type ObjectiveName } from './objectives.ts'
import { createRouter } from './route.ts'
import type { TreeSettings } from './settings.ts'

/** Rows to learn from. x: row-major (all rows, columns); y and weights are indexed by row number like x. */
export interface BoostInput {
  readonly x: Float32Array
  readonly columns: readonly Column[]
  readonly y: Float32Array
  readonly weights: Float32Array | null
  readonly rows: Uint32Array
  readonly objective: ObjectiveName
  readonly classes: number
  readonly settings: TreeSettings
  readonly seed: number
  /** A model whose trees come first; new rounds correct it. */
  readonly earlier?: Forest
}

/** Scores of held-out rows after some rounds. */
export interface Checkpoint {
  /** Rounds so far, of this run. */
  readonly rounds: number
  readonly loss: number
  /** Shape (rows, outputs) row-major. */
  readonly scores: Float32Array
}

export interface BoostResult {
  readonly forest: Forest
  readonly rounds: number
  readonly checkpoints: readonly Checkpoint[]
}

/** Rounds at which held-out scores are kept: every fold stops at the same ones, so that folds agree on a number of rounds. */
export function isCheckpoint(round: number): boolean {
  if (round <= 10) return true
  const step = 2 ** (Math.floor(Math.log2(round)) - 3)
  return round % step === 0
}

/** Gradient boosting (Friedman 2001) with second-order leaf-wise trees. held: rows that decide when growth stops. */
export function boost(
  arena: Arena,
  input: BoostInput,
  held: Uint32Array | null,
  onRound?: (done: number, total: number) => void,
): BoostResult {
  const { x, columns, rows, settings, classes, earlier } = input
  const width = columns.length
  const n = rows.length
  const objective = createObjective(input.objective, classes)
  const { outputs } = objective
  const bins = findBins(x, columns, rows, earlier?.levelBins)
  const grower = createGrower(arena, n, columns, bins, settings)
  binRows(x, width, rows, bins, grower.bins)
  const y = pick(input.y, rows)
  const weights = input.weights ? pick(input.weights, rows) : null
  const base = earlier ? earlier.base : objective.base(y, weights)
  const scores = startScores(base, n, earlier, x, width, rows)
  const holdout = held ? createHoldout(input, held, objective, bins, base) : null
  const gradient = new Float32Array(n * outputs)
  const hessian = new Float32Array(n * outputs)
  const random = createRandom(input.seed)
  const router = createRouter(grower.bins, n)
  const addToOthers = (tree: GrownTree, sample: Uint8Array, own: Float64Array) => {
    let others = 0
    for (let i = 0; i < n; i++) if (sample[i] === 0) router.order[others++] = i
    router.add(tree, others, own)
  }
  const builder = createForestBuilder(outputs, base, bins)
  const checkpoints: Checkpoint[] = []
  let bestLoss = Number.POSITIVE_INFINITY
  let bestRound = 0
  let round = 0
  while (round < settings.rounds) {
    objective.derive(scores, y, weights, gradient, hessian)
    drawColumns(grower.columnOn, settings.columnShare, random.next)
    const sample = settings.rowShare < 1 ? drawRows(n, settings.rowShare, random.next) : null
    let grew = false
    for (let k = 0; k < outputs; k++) {
      const sampled = fillOrder(grower.order, sample, n)
      const at = k * n
      const tree = grower.grow(gradient.subarray(at, at + n), hessian.subarray(at, at + n), sampled)
      const own = scores.subarray(at, at + n)
      setLeafValues(tree, objective, settings.learningRate, own, y)
      addByLeaf(tree, own)
      if (sample) addToOthers(tree, sample, own)
      holdout?.add(tree, k)
      builder.add(tree)
      if (tree.nodes > 1) grew = true
    }
    round++
    onRound?.(round, settings.rounds)
    // the loss of the held rows costs as much as a small tree: it is looked at where scores are kept
    if (holdout && isCheckpoint(round)) {
      const loss = holdout.loss()
      checkpoints.push({ rounds: round, loss, scores: holdout.snapshot() })
      if (loss < bestLoss) {
        bestLoss = loss
        bestRound = round
      } else if (round - bestRound >= settings.patience) break
    }
    if (!grew && settings.rowShare === 1 && settings.columnShare === 1) break
  }
  if (holdout && checkpoints.at(-1)?.rounds !== round)
    checkpoints.push({ rounds: round, loss: holdout.loss(), scores: holdout.snapshot() })
  const grown = builder.finish()
  return { forest: earlier ? appendForest(earlier, grown) : grown, rounds: round, checkpoints }
}

function pick(values: Float32Array, rows: Uint32Array): Float32Array {
  const out = new Float32Array(rows.length)
  for (let i = 0; i < rows.length; i++) out[i] = values[rows[i]!]!
  return out
}

/** Layout (outputs, n). */
function startScores(
  base: Float64Array,
  n: number,
  earlier: Forest | undefined,
  x: Float32Array,
  width: number,
  rows: Uint32Array,
): Float64Array {
  const outputs = base.length
  const scores = new Float64Array(n * outputs)
  if (!earlier) {
    for (let k = 0; k < outputs; k++) scores.fill(base[k]!, k * n, k * n + n)
    return scores
  }
  const old = forestScores(earlier, x, width, rows)
  for (let i = 0; i < n; i++) for (let k = 0; k < outputs; k++) scores[k * n + i] = old[i * outputs + k]!
  return scores
}

function createHoldout(input: BoostInput, held: Uint32Array, objective: Objective, bins: Bins, base: Float64Array) {
  const { x, columns } = input
  const width = columns.length
  const n = held.length
  const { outputs } = objective
  const binned = new Uint8Array(binBytes(n, width))
  binRows(x, width, held, bins, binned)
  const y = pick(input.y, held)
  const weights = input.weights ? pick(input.weights, held) : null
  const scores = startScores(base, n, input.earlier, x, width, held)
  const router = createRouter(binned, n)
  return {
    add(tree: GrownTree, k: number) {
      for (let i = 0; i < n; i++) router.order[i] = i
      router.add(tree, n, scores.subarray(k * n, k * n + n))
    },
    loss: () => objective.loss(scores, y, weights),
    snapshot() {
      const out = new Float32Array(n * outputs)
      for (let k = 0; k < outputs; k++) for (let i = 0; i < n; i++) out[i * outputs + k] = scores[k * n + i]!
      return out
    },
  }
}

function drawColumns(on: Uint8Array, share: number, next: () => number): void {
  if (share >= 1) return
  // at least one; drawn by position so that the count is exact
  const wanted = Math.max(1, Math.round(on.length * share))
  let left = wanted
  for (let f = 0; f < on.length; f++) {
    on[f] = next() * (on.length - f) < left ? 1 : 0
    left -= on[f]!
  }
}

/** 1 for the rows drawn, without replacement, exactly round(n * share) of them. */
function drawRows(n: number, share: number, next: () => number): Uint8Array {
  const drawn = new Uint8Array(n)
  let left = Math.max(1, Math.round(n * share))
  for (let i = 0; i < n; i++) {
    if (next() * (n - i) >= left) continue
    drawn[i] = 1
    left--
  }
  return drawn
}

function fillOrder(order: Uint32Array, sample: Uint8Array | null, n: number): number {
  let filled = 0
  for (let i = 0; i < n; i++) if (!sample || sample[i]) order[filled++] = i
  return filled
}

function setLeafValues(
  tree: GrownTree,
  objective: Objective,
  rate: number,
  scores: Float64Array,
  y: Float32Array,
): void {
  for (let node = 0; node < tree.nodes; node++) {
    if (tree.feature[node]! >= 0) continue
    let value = tree.value[node]!
    if (objective.leafValue) {
      const residuals = new Float64Array(tree.count[node]!)
      for (let i = 0; i < residuals.length; i++) {
        const row = tree.order[tree.start[node]! + i]!
        residuals[i] = y[row]! - scores[row]!
      }
      value = Math.min(tree.high[node]!, Math.max(tree.low[node]!, objective.leafValue(residuals)))
    }
    tree.value[node] = Math.fround(value * rate)
  }
}

function addByLeaf(tree: GrownTree, scores: Float64Array): void {
  for (let node = 0; node < tree.nodes; node++) {
    if (tree.feature[node]! >= 0) continue
    const value = tree.value[node]!
    const end = tree.start[node]! + tree.count[node]!
    for (let i = tree.start[node]!; i < end; i++) scores[tree.order[i]!]! += value
  }
}
