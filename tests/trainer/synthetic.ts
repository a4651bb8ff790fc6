import { type Column, createRandom, type Dataset, type Task } from '../../trainer/index.ts'

/** Tables with every ugliness a row may have: missing cells, infinities, levels nobody declared. Deterministic by seed. */
export function syntheticRows(n: number, columns: readonly Column[], seed: number, isUgly = true): Float32Array {
  const random = createRandom(seed)
  const x = new Float32Array(n * columns.length)
  for (let at = 0; at < x.length; at++) {
    const column = columns[at % columns.length]!
    const levels = column.levels?.length ?? 0
    const draw = isUgly ? random.next() : 1
    if (draw < 0.1) x[at] = Number.NaN
    else if (column.kind === 'category') x[at] = draw < 0.13 ? levels + random.below(5) : random.below(levels)
    else if (draw < 0.12) x[at] = draw < 0.11 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY
    else x[at] = random.normal() * (at % 3 === 0 ? 100 : 1)
  }
  return x
}

export function syntheticColumns(numbers: number, levels: readonly number[]): Column[] {
  return [
    ...Array.from({ length: numbers }, (_, at): Column => ({ name: `number${at}`, kind: 'number' })),
    ...levels.map(
      (count, at): Column => ({
        name: `level${at}`,
        kind: 'category',
        levels: Array.from({ length: count }, (_, level) => `v${level}`),
      }),
    ),
  ]
}

/** Labels that depend on numbers, their product, missingness and levels. */
export function syntheticDataset(
  n: number,
  options: { numbers?: number; levels?: readonly number[]; task?: Task; seed?: number; isUgly?: boolean } = {},
): Dataset {
  const { numbers = 4, levels = [5, 40], task = 'binary', seed = 1, isUgly = true } = options
  const columns = syntheticColumns(numbers, levels)
  const x = syntheticRows(n, columns, seed, isUgly)
  const random = createRandom(seed + 1000)
  const width = columns.length
  const effects = columns.map((column) => (column.levels ?? []).map(() => random.normal()))
  const y = new Float32Array(n)
  for (let row = 0; row < n; row++) {
    let score = 0
    for (let f = 0; f < width; f++) {
      const cell = x[row * width + f]!
      if (Number.isNaN(cell)) score += f % 2 ? 0.7 : -0.4
      else if (columns[f]!.kind === 'category') score += effects[f]![cell] ?? 0
      else score += Math.max(-2, Math.min(2, cell)) * (f % 2 ? 0.6 : -0.9)
    }
    if (task === 'regression') y[row] = score + random.normal() / 2
    else if (task === 'multiclass') {
      const noisy = score + random.normal()
      y[row] = noisy < -0.7 ? 0 : noisy < 0.7 ? 1 : 2
    } else y[row] = random.next() < 1 / (1 + Math.exp(-score)) ? 1 : 0
  }
  const classes = task === 'binary' ? ['no', 'yes'] : task === 'multiclass' ? ['low', 'middle', 'high'] : undefined
  return { columns, n, x, y, task, ...(classes ? { classes } : {}) }
}
