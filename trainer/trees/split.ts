import type { Column } from '../dataset.ts'
import { type Bins, MISSING_BIN } from './bins.ts'
import { MASK_WORDS } from './forest.ts'
import { CELL, COLUMN_BINS } from './histogram.ts'
import type { TreeSettings } from './settings.ts'

/** A leaf that may still be split. Its value must stay within low..high, so that monotone columns stay monotone. */
export interface Leaf {
  readonly gradient: number
  readonly hessian: number
  readonly rows: number
  readonly low: number
  readonly high: number
}

export interface Split {
  gain: number
  feature: number
  /** Number columns: bins up to this one go left. */
  bin: number
  defaultLeft: number
  /** Category columns: the bins that go left. */
  mask: Uint32Array | null
  leftGradient: number
  leftHessian: number
  leftRows: number
}

export interface SplitSearch {
  /** The best split of a leaf whose histogram starts at cell `at`, or null. */
  find(leaf: Leaf, at: number): Split | null
  /** The score a leaf adds before the learning rate: -G / (H + l2), with L1 and the leaf's bounds. */
  valueOf(gradient: number, hessian: number, low: number, high: number): number
}

/** Levels with fewer rows in a leaf are not named by its split. */
const MIN_LEVEL_SUPPORT = 5

/** Gains are those of Chen and Guestrin 2016 (eq. 7) without the factor 1/2; level sets follow Fisher 1958: order by G/H, then cut. */
export function createSplitSearch(
  cells: Float64Array,
  columns: readonly Column[],
  bins: Bins,
  columnOn: Uint8Array,
  settings: TreeSettings,
): SplitSearch {
  const { minLeaf, minHessian, l1, l2, levelSmoothing, levelL2, levelLimit } = settings
  const width = columns.length
  const stride = COLUMN_BINS * CELL
  const directions = Int8Array.from(columns, (column) => (column.kind === 'number' ? (column.monotone ?? 0) : 0))
  const plain = l1 === 0 && directions.every((direction) => direction === 0)
  const levelOrder = new Uint16Array(COLUMN_BINS)
  const levelRank = new Float64Array(COLUMN_BINS)

  const valueWith = (gradient: number, hessian: number, low: number, high: number, extra: number): number => {
    const shrunk = gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0
    const value = -shrunk / (hessian + l2 + extra)
    return value < low ? low : value > high ? high : value
  }
  const reduction = (gradient: number, hessian: number, value: number, extra: number): number =>
    -(2 * gradient * value + (hessian + l2 + extra) * value * value + 2 * l1 * Math.abs(value))

  const best: Split = {
    gain: 0,
    feature: -1,
    bin: 0,
    defaultLeft: 0,
    mask: null,
    leftGradient: 0,
    leftHessian: 0,
    leftRows: 0,
  }

  function take(
    gain: number,
    feature: number,
    bin: number,
    defaultLeft: number,
    gradient: number,
    hessian: number,
    rows: number,
  ): void {
    best.gain = gain
    best.feature = feature
    best.bin = bin
    best.defaultLeft = defaultLeft
    best.mask = null
    best.leftGradient = gradient
    best.leftHessian = hessian
    best.leftRows = rows
  }

  /** Both directions of the missing rows; without constraints, where the gain needs no leaf value. */
  function scanNumber(leaf: Leaf, f: number, at: number): void {
    const { gradient: G, hessian: H, rows: C } = leaf
    const parent = (G * G) / (H + l2)
    const missingAt = at + MISSING_BIN * CELL
    const missing = cells[missingAt + 2]! > 0 ? 1 : 0
    const last = bins.used[f]! - 1
    for (let direction = 0; direction <= missing; direction++) {
      let g = direction ? cells[missingAt]! : 0
      let h = direction ? cells[missingAt + 1]! : 0
      let c = direction ? cells[missingAt + 2]! : 0
      // with missing rows on the right, "all values left" is the question "is it missing?"
      const end = last + (missing && !direction ? 1 : 0)
      for (let b = 0, k = at; b < end; b++, k += CELL) {
        g += cells[k]!
        h += cells[k + 1]!
        c += cells[k + 2]!
        if (c < minLeaf || h < minHessian) continue
        const rest = H - h
        if (C - c < minLeaf || rest < minHessian) break
        const other = G - g
        const gain = (g * g) / (h + l2) + (other * other) / (rest + l2) - parent
        if (gain > best.gain) take(gain, f, b, missing ? direction : c * 2 >= C ? 1 : 0, g, h, c)
      }
    }
  }

  function scanBounded(leaf: Leaf, f: number, at: number): void {
    const { gradient: G, hessian: H, rows: C, low, high } = leaf
    const wanted = directions[f]!
    const parent = reduction(G, H, valueWith(G, H, low, high, 0), 0)
    const missingAt = at + MISSING_BIN * CELL
    const missing = cells[missingAt + 2]! > 0 ? 1 : 0
    const last = bins.used[f]! - 1
    for (let direction = 0; direction <= missing; direction++) {
      let g = direction ? cells[missingAt]! : 0
      let h = direction ? cells[missingAt + 1]! : 0
      let c = direction ? cells[missingAt + 2]! : 0
      const end = last + (missing && !direction ? 1 : 0)
      for (let b = 0, k = at; b < end; b++, k += CELL) {
        g += cells[k]!
        h += cells[k + 1]!
        c += cells[k + 2]!
        if (c < minLeaf || h < minHessian) continue
        const rest = H - h
        if (C - c < minLeaf || rest < minHessian) break
        const leftValue = valueWith(g, h, low, high, 0)
        const rightValue = valueWith(G - g, rest, low, high, 0)
        if (wanted !== 0 && (rightValue - leftValue) * wanted < 0) continue
        const gain = reduction(g, h, leftValue, 0) + reduction(G - g, rest, rightValue, 0) - parent
        if (gain > best.gain) take(gain, f, b, missing ? direction : c * 2 >= C ? 1 : 0, g, h, c)
      }
    }
  }

  function scanLevels(leaf: Leaf, f: number, at: number): void {
    const { gradient: G, hessian: H, rows: C, low, high } = leaf
    let count = 0
    const used = bins.used[f]!
    for (let b = 0; b <= used; b++) {
      const bin = b === used ? MISSING_BIN : b
      const k = at + bin * CELL
      if (cells[k + 2]! < MIN_LEVEL_SUPPORT) continue
      levelRank[bin] = cells[k]! / (cells[k + 1]! + levelSmoothing)
      // insertion keeps equal ranks in the order of their bins, so the same rows give the same tree
      let place = count++
      while (place > 0 && levelRank[levelOrder[place - 1]!]! > levelRank[bin]!) {
        levelOrder[place] = levelOrder[place - 1]!
        place--
      }
      levelOrder[place] = bin
    }
    const parent = reduction(G, H, valueWith(G, H, low, high, 0), 0)
    const most = Math.min(levelLimit, count)
    let found = -1
    let fromTop = false
    for (let side = 0; side < 2; side++) {
      let g = 0
      let h = 0
      let c = 0
      for (let i = 0; i < most; i++) {
        const k = at + levelOrder[side ? count - 1 - i : i]! * CELL
        g += cells[k]!
        h += cells[k + 1]!
        c += cells[k + 2]!
        if (c < minLeaf || h < minHessian) continue
        const rest = H - h
        if (C - c < minLeaf || rest < minHessian) break
        const leftValue = valueWith(g, h, low, high, levelL2)
        const rightValue = valueWith(G - g, rest, low, high, levelL2)
        const gain = reduction(g, h, leftValue, levelL2) + reduction(G - g, rest, rightValue, levelL2) - parent
        if (gain <= best.gain) continue
        take(gain, f, 0, 0, g, h, c)
        found = i
        fromTop = side === 1
      }
    }
    if (found < 0) return
    const mask = new Uint32Array(MASK_WORDS)
    for (let i = 0; i <= found; i++) {
      const bin = levelOrder[fromTop ? count - 1 - i : i]!
      mask[bin >>> 5]! |= 1 << (bin & 31)
      if (bin === MISSING_BIN) best.defaultLeft = 1
    }
    // what this leaf has never seen goes where most of its rows go
    if (best.leftRows * 2 >= C && cells[at + MISSING_BIN * CELL + 2] === 0) {
      best.defaultLeft = 1
      for (let b = 0; b < used; b++) if (cells[at + b * CELL + 2] === 0) mask[b >>> 5]! |= 1 << (b & 31)
      mask[MISSING_BIN >>> 5]! |= 1 << (MISSING_BIN & 31)
    }
    best.mask = mask
  }

  return {
    find(leaf, start) {
      best.gain = 1e-9
      best.feature = -1
      for (let f = 0; f < width; f++) {
        if (columnOn[f] === 0) continue
        const at = start + f * stride
        if (bins.levelBins[f]) scanLevels(leaf, f, at)
        else if (plain) scanNumber(leaf, f, at)
        else scanBounded(leaf, f, at)
      }
      return best.feature < 0 ? null : { ...best }
    },
    valueOf: (gradient, hessian, low, high) => valueWith(gradient, hessian, low, high, 0),
  }
}
