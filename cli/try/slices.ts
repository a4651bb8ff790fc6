import { InklingError } from '../../platform/errors.ts'
import type { Dataset } from '../../trainer/dataset.ts'
import { type Metrics, sliceMetrics } from '../../trainer/metrics.ts'
import { type Evaluation, measureOf } from './evaluation.ts'

/** The pooled metrics of the rows with one value of a column; null where they are too few. */
export interface Slice {
  readonly column: string
  readonly slice: string
  readonly rows: number
  readonly metrics: Metrics | null
}

/** Throws BAD_USER_INPUT for a column that is not there or has no levels. */
export function checkSlices({ columns }: Dataset, names: readonly string[]): void {
  const categories = columns.filter(({ kind }) => kind === 'category').map(({ name }) => name)
  for (const name of names) {
    if (categories.includes(name)) continue
    const isNumber = columns.some((column) => column.name === name)
    throw new InklingError(
      'BAD_USER_INPUT',
      isNumber ? `--slice ${name}: it is a number, not a category.` : `--slice ${name}: no feature has that name.`,
      isNumber
        ? `Read it as one with --category ${name}, or slice by ${categories.join(', ') || 'another column'}.`
        : `Slice by one of: ${categories.join(', ') || 'there is no category'}.`,
    )
  }
}

export function slicesOf(dataset: Dataset, evaluation: Evaluation, names: readonly string[]): Slice[] {
  const { columns, x, classes } = dataset
  const { rows, y, predicted, pooled } = evaluation
  const outputs = dataset.task === 'multiclass' ? classes!.length : 1
  return names.flatMap((name) => {
    const index = columns.findIndex((column) => column.name === name)
    const levels = columns[index]!.levels ?? []
    // missing cells are a slice of their own, after the levels
    const sliceOfRow = Int32Array.from(rows, (row) => {
      const level = x[row * columns.length + index]!
      return Number.isNaN(level) ? levels.length : level
    })
    const measureAt = (at: Uint32Array) => {
      const own = new Float32Array(at.length * outputs)
      at.forEach((from, to) => {
        own.set(predicted.subarray(from * outputs, (from + 1) * outputs), to * outputs)
      })
      const labels = Float32Array.from(at, (row) => y[row]!)
      return measureOf(dataset, labels, own, pooled.threshold ?? undefined)
    }
    return sliceMetrics(sliceOfRow, [...levels, '(missing)'], measureAt)
      .filter((slice) => slice.rows > 0)
      .sort((a, b) => b.rows - a.rows)
      .map((slice) => ({ column: name, ...slice }))
  })
}
