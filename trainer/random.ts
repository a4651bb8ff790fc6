/** A seeded generator: the same seed gives the same numbers on every machine. One generator belongs to one sequential walk. */
export interface Random {
  /** Uniform in [0, 1), 32 bits of resolution. */
  next(): number
  /** Uniform integer in 0..bound-1; bound up to 2^32. */
  below(bound: number): number
  /** Normal with mean 0 and deviation 1. */
  normal(): number
  /** Shuffles in place (Fisher-Yates). */
  shuffle(items: { [index: number]: number; readonly length: number }): void
  /** An independent generator, for a part that may be skipped or run on another thread. */
  fork(label: number): Random
}

/** xoshiro128** (Blackman and Vigna 2018), its state filled from the seed by splitmix32. */
export function createRandom(seed: number): Random {
  let filler = seed | 0
  const fill = (): number => {
    filler = (filler + 0x9e3779b9) | 0
    let mixed = filler ^ (filler >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return (mixed ^ (mixed >>> 15)) | 0
  }
  let a = fill()
  let b = fill()
  let c = fill()
  let d = fill()

  const bits = (): number => {
    const scaled = Math.imul(b, 5)
    const result = Math.imul((scaled << 7) | (scaled >>> 25), 9)
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = (d << 11) | (d >>> 21)
    return result >>> 0
  }
  const next = (): number => bits() / 4294967296
  const below = (bound: number): number => Math.floor(next() * bound)

  return {
    next,
    below,
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    shuffle: (items) => {
      for (let last = items.length - 1; last > 0; last--) {
        const other = below(last + 1)
        const kept = items[last]!
        items[last] = items[other]!
        items[other] = kept
      }
    },
    fork: (label) => createRandom(Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(label + 1, 0x85ebca6b)),
  }
}
