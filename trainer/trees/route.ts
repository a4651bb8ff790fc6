import { MISSING_BIN } from './bins.ts'
import { MASK_WORDS } from './forest.ts'
import type { GrownTree } from './grow.ts'
import { binAt, COLUMN_BINS } from './histogram.ts'

/** 1 where a bin goes left, for every bin: what a split means, as a table. */
export function fillSides(
  sides: Uint8Array,
  edge: number,
  defaultLeft: number,
  masks: Uint32Array | null,
  first: number,
): void {
  for (let bin = 0; bin < MISSING_BIN; bin++)
    sides[bin] = masks ? (masks[first + (bin >>> 5)]! >>> (bin & 31)) & 1 : bin <= edge ? 1 : 0
  sides[MISSING_BIN] = defaultLeft
}

/**
 * Moves order[start .. start + count) so that rows going left come first, each side in its old order; returns how many do.
 * first: where the column's bins begin. Both writes always happen: a branch here is mispredicted for every third row.
 */
export function partitionRows(
  bins: Uint8Array,
  first: number,
  sides: Uint8Array,
  order: Uint32Array,
  start: number,
  count: number,
  spare: Uint32Array,
): number {
  const end = start + count
  let kept = start
  let moved = 0
  for (let i = start; i < end; i++) {
    const row = order[i]!
    const left = sides[bins[first + 4 * row]!]!
    order[kept] = row
    spare[moved] = row
    kept += left
    moved += 1 - left
  }
  order.set(spare.subarray(0, moved), kept)
  return kept - start
}

/** Sends rows that took no part in growing a tree down it, node by node: 3 times as fast as row by row. */
export interface Router {
  /** Fill the first `count` entries with row numbers before `add`. */
  readonly order: Uint32Array
  /** scores[row] += the value of the row's leaf. */
  add(tree: GrownTree, count: number, scores: Float64Array): void
}

/** bins: of n rows, in the layout of `binAt`. */
export function createRouter(bins: Uint8Array, n: number): Router {
  const order = new Uint32Array(n)
  const spare = new Uint32Array(n)
  const sides = new Uint8Array(COLUMN_BINS)

  function visit(tree: GrownTree, node: number, start: number, count: number, scores: Float64Array): void {
    if (count === 0) return
    const feature = tree.feature[node]!
    if (feature < 0) {
      const value = tree.value[node]!
      for (let i = start; i < start + count; i++) scores[order[i]!]! += value
      return
    }
    const set = tree.mask[node]!
    fillSides(sides, tree.bin[node]!, tree.defaultLeft[node]!, set < 0 ? null : tree.masks, set * MASK_WORDS)
    const left = partitionRows(bins, binAt(n, 0, feature), sides, order, start, count, spare)
    visit(tree, tree.left[node]!, start, left, scores)
    visit(tree, tree.right[node]!, start + left, count - left, scores)
  }

  return {
    order,
    add: (tree, count, scores) => visit(tree, 0, 0, count, scores),
  }
}
