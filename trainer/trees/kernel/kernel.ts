import { assemble, type Code, code, type FunctionSource } from './assembler.ts'

/**
 * The inner loops of histogram building, in WebAssembly: one 128-bit add sums gradient, hessian and row count of a cell.
 * The same loops in JavaScript take 1.9 times as long. Addresses are bytes in `memory`.
 */
export interface Kernel {
  readonly memory: WasmMemory
  /** Zeroes bytes. */
  clear(at: number, bytes: number): void
  /** out[i] = pairs[order[i]], 16 bytes each. */
  gather(order: number, count: number, pairs: number, out: number): void
  /** Vectors of two i64: into[i] -= from[i]. */
  subtract(into: number, from: number, bytes: number): void
  /**
   * Adds pairs[i] to the cells of row order[i], for the columns of one group of four whose bits are set in `lanes`.
   * bins: 4 bytes a row; cells: 256 vectors a column.
   */
  sum(lanes: number, bins: number, order: number, pairs: number, count: number, cells: number): void
  /** The same over rows 0..count-1. */
  sumAll(lanes: number, bins: number, pairs: number, count: number, cells: number): void
}

/** The part of WebAssembly's JavaScript interface used here; the types of Node do not declare it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface Wasm {
  Memory: new (description: { initial: number; maximum: number }) => WasmMemory
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: Record<string, (...numbers: number[]) => void> }
}

export const PAGE = 65_536
const MOST_PAGES = 65_536

/** Bytes of one column's cells: 256 vectors. */
const COLUMN_BYTES = 4096
const ALL_LANES = 16

export function createKernel(): Kernel {
  const { Memory, Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly
  const memory = new Memory({ initial: 1, maximum: MOST_PAGES })
  const { exports } = new Instance(new Module(moduleBytes()), { host: { memory } })
  const sums = Array.from({ length: ALL_LANES }, (_, lanes) => exports[`sum${lanes}`])
  const sumsOfAll = Array.from({ length: ALL_LANES }, (_, lanes) => exports[`sumAll${lanes}`])
  const { clear, gather, subtract } = exports
  return {
    memory,
    clear: clear!,
    gather: gather!,
    subtract: subtract!,
    sum: (lanes, bins, order, pairs, count, cells) => sums[lanes]?.(bins, order, pairs, count, cells),
    sumAll: (lanes, bins, pairs, count, cells) => sumsOfAll[lanes]?.(bins, pairs, count, cells),
  }
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const functions: FunctionSource[] = [clearSource(), gatherSource(), subtractSource()]
  for (let lanes = 1; lanes < ALL_LANES; lanes++) functions.push(sumSource(lanes), sumAllSource(lanes))
  return assemble(functions)
}

function clearSource(): FunctionSource {
  const body = [code.get(0), code.number(0), code.get(1), code.fill]
  return { name: 'clear', parameters: 2, numbers: 0, vectors: 0, body }
}

/** Parameters order, count, pairs, out; local 4 is the end of order. */
function gatherSource(): FunctionSource {
  const [order, count, pairs, out, end] = [0, 1, 2, 3, 4] as const
  const body = [
    ...endOf(order, count, 2, end),
    code.get(count),
    code.when(
      code.repeat(
        code.get(out),
        ...[code.get(pairs), code.get(order), code.load(), code.number(4), code.shiftLeft, code.add],
        code.loadVector(),
        code.storeVector(),
        ...advance(out, 16),
        ...advance(order, 4),
        ...[code.get(order), code.get(end), code.isBelow],
      ),
    ),
  ]
  return { name: 'gather', parameters: 4, numbers: 1, vectors: 0, body }
}

function subtractSource(): FunctionSource {
  const [into, from, bytes, end] = [0, 1, 2, 3] as const
  const body = [
    ...endOf(into, bytes, 0, end),
    code.get(bytes),
    code.when(
      code.repeat(
        ...[code.get(into), code.get(into), code.loadVector(), code.get(from), code.loadVector()],
        ...[code.subtractVectors, code.storeVector()],
        ...advance(into, 16),
        ...advance(from, 16),
        ...[code.get(into), code.get(end), code.isBelow],
      ),
    ),
  ]
  return { name: 'subtract', parameters: 3, numbers: 1, vectors: 0, body }
}

/** Parameters bins, order, pairs, count, cells; locals end, word, cell; vector pair. */
function sumSource(lanes: number): FunctionSource {
  const [bins, order, pairs, count, cells, end, word, cell, pair] = [0, 1, 2, 3, 4, 5, 6, 7, 8] as const
  const body = [
    ...endOf(order, count, 2, end),
    code.get(count),
    code.when(
      code.repeat(
        ...[code.get(bins), code.get(order), code.load(), code.number(2), code.shiftLeft, code.add],
        ...[code.load(), code.set(word)],
        ...[code.get(pairs), code.loadVector(), code.set(pair)],
        ...addToCells(lanes, cells, word, cell, pair),
        ...advance(pairs, 16),
        ...advance(order, 4),
        ...[code.get(order), code.get(end), code.isBelow],
      ),
    ),
  ]
  return { name: `sum${lanes}`, parameters: 5, numbers: 3, vectors: 1, body }
}

/** Parameters bins, pairs, count, cells; locals end, word, cell; vector pair. */
function sumAllSource(lanes: number): FunctionSource {
  const [bins, pairs, count, cells, end, word, cell, pair] = [0, 1, 2, 3, 4, 5, 6, 7] as const
  const body = [
    ...endOf(bins, count, 2, end),
    code.get(count),
    code.when(
      code.repeat(
        ...[code.get(bins), code.load(), code.set(word)],
        ...[code.get(pairs), code.loadVector(), code.set(pair)],
        ...addToCells(lanes, cells, word, cell, pair),
        ...advance(pairs, 16),
        ...advance(bins, 4),
        ...[code.get(bins), code.get(end), code.isBelow],
      ),
    ),
  ]
  return { name: `sumAll${lanes}`, parameters: 4, numbers: 3, vectors: 1, body }
}

/** For every lane, the vector at cells + lane * 4096 + bin * 16 grows by the pair. The word holds four bins, lane 0 lowest. */
function addToCells(lanes: number, cells: number, word: number, cell: number, pair: number): Code[] {
  const out: Code[] = []
  for (let lane = 0; lane < 4; lane++) {
    if (((lanes >>> lane) & 1) === 0) continue
    const shift = 8 * lane - 4
    // bin * 16 straight from the word: shifted by 4 less, and masked
    out.push(code.get(word), code.number(Math.abs(shift)), shift < 0 ? code.shiftLeft : code.shiftRight)
    out.push(code.number(0xff0), code.and, code.get(cells), code.add, code.tee(cell))
    out.push(code.get(cell), code.loadVector(lane * COLUMN_BYTES), code.get(pair), code.addVectors)
    out.push(code.storeVector(lane * COLUMN_BYTES))
  }
  return out
}

/** end = start + (count << shift) */
function endOf(start: number, count: number, shift: number, end: number): Code[] {
  return [code.get(start), code.get(count), code.number(shift), code.shiftLeft, code.add, code.set(end)]
}

function advance(local: number, bytes: number): Code[] {
  return [code.get(local), code.number(bytes), code.add, code.set(local)]
}
