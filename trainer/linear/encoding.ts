import type { Column } from '../dataset.ts'
import { medianOf } from '../trees/objectives.ts'

/** Levels with fewer training rows share the bucket of unknown and missing ones. */
const MIN_LEVEL_ROWS = 10
/** Levels of one column that get a weight of their own: the most frequent. */
const MAX_LEVELS = 256

/** Larger cells count as this: the graph squares nothing, but differences of float32 must stay finite. */
const LARGEST = 1e15

/** How raw cells become inputs of a linear model. Learned on training rows only. */
export interface Encoding {
  readonly width: number
  /** Number columns by position in the dataset; the arrays below follow this order. */
  readonly numbers: Int32Array
  /** What a missing cell counts as: the median. */
  readonly fill: Float32Array
  /** Range of the training rows; values beyond, infinities too, count as its ends. */
  readonly low: Float32Array
  readonly high: Float32Array
  readonly center: Float32Array
  readonly scale: Float64Array
  /** 1 where missing cells get a weight of their own. */
  readonly flagged: Uint8Array
  readonly categories: Int32Array
  /** Per category column the slot of each level; the last entry is the bucket of rare, unknown and missing levels. */
  readonly slots: readonly Int32Array[]
  /** One-hot slots of all columns together. */
  readonly slotCount: number
}

export function encodingOf(x: Float32Array, columns: readonly Column[], rows: Uint32Array): Encoding {
  const width = columns.length
  const positions = (kind: Column['kind']) =>
    Int32Array.from(columns.flatMap((column, at) => (column.kind === kind ? [at] : [])))
  const numbers = positions('number')
  const categories = positions('category')
  const count = numbers.length
  const fill = new Float32Array(count)
  const low = new Float32Array(count)
  const high = new Float32Array(count)
  const center = new Float32Array(count)
  const scale = new Float64Array(count).fill(1)
  const flagged = new Uint8Array(count)
  const finite = new Float64Array(rows.length)
  for (let j = 0; j < count; j++) {
    const f = numbers[j]!
    let known = 0
    let missing = 0
    for (let i = 0; i < rows.length; i++) {
      const value = x[rows[i]! * width + f]!
      if (Number.isNaN(value)) missing++
      else if (Number.isFinite(value)) finite[known++] = value
    }
    if (missing > 0 && missing < rows.length) flagged[j] = 1
    if (known === 0) continue
    const values = finite.subarray(0, known)
    fill[j] = Math.max(-LARGEST, Math.min(LARGEST, medianOf(values)))
    let least = Number.POSITIVE_INFINITY
    let most = Number.NEGATIVE_INFINITY
    for (const value of values) {
      if (value < least) least = value
      if (value > most) most = value
    }
    least = Math.max(least, -LARGEST)
    most = Math.min(most, LARGEST)
    low[j] = least
    high[j] = most
    const clipped = (row: number): number => inputOf(x[row * width + f]!, fill[j]!, least, most)
    let sum = 0
    for (let i = 0; i < rows.length; i++) sum += clipped(rows[i]!)
    center[j] = sum / rows.length
    let squares = 0
    for (let i = 0; i < rows.length; i++) squares += (clipped(rows[i]!) - center[j]!) ** 2
    const deviation = Math.sqrt(squares / rows.length)
    if (deviation > 1e-9 * Math.max(1e-9, Math.abs(center[j]!))) scale[j] = deviation
  }
  let slotCount = 0
  const slots = Array.from(categories, (f) => {
    const assigned = slotsOf(x, width, f, rows, columns[f]!.levels?.length ?? 0, slotCount)
    slotCount = 1 + assigned[assigned.length - 1]!
    return assigned
  })
  return { width, numbers, fill, low, high, center, scale, flagged, categories, slots, slotCount }
}

/** The clipped, filled value of a number cell. */
export function inputOf(value: number, fill: number, low: number, high: number): number {
  return Number.isNaN(value) ? fill : value < low ? low : value > high ? high : value
}

/** The entry of a level in its slot table: out of range and NaN take the last one. */
export function levelOf(value: number, levels: number): number {
  return value >= 0 && value < levels ? Math.trunc(value) : levels
}

function slotsOf(
  x: Float32Array,
  width: number,
  f: number,
  rows: Uint32Array,
  levels: number,
  first: number,
): Int32Array {
  const counts = new Float64Array(levels + 1)
  for (let i = 0; i < rows.length; i++) counts[levelOf(x[rows[i]! * width + f]!, levels)]! += 1
  const order = Array.from({ length: levels }, (_, level) => level).sort((a, b) => counts[b]! - counts[a]! || a - b)
  const kept = order.slice(0, MAX_LEVELS).filter((level) => counts[level]! >= MIN_LEVEL_ROWS)
  const out = new Int32Array(levels + 1).fill(first + kept.length)
  kept
    .sort((a, b) => a - b)
    .forEach((level, at) => {
      out[level] = first + at
    })
  return out
}

/** Inputs of the linear model: standardised numbers, then missing flags, dense; and one slot per category column. */
export interface Encoded {
  readonly n: number
  readonly dense: Float32Array
  readonly denseWidth: number
  readonly codes: Int32Array
  readonly codeWidth: number
}

export function encode(encoding: Encoding, x: Float32Array, rows: Uint32Array): Encoded {
  const { width, numbers, fill, low, high, center, scale, flagged, categories, slots } = encoding
  const count = numbers.length
  const flags = Array.from(flagged.keys()).filter((j) => flagged[j] === 1)
  const denseWidth = count + flags.length
  const codeWidth = categories.length
  const n = rows.length
  const dense = new Float32Array(n * denseWidth)
  const codes = new Int32Array(n * codeWidth)
  for (let i = 0; i < n; i++) {
    const at = rows[i]! * width
    const to = i * denseWidth
    for (let j = 0; j < count; j++) {
      const value = inputOf(x[at + numbers[j]!]!, fill[j]!, low[j]!, high[j]!)
      dense[to + j] = (value - center[j]!) / scale[j]!
    }
    for (let q = 0; q < flags.length; q++) {
      const value = x[at + numbers[flags[q]!]!]!
      dense[to + count + q] = Number.isNaN(value) ? 1 : 0
    }
    for (let c = 0; c < codeWidth; c++) {
      const table = slots[c]!
      codes[i * codeWidth + c] = table[levelOf(x[at + categories[c]!]!, table.length - 1)]!
    }
  }
  return { n, dense, denseWidth, codes, codeWidth }
}
