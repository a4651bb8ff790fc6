import type { Column } from '../dataset.ts'
import { binAt } from './histogram.ts'

/** The bin of a missing cell, of an unknown level and of a level too rare to have a bin of its own. */
export const MISSING_BIN = 255
/** Bins for values: 0..254. */
export const MAX_BINS = 255

/** How raw cells become bins. Learned on training rows only. */
export interface Bins {
  /** Number columns: bin b holds edges[b - 1] < value <= edges[b]. Empty for categories. */
  readonly edges: readonly Float32Array[]
  /** Category columns: the bin of each level. null for numbers. */
  readonly levelBins: readonly (Uint8Array | null)[]
  /** Value bins in use, by column. */
  readonly used: Int32Array
}

/** Sorting more values than this moves no edge that matters and costs seconds on a million rows. */
const EDGE_SAMPLE = 200_000

/** Levels with fewer training rows share the bin of missing cells: a split on three rows learns noise. */
const MIN_LEVEL_ROWS = 5

/** x: row-major (n, columns.length), NaN = missing; rows: training rows. `known` keeps the level bins of an earlier model. */
export function findBins(
  x: Float32Array,
  columns: readonly Column[],
  rows: Uint32Array,
  known?: readonly (Uint8Array | null)[],
): Bins {
  const width = columns.length
  const stride = Math.max(1, Math.floor(rows.length / EDGE_SAMPLE))
  const sample = new Float32Array(Math.ceil(rows.length / stride))
  const edges: Float32Array[] = []
  const levelBins: (Uint8Array | null)[] = []
  const used = new Int32Array(width)
  for (let f = 0; f < width; f++) {
    const column = columns[f]!
    if (column.kind === 'category') {
      const bins = known?.[f] ?? binLevels(x, width, f, rows, column.levels?.length ?? 0)
      edges.push(new Float32Array(0))
      levelBins.push(bins)
      let top = 0
      for (const bin of bins) if (bin !== MISSING_BIN && bin >= top) top = bin + 1
      used[f] = top
      continue
    }
    let filled = 0
    for (let i = 0; i < rows.length; i += stride) {
      const value = x[rows[i]! * width + f]!
      if (!Number.isNaN(value)) sample[filled++] = value
    }
    const found = cutSorted(sample.subarray(0, filled).sort())
    edges.push(found)
    levelBins.push(null)
    used[f] = found.length + 1
  }
  return { edges, levelBins, used }
}

/** Edges between neighbouring values, so that bins hold about equal counts and a frequent value keeps a bin of its own. */
function cutSorted(sorted: Float32Array): Float32Array {
  const n = sorted.length
  let distinct = n > 0 ? 1 : 0
  for (let i = 1; i < n; i++) if (sorted[i] !== sorted[i - 1]) distinct++
  const out: number[] = []
  let binsLeft = MAX_BINS
  let inBin = 0
  let rowsLeft = n
  for (let i = 0; i < n; i++) {
    inBin++
    const here = sorted[i]!
    if (i + 1 === n || sorted[i + 1] === here) continue
    if (distinct > MAX_BINS && inBin < rowsLeft / binsLeft) continue
    out.push(between(here, sorted[i + 1]!))
    rowsLeft -= inBin
    inBin = 0
    binsLeft--
    if (binsLeft <= 1) break
  }
  return Float32Array.from(out)
}

/** A float32 t with low <= t < high: rounding may land on `high`, which would send it to the wrong side in ONNX. */
function between(low: number, high: number): number {
  const middle = Math.fround((low + high) / 2)
  return middle < high && middle >= low ? middle : low
}

/** The most frequent levels get bins in order of frequency; ties by level index. */
function binLevels(x: Float32Array, width: number, f: number, rows: Uint32Array, levels: number): Uint8Array {
  const counts = new Float64Array(levels)
  for (let i = 0; i < rows.length; i++) {
    const value = x[rows[i]! * width + f]!
    if (value >= 0 && value < levels && Number.isInteger(value)) counts[value]! += 1
  }
  const order = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b)
  const bins = new Uint8Array(levels).fill(MISSING_BIN)
  let next = 0
  for (const level of order) {
    if (next === MAX_BINS || counts[level]! < MIN_LEVEL_ROWS) break
    bins[level] = next++
  }
  return bins
}

/** Rows per block: a block of 30 float columns stays in the second-level cache while its columns are read one by one. */
const BLOCK = 2048

/** Fills `out`, in the layout of `binAt`, with the bin of every cell. */
export function binRows(x: Float32Array, width: number, rows: Uint32Array, bins: Bins, out: Uint8Array): void {
  const n = rows.length
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(n, start + BLOCK)
    for (let f = 0; f < width; f++) {
      const levels = bins.levelBins[f]
      if (levels) binLevelCells(x, width, f, rows, start, end, levels, out, binAt(n, 0, f))
      else binNumberCells(x, width, f, rows, start, end, bins.edges[f]!, out, binAt(n, 0, f))
    }
  }
}

function binNumberCells(
  x: Float32Array,
  width: number,
  f: number,
  rows: Uint32Array,
  start: number,
  end: number,
  edges: Float32Array,
  out: Uint8Array,
  offset: number,
): void {
  const count = edges.length
  for (let i = start; i < end; i++) {
    const value = x[rows[i]! * width + f]!
    if (Number.isNaN(value)) {
      out[offset + 4 * i] = MISSING_BIN
      continue
    }
    let low = 0
    let high = count
    while (low < high) {
      const middle = (low + high) >>> 1
      if (value <= edges[middle]!) high = middle
      else low = middle + 1
    }
    out[offset + 4 * i] = low
  }
}

function binLevelCells(
  x: Float32Array,
  width: number,
  f: number,
  rows: Uint32Array,
  start: number,
  end: number,
  levels: Uint8Array,
  out: Uint8Array,
  offset: number,
): void {
  for (let i = start; i < end; i++) {
    const value = x[rows[i]! * width + f]!
    out[offset + 4 * i] = value >= 0 && value < levels.length && Number.isInteger(value) ? levels[value]! : MISSING_BIN
  }
}
