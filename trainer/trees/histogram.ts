import { createKernel, type Kernel, PAGE } from './kernel/kernel.ts'

/** Bins of one column in a histogram, the missing one included. */
export const COLUMN_BINS = 256
/** 32-bit words of a cell: gradient low and high, then hessian and row count together, low and high. */
export const CELL = 4

const CELL_BYTES = 16
/** Columns whose bins of one row stand in one 32-bit word. */
const LANES = 4

/** How to read the fixed-point sums of a cell. */
export interface Units {
  /** What 1 in a gradient sum is worth; a power of two, so that reading loses nothing. */
  gradient: number
  hessian: number
  /** Low bits of the second pair of words that count rows. */
  countBits: number
}

/**
 * Per leaf and column, the sums of gradients and hessians and the rows in each bin, in 64-bit fixed point: sums are exact, so they
 * do not depend on the order of rows and the larger child is exactly what remains of its parent. Slots are reused as leaves split.
 */
export interface Histograms {
  /** Bins of all rows, in the layout of `binAt`. */
  readonly bins: Uint8Array
  /** Cells of every slot, as 32-bit words: slot * slotWords + (column * 256 + bin) * 4. */
  readonly cells: Int32Array
  readonly slotWords: number
  /** Row numbers, leaf by leaf. */
  readonly order: Uint32Array
  readonly units: Units
  /** Takes the derivatives of the next tree, shape (n,). */
  load(gradient: Float32Array, hessian: Float32Array): void
  /** Sums order[start .. start + count) into a slot. */
  build(slot: number, start: number, count: number): void
  /** slot -= other */
  subtract(slot: number, other: number): void
}

/** Where the bin of a row's column stands: columns in groups of four, groups one after another. */
export function binAt(n: number, row: number, column: number): number {
  return ((column >>> 2) * n + row) * LANES + (column & 3)
}

/** Bytes of the bins of n rows. */
export function binBytes(n: number, width: number): number {
  return Math.ceil(width / LANES) * LANES * n
}

/** Memory for histograms, kept by a thread from fit to fit. */
export interface Arena {
  readonly kernel: Kernel
}

export function createArena(): Arena {
  return { kernel: createKernel() }
}

/** One user at a time: the next call takes the same memory. columnOn may change between trees. */
export function createHistograms(
  { kernel }: Arena,
  n: number,
  width: number,
  slots: number,
  columnOn: Uint8Array,
): Histograms {
  const groups = Math.ceil(width / LANES)
  const groupCells = LANES * COLUMN_BINS * CELL_BYTES
  const slotBytes = groups * groupCells
  let end = 0
  const region = (bytes: number) => {
    const at = end
    end = Math.ceil((end + bytes) / CELL_BYTES) * CELL_BYTES
    return at
  }
  const cellsAt = region(slots * slotBytes)
  const pairsAt = region(n * CELL_BYTES)
  const gatheredAt = region(n * CELL_BYTES)
  const orderAt = region(4 * n)
  const binsAt = region(binBytes(n, width))
  const missing = Math.ceil(end / PAGE) - kernel.memory.buffer.byteLength / PAGE
  if (missing > 0) kernel.memory.grow(missing)
  const { buffer } = kernel.memory
  const words = new Int32Array(buffer, pairsAt, n * CELL)
  const units: Units = { gradient: 1, hessian: 1, countBits: Math.ceil(Math.log2(n + 1)) }
  const lanesOf = (group: number) => {
    let lanes = 0
    for (let lane = 0; lane < LANES; lane++) if (columnOn[group * LANES + lane] === 1) lanes |= 1 << lane
    return lanes
  }

  return {
    bins: new Uint8Array(buffer, binsAt, binBytes(n, width)),
    cells: new Int32Array(buffer, cellsAt, (slots * slotBytes) / 4),
    slotWords: slotBytes / 4,
    order: new Uint32Array(buffer, orderAt, n),
    units,
    load(gradient, hessian) {
      let steepest = 0
      let sharpest = 0
      for (let i = 0; i < n; i++) {
        const g = Math.abs(gradient[i]!)
        if (g > steepest) steepest = g
        if (hessian[i]! > sharpest) sharpest = hessian[i]!
      }
      const { countBits } = units
      // sums over n rows must stay exact as doubles, and hessian sums share 62 bits with the count
      const gradientScale = powerBelow(51 - countBits, steepest)
      const hessianScale = powerBelow(Math.min(61 - 2 * countBits, 51 - countBits), sharpest)
      units.gradient = 1 / gradientScale
      units.hessian = 1 / hessianScale
      const shift = 2 ** countBits
      for (let i = 0; i < n; i++) {
        const g = Math.round(gradient[i]! * gradientScale)
        const h = Math.round(hessian[i]! * hessianScale) * shift + 1
        const at = i * CELL
        words[at] = g
        words[at + 1] = Math.floor(g / 4294967296)
        words[at + 2] = h
        words[at + 3] = Math.floor(h / 4294967296)
      }
    },
    build(slot, start, count) {
      const cells = cellsAt + slot * slotBytes
      kernel.clear(cells, slotBytes)
      const isWhole = count === n
      if (!isWhole) kernel.gather(orderAt + 4 * start, count, pairsAt, gatheredAt)
      for (let group = 0; group < groups; group++) {
        const lanes = lanesOf(group)
        const bins = binsAt + group * n * LANES
        const into = cells + group * groupCells
        if (isWhole) kernel.sumAll(lanes, bins, pairsAt, count, into)
        else kernel.sum(lanes, bins, orderAt + 4 * start, gatheredAt, count, into)
      }
    },
    subtract: (slot, other) => kernel.subtract(cellsAt + slot * slotBytes, cellsAt + other * slotBytes, slotBytes),
  }
}

/** The largest power of two that keeps value * power below 2^bits. */
function powerBelow(bits: number, value: number): number {
  if (!(value > 0)) return 1
  return 2 ** Math.max(-1000, Math.min(1000, bits - Math.ceil(Math.log2(value)) - 1))
}
