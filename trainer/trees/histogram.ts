import { type Bins, MISSING_BIN } from './bins.ts'

/** Bins of one column in a histogram, the missing one included. */
export const COLUMN_BINS = 256
/** Sum of gradients, sum of hessians, rows. */
export const CELL = 3

/**
 * Per leaf and column, the sums of gradients and hessians and the rows in each bin. Slots are reused as leaves split: the
 * smaller child is summed, the larger one is what remains of the parent.
 */
export interface Histograms {
  /** Cells of every slot: ((slot * width + column) * 256 + bin) * 3. */
  readonly cells: Float64Array
  /** Row numbers, leaf by leaf. */
  readonly order: Uint32Array
  /** Sums order[start .. start + count) into a slot. */
  build(slot: number, start: number, count: number, gradient: Float32Array, hessian: Float32Array): void
  /** slot -= other */
  subtract(slot: number, other: number): void
}

/** binned: feature-major (width, n). */
export function createHistograms(
  binned: Uint8Array,
  n: number,
  width: number,
  slots: number,
  bins: Bins,
  columnOn: Uint8Array,
): Histograms {
  const perColumn = COLUMN_BINS * CELL
  const cells = new Float64Array(slots * width * perColumn)
  const order = new Uint32Array(n)
  const gathered = new Float32Array(2 * n)
  return {
    cells,
    order,
    build(slot, start, count, gradient, hessian) {
      for (let i = 0; i < count; i++) {
        const row = order[start + i]!
        gathered[2 * i] = gradient[row]!
        gathered[2 * i + 1] = hessian[row]!
      }
      for (let f = 0; f < width; f++) {
        const at = (slot * width + f) * perColumn
        const cell = cells.subarray(at, at + perColumn)
        cell.fill(0, 0, bins.used[f]! * CELL)
        cell.fill(0, MISSING_BIN * CELL)
        if (columnOn[f] === 0) continue
        const column = binned.subarray(f * n, f * n + n)
        if (count === n) {
          for (let i = 0; i < count; i++) {
            const b = column[i]! * CELL
            cell[b]! += gathered[2 * i]!
            cell[b + 1]! += gathered[2 * i + 1]!
            cell[b + 2]! += 1
          }
        } else {
          for (let i = 0; i < count; i++) {
            const b = column[order[start + i]!]! * CELL
            cell[b]! += gathered[2 * i]!
            cell[b + 1]! += gathered[2 * i + 1]!
            cell[b + 2]! += 1
          }
        }
      }
    },
    subtract(slot, other) {
      const size = width * perColumn
      const into = cells.subarray(slot * size, slot * size + size)
      const from = cells.subarray(other * size, other * size + size)
      for (let i = 0; i < size; i++) into[i]! -= from[i]!
    },
  }
}
