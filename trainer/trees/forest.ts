import { MISSING_BIN } from './bins.ts'

/** 32-bit words of one category set: one bit for each of 256 bins. */
export const MASK_WORDS = 8

/**
 * All trees of a model in flat arrays, indexed by node; children are absolute node numbers. A leaf has feature -1.
 * Number node: value <= threshold goes left. Category node (mask >= 0): the bit of the level's bin says left.
 * NaN, and levels without a bin, go left when defaultLeft is 1.
 */
export interface Forest {
  /** Scores per row: 1, or the number of classes. Tree t adds to score t % outputs. */
  readonly outputs: number
  /** Score before the first tree, shape (outputs,). */
  readonly base: Float64Array
  /** First node of each tree, and the number of nodes at the end. */
  readonly roots: Int32Array
  readonly feature: Int32Array
  readonly threshold: Float32Array
  readonly defaultLeft: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
  /** Leaf: what it adds to the score; float32, because the graph holds float32. */
  readonly value: Float32Array
  /** Training rows that passed here. */
  readonly cover: Float32Array
  /** Reduction of the loss by this split. */
  readonly gain: Float32Array
  /** Number of the category set in `masks`, or -1. */
  readonly mask: Int32Array
  readonly masks: Uint32Array
  /** Category columns: the bin of each level. */
  readonly levelBins: readonly (Uint8Array | null)[]
}

export function treeCount(forest: Forest): number {
  return forest.roots.length - 1
}

/** The first `rounds` rounds of boosting (each holds `outputs` trees). */
export function firstRounds(forest: Forest, rounds: number): Forest {
  const trees = Math.min(treeCount(forest), rounds * forest.outputs)
  const nodes = forest.roots[trees]!
  const { outputs, base, levelBins, masks } = forest
  let sets = 0
  for (let node = 0; node < nodes; node++) if (forest.mask[node]! >= sets) sets = forest.mask[node]! + 1
  return {
    outputs,
    base,
    levelBins,
    roots: forest.roots.slice(0, trees + 1),
    feature: forest.feature.slice(0, nodes),
    threshold: forest.threshold.slice(0, nodes),
    defaultLeft: forest.defaultLeft.slice(0, nodes),
    left: forest.left.slice(0, nodes),
    right: forest.right.slice(0, nodes),
    value: forest.value.slice(0, nodes),
    cover: forest.cover.slice(0, nodes),
    gain: forest.gain.slice(0, nodes),
    mask: forest.mask.slice(0, nodes),
    masks: masks.slice(0, sets * MASK_WORDS),
  }
}

/** The trees of `later` after those of `earlier`; both must map levels to the same bins. */
export function appendForest(earlier: Forest, later: Forest): Forest {
  const nodes = earlier.feature.length
  const sets = earlier.masks.length / MASK_WORDS
  const shift = (values: Int32Array, by: number) => values.map((value) => (value < 0 ? value : value + by))
  const shiftChildren = (values: Int32Array) =>
    values.map((value, node) => (later.feature[node]! < 0 ? value : value + nodes))
  return {
    outputs: earlier.outputs,
    base: earlier.base,
    levelBins: later.levelBins,
    roots: join(Int32Array, earlier.roots.subarray(0, -1), shift(later.roots, nodes)),
    feature: join(Int32Array, earlier.feature, later.feature),
    threshold: join(Float32Array, earlier.threshold, later.threshold),
    defaultLeft: join(Uint8Array, earlier.defaultLeft, later.defaultLeft),
    left: join(Int32Array, earlier.left, shiftChildren(later.left)),
    right: join(Int32Array, earlier.right, shiftChildren(later.right)),
    value: join(Float32Array, earlier.value, later.value),
    cover: join(Float32Array, earlier.cover, later.cover),
    gain: join(Float32Array, earlier.gain, later.gain),
    mask: join(Int32Array, earlier.mask, shift(later.mask, sets)),
    masks: join(Uint32Array, earlier.masks, later.masks),
  }
}

function join<T extends { set(from: ArrayLike<number>, at?: number): void }>(
  Kind: new (length: number) => T,
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): T {
  const out = new Kind(first.length + second.length)
  out.set(first, 0)
  out.set(second, first.length)
  return out
}

/** Whether a raw cell goes left at a node. The graph takes the same branch: both compare float32. */
export function goesLeft(forest: Forest, node: number, value: number): boolean {
  if (Number.isNaN(value)) return forest.defaultLeft[node] === 1
  const set = forest.mask[node]!
  if (set < 0) return value <= forest.threshold[node]!
  const levels = forest.levelBins[forest.feature[node]!]!
  const bin = value >= 0 && value < levels.length && Number.isInteger(value) ? levels[value]! : MISSING_BIN
  if (bin === MISSING_BIN) return forest.defaultLeft[node] === 1
  return ((forest.masks[set * MASK_WORDS + (bin >>> 5)]! >>> (bin & 31)) & 1) === 1
}

/** Scores, shape (rows, outputs) row-major. x: raw cells, row-major (n, width); rows: which of them, all when left out. */
export function forestScores(forest: Forest, x: Float32Array, width: number, rows?: Uint32Array): Float64Array {
  const n = rows ? rows.length : x.length / width
  const { outputs, roots, feature, threshold, defaultLeft, left, right, value, mask } = forest
  const out = new Float64Array(n * outputs)
  for (let i = 0; i < n; i++) out.set(forest.base, i * outputs)
  const trees = treeCount(forest)
  for (let i = 0; i < n; i++) {
    const at = (rows ? rows[i]! : i) * width
    for (let tree = 0; tree < trees; tree++) {
      let node = roots[tree]!
      let f = feature[node]!
      while (f >= 0) {
        const cell = x[at + f]!
        const toLeft =
          mask[node]! >= 0
            ? goesLeft(forest, node, cell)
            : Number.isNaN(cell)
              ? defaultLeft[node] === 1
              : cell <= threshold[node]!
        node = toLeft ? left[node]! : right[node]!
        f = feature[node]!
      }
      out[i * outputs + (outputs === 1 ? 0 : tree % outputs)]! += value[node]!
    }
  }
  return out
}

/** Share of the whole gain, by column, shape (width,). */
export function gainShares(forest: Forest, width: number): Float64Array {
  const out = new Float64Array(width)
  let total = 0
  for (let node = 0; node < forest.feature.length; node++) {
    const f = forest.feature[node]!
    if (f < 0) continue
    out[f]! += forest.gain[node]!
    total += forest.gain[node]!
  }
  return total > 0 ? out.map((gain) => gain / total) : out
}
