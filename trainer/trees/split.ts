import type { Column } from '../dataset.ts'
import { type Bins, MISSING_BIN } from './bins.ts'
import { MASK_WORDS } from './forest.ts'
import { CELL, COLUMN_BINS, type Histograms } from './histogram.ts'
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
  /** The best split of a leaf whose histogram starts at word `at`, or null. */
  find(leaf: Leaf, at: number): Split | null
  /** The score a leaf adds before the learning rate: -G / (H + l2), with L1 and the leaf's bounds. */
  valueOf(gradient: number, hessian: number, low: number, high: number): number
}

/** Levels with fewer rows in a leaf are not named by its split. */
const MIN_LEVEL_SUPPORT = 5

/** Gains are those of Chen and Guestrin 2016 (eq. 7) without the factor 1/2; level sets follow Fisher 1958: order by G/H, then cut. */
export function createSplitSearch(
  histograms: Histograms,
  columns: readonly Column[],
  bins: Bins,
  columnOn: Uint8Array,
  settings: TreeSettings,
): SplitSearch {
  const { cells, units } = histograms
  const { countBits } = units
  const countMask = 2 ** countBits - 1
  const hessianHigh = 2 ** (32 - countBits)
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

  const gradientAt = (k: number): number => cells[k + 1]! * 4294967296 + (cells[k]! >>> 0)
  const hessianAt = (k: number): number => cells[k + 3]! * hessianHigh + (cells[k + 2]! >>> countBits)
  const countAt = (k: number): number => cells[k + 2]! & countMask

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

  function scanBounded(leaf: Leaf, f: number, at: number): void {
    const { gradient: G, hessian: H, rows: C, low, high } = leaf
    const wanted = directions[f]!
    const parent = reduction(G, H, valueWith(G, H, low, high, 0), 0)
    const missingAt = at + MISSING_BIN * CELL
    const missing = countAt(missingAt) > 0 ? 1 : 0
    const last = bins.used[f]! - 1
    for (let direction = 0; direction <= missing; direction++) {
      let sumG = direction ? gradientAt(missingAt) : 0
      let sumH = direction ? hessianAt(missingAt) : 0
      let c = direction ? countAt(missingAt) : 0
      const end = last + (missing && !direction ? 1 : 0)
      for (let b = 0, k = at; b < end; b++, k += CELL) {
        sumG += gradientAt(k)
        sumH += hessianAt(k)
        c += countAt(k)
        const h = sumH * units.hessian
        if (c < minLeaf || h < minHessian) continue
        const rest = H - h
        if (C - c < minLeaf || rest < minHessian) break
        const g = sumG * units.gradient
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
      if (countAt(k) < MIN_LEVEL_SUPPORT) continue
      levelRank[bin] = (gradientAt(k) * units.gradient) / (hessianAt(k) * units.hessian + levelSmoothing)
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
      let sumG = 0
      let sumH = 0
      let c = 0
      for (let i = 0; i < most; i++) {
        const k = at + levelOrder[side ? count - 1 - i : i]! * CELL
        sumG += gradientAt(k)
        sumH += hessianAt(k)
        c += countAt(k)
        const h = sumH * units.hessian
        if (c < minLeaf || h < minHessian) continue
        const rest = H - h
        if (C - c < minLeaf || rest < minHessian) break
        const g = sumG * units.gradient
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
    if (best.leftRows * 2 >= C && countAt(at + MISSING_BIN * CELL) === 0) {
      best.defaultLeft = 1
      for (let b = 0; b < used; b++) if (countAt(at + b * CELL) === 0) mask[b >>> 5]! |= 1 << (b & 31)
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
        else if (plain) scanPlain(histograms, settings, leaf, f, at, bins.used[f]! - 1, best)
        else scanBounded(leaf, f, at)
      }
      return best.feature < 0 ? null : { ...best }
    },
    valueOf: (gradient, hessian, low, high) => valueWith(gradient, hessian, low, high, 0),
  }
}

/**
 * A number column without constraints, where gains need no leaf values: both directions of the missing rows. Nine tenths of all
 * cells are read here. Not a closure: the second closure of a kind is compiled without its constants, at a third of the speed.
 */
function scanPlain(
  { cells, units }: Histograms,
  { minLeaf, minHessian, l2 }: TreeSettings,
  leaf: Leaf,
  feature: number,
  at: number,
  last: number,
  best: Split,
): void {
  const { gradient: G, hessian: H, rows: C } = leaf
  const { countBits, gradient: gradientUnit, hessian: hessianUnit } = units
  const countMask = 2 ** countBits - 1
  const highUnit = 2 ** (32 - countBits)
  const parent = (G * G) / (H + l2)
  const missingAt = at + MISSING_BIN * CELL
  const missing = cells[missingAt + 2]! & countMask
  let bestGain = best.gain
  for (let direction = 0; direction < 2; direction++) {
    if (direction === 1 && missing === 0) break
    let sumG = 0
    let sumH = 0
    let c = 0
    let k = direction ? missingAt : at
    // with missing rows on the right, "all values left" is the question "is it missing?"
    const end = at + CELL * (last + (missing > 0 && direction === 0 ? 1 : 0))
    while (k === missingAt || k < end) {
      const low = cells[k + 2]!
      sumG += cells[k + 1]! * 4294967296 + (cells[k]! >>> 0)
      sumH += cells[k + 3]! * highUnit + (low >>> countBits)
      c += low & countMask
      const here = k
      k = k === missingAt ? at : k + CELL
      if (here === missingAt || c < minLeaf) continue
      if (C - c < minLeaf) break
      const h = sumH * hessianUnit
      const rest = H - h
      if (h < minHessian) continue
      if (rest < minHessian) break
      const g = sumG * gradientUnit
      const other = G - g
      const gain = (g * g) / (h + l2) + (other * other) / (rest + l2) - parent
      if (gain > bestGain) {
        bestGain = gain
        best.gain = gain
        best.feature = feature
        best.bin = (here - at) / CELL
        best.defaultLeft = missing > 0 ? direction : c * 2 >= C ? 1 : 0
        best.mask = null
        best.leftGradient = g
        best.leftHessian = h
        best.leftRows = c
      }
    }
  }
}
