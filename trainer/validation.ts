import type { Dataset } from './dataset.ts'
import { TrainerError } from './errors.ts'
import type { TrainOptions } from './options.ts'

/** Fewer rows than this leave no fold that says anything. */
export const FEWEST_ROWS = 20
/** Of each class: one for every fold, and for the hold-out. */
export const FEWEST_PER_CLASS = 5

/** Throws a TrainerError that says what cannot be learned from. Cheap enough for any thread. */
export function checkDataset(dataset: Dataset, options: TrainOptions): void {
  const { n, x, y, columns, task } = dataset
  if (columns.length === 0)
    throw new TrainerError('NO_COLUMNS', 'There is no column to learn from', 'Declare at least one feature.')
  if (n === 0) throw new TrainerError('NO_ROWS', 'There are 0 rows to learn from', 'Check the label and its window.')
  if (x.length !== n * columns.length || y.length !== n)
    throw new TrainerError(
      'BAD_DATASET',
      `${n} rows of ${columns.length} columns need ${n * columns.length} cells and ${n} labels, not ${x.length} and ${y.length}`,
      'x is row-major (n, columns), y is (n).',
    )
  for (const [name, values] of Object.entries({
    groups: dataset.groups,
    times: dataset.times,
    weights: dataset.weights,
    givenFolds: options.givenFolds,
  })) {
    if (values && values.length !== n)
      throw new TrainerError('BAD_DATASET', `${name} has ${values.length} entries for ${n} rows`, `Give one per row.`)
  }
  checkLabels(dataset)
  if (n < FEWEST_ROWS)
    throw new TrainerError(
      'NOT_ENOUGH_ROWS',
      `${n} rows are too few to learn from and be judged on; ${FEWEST_ROWS} are needed`,
      'Collect more rows, or widen the label window.',
    )
  if (task !== 'regression') checkClasses(dataset)
}

function checkLabels({ y, n, task, classes, weights }: Dataset): void {
  const most = task === 'binary' ? 2 : (classes?.length ?? Number.POSITIVE_INFINITY)
  let first = -1
  let isConstant = true
  for (let row = 0; row < n; row++) {
    const label = y[row]!
    const isGood =
      task === 'regression' ? Number.isFinite(label) : Number.isInteger(label) && label >= 0 && label < most
    if (!isGood)
      throw new TrainerError(
        'BAD_LABEL',
        `Row ${row} has the label ${label}`,
        task === 'regression' ? 'Labels are finite numbers.' : `Labels are whole numbers from 0 to ${most - 1}.`,
      )
    if (weights && !(weights[row]! >= 0 && Number.isFinite(weights[row]!)))
      throw new TrainerError('BAD_DATASET', `Row ${row} weighs ${weights[row]}`, 'Weights are finite and not negative.')
    if (row === 0) first = label
    else if (label !== first) isConstant = false
  }
  if (!isConstant || n < 2) return
  const name = task === 'regression' ? String(first) : (classes?.[first] ?? String(first))
  throw new TrainerError(
    'ONE_CLASS',
    `All ${n} rows have the label ${name}: there is nothing to tell apart`,
    'Check the label, its window, and whom the question is about.',
  )
}

function checkClasses({ y, n, classes, task }: Dataset): void {
  const counts = new Map<number, number>()
  for (let row = 0; row < n; row++) counts.set(y[row]!, (counts.get(y[row]!) ?? 0) + 1)
  for (const [label, count] of counts) {
    if (count >= FEWEST_PER_CLASS) continue
    const name = classes?.[label] ?? String(label)
    throw new TrainerError(
      'NOT_ENOUGH_ROWS',
      `Only ${count} of ${n} rows have the label ${name}; ${FEWEST_PER_CLASS} are needed`,
      task === 'multiclass'
        ? 'Merge rare classes, or collect more rows.'
        : 'Collect more rows, or widen the label window.',
    )
  }
}
