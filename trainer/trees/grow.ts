import type { Column } from '../dataset.ts'
import type { Bins } from './bins.ts'
import { MASK_WORDS } from './forest.ts'
import { type Arena, binAt, COLUMN_BINS, createHistograms } from './histogram.ts'
import { fillSides, partitionRows } from './route.ts'
import type { TreeSettings } from './settings.ts'
import { createSplitSearch, type Leaf, type Split } from './split.ts'

/** One tree as it grew: node numbers from 0, bins instead of thresholds. Arrays are reused by the next tree. */
export interface GrownTree {
  nodes: number
  readonly feature: Int32Array
  readonly bin: Uint8Array
  readonly defaultLeft: Uint8Array
  readonly left: Int32Array
  readonly right: Int32Array
  readonly value: Float64Array
  readonly cover: Float64Array
  readonly gain: Float64Array
  /** Number of the node's category set in masks, or -1. */
  readonly mask: Int32Array
  readonly masks: Uint32Array
  sets: number
  /** Rows of each leaf: order[start[node] .. start[node] + count[node]). */
  readonly order: Uint32Array
  readonly start: Uint32Array
  readonly count: Uint32Array
  /** Bounds that monotone columns put on each leaf's value, before the learning rate. */
  readonly low: Float64Array
  readonly high: Float64Array
}

interface OpenLeaf extends Leaf {
  readonly node: number
  readonly start: number
  readonly depth: number
  slot: number
  best: Split | null
}

export interface Grower {
  /** Columns the next tree may use: 1 or 0. */
  readonly columnOn: Uint8Array
  /** Bins of the rows, in the layout of `binAt`. */
  readonly bins: Uint8Array
  /** Rows of the next tree: fill the first `sampled` entries, in rising order. */
  readonly order: Uint32Array
  /** Grows leaf by leaf, the largest gain first, from gradients and hessians of shape (n,). */
  grow(gradient: Float32Array, hessian: Float32Array, sampled: number): GrownTree
}

/** Allocates everything once; `grow` allocates only its splits. Fill `bins` before the first tree. */
export function createGrower(
  arena: Arena,
  n: number,
  columns: readonly Column[],
  bins: Bins,
  settings: TreeSettings,
): Grower {
  const { leaves: maxLeaves, depth: maxDepth, minLeaf } = settings
  const width = columns.length
  const columnOn = new Uint8Array(width).fill(1)
  const histograms = createHistograms(arena, n, width, maxLeaves, columnOn)
  const { order, bins: binned, slotWords } = histograms
  const search = createSplitSearch(histograms, columns, bins, columnOn, settings)
  const spare = new Uint32Array(n)
  const size = 2 * maxLeaves - 1
  const tree: GrownTree = {
    nodes: 0,
    feature: new Int32Array(size),
    bin: new Uint8Array(size),
    defaultLeft: new Uint8Array(size),
    left: new Int32Array(size),
    right: new Int32Array(size),
    value: new Float64Array(size),
    cover: new Float64Array(size),
    gain: new Float64Array(size),
    mask: new Int32Array(size),
    masks: new Uint32Array(maxLeaves * MASK_WORDS),
    sets: 0,
    order,
    start: new Uint32Array(size),
    count: new Uint32Array(size),
    low: new Float64Array(size),
    high: new Float64Array(size),
  }

  const canSplit = (leaf: OpenLeaf) => leaf.rows >= 2 * minLeaf && leaf.depth < maxDepth

  const sides = new Uint8Array(COLUMN_BINS)

  function partition(leaf: OpenLeaf, split: Split): number {
    fillSides(sides, split.bin, split.defaultLeft, split.mask, 0)
    return partitionRows(binned, binAt(n, 0, split.feature), sides, order, leaf.start, leaf.rows, spare)
  }

  function addNode(leaf: OpenLeaf): void {
    const { node } = leaf
    tree.feature[node] = -1
    tree.mask[node] = -1
    tree.cover[node] = leaf.rows
    tree.gain[node] = 0
    tree.start[node] = leaf.start
    tree.count[node] = leaf.rows
    tree.low[node] = leaf.low
    tree.high[node] = leaf.high
  }

  function recordSplit(node: number, split: Split, left: number, right: number): void {
    tree.feature[node] = split.feature
    tree.bin[node] = split.bin
    tree.defaultLeft[node] = split.defaultLeft
    tree.gain[node] = split.gain
    tree.left[node] = left
    tree.right[node] = right
    if (!split.mask) return
    tree.mask[node] = tree.sets
    tree.masks.set(split.mask, tree.sets * MASK_WORDS)
    tree.sets++
  }

  function grow(gradient: Float32Array, hessian: Float32Array, sampled: number): GrownTree {
    histograms.load(gradient, hessian)
    let g = 0
    let h = 0
    for (let i = 0; i < sampled; i++) {
      const row = order[i]!
      g += gradient[row]!
      h += hessian[row]!
    }
    tree.nodes = 1
    tree.sets = 0
    const root: OpenLeaf = {
      node: 0,
      start: 0,
      rows: sampled,
      gradient: g,
      hessian: h,
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
      depth: 0,
      slot: 0,
      best: null,
    }
    addNode(root)
    if (canSplit(root) && maxLeaves > 1) {
      histograms.build(0, 0, sampled)
      root.best = search.find(root, 0)
    }
    const open = [root]
    while (open.length < maxLeaves) {
      let at = -1
      for (let i = 0; i < open.length; i++) {
        const best = open[i]!.best
        if (best && (at < 0 || best.gain > open[at]!.best!.gain)) at = i
      }
      if (at < 0) break
      const parent = open[at]!
      const split = parent.best!
      const leftRows = partition(parent, split)
      const [left, right] = childrenOf(parent, split, leftRows)
      recordSplit(parent.node, split, left.node, right.node)
      addNode(left)
      addNode(right)
      tree.nodes += 2
      const small = left.rows <= right.rows ? left : right
      const large = small === left ? right : left
      large.slot = parent.slot
      small.slot = open.length
      open[at] = left
      open.push(right)
      if (open.length === maxLeaves || !(canSplit(left) || canSplit(right))) continue
      histograms.build(small.slot, small.start, small.rows)
      histograms.subtract(large.slot, small.slot)
      if (canSplit(left)) left.best = search.find(left, left.slot * slotWords)
      if (canSplit(right)) right.best = search.find(right, right.slot * slotWords)
    }
    for (const leaf of open) tree.value[leaf.node] = search.valueOf(leaf.gradient, leaf.hessian, leaf.low, leaf.high)
    return tree
  }

  /** A monotone split leaves each child its half of the range between the two values (as scikit-learn's trees do). */
  function childrenOf(parent: OpenLeaf, split: Split, leftRows: number): [OpenLeaf, OpenLeaf] {
    const { low, high, depth } = parent
    const direction = columns[split.feature]!.kind === 'number' ? (columns[split.feature]!.monotone ?? 0) : 0
    const rest = { gradient: parent.gradient - split.leftGradient, hessian: parent.hessian - split.leftHessian }
    const middle =
      direction === 0
        ? 0
        : (search.valueOf(split.leftGradient, split.leftHessian, low, high) +
            search.valueOf(rest.gradient, rest.hessian, low, high)) /
          2
    const left: OpenLeaf = {
      node: tree.nodes,
      start: parent.start,
      rows: leftRows,
      gradient: split.leftGradient,
      hessian: split.leftHessian,
      low: direction < 0 ? middle : low,
      high: direction > 0 ? middle : high,
      depth: depth + 1,
      slot: 0,
      best: null,
    }
    const right: OpenLeaf = {
      node: tree.nodes + 1,
      start: parent.start + leftRows,
      rows: parent.rows - leftRows,
      ...rest,
      low: direction > 0 ? middle : low,
      high: direction < 0 ? middle : high,
      depth: depth + 1,
      slot: 0,
      best: null,
    }
    return [left, right]
  }

  return { columnOn, bins: binned, order, grow }
}
