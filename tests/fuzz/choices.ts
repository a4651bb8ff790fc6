/** Choices in the order in which they are made, out of numbers that fast-check drew and can shrink. All zeros is the smallest thing. */
export interface Choices {
  /** 0 .. n - 1. */
  below(n: number): number
  /** True in about so many of a hundred cases; never once the numbers are used up. */
  percent(n: number): boolean
  of<T>(values: readonly T[]): T
}

export function createChoices(numbers: readonly number[]): Choices {
  let at = 0
  const next = () => numbers[at++] ?? 0
  return {
    below: (n) => next() % n,
    percent: (n) => next() % 100 >= 100 - n,
    of: (values) => values[next() % values.length]!,
  }
}
