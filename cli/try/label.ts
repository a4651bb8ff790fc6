import { InklingError } from '../../platform/errors.ts'
import type { Task } from '../../trainer/dataset.ts'
import type { RawColumn } from './raw-column.ts'

/** What is to be learnt. */
export interface Label {
  readonly name: string
  readonly task: Task
  /** binary: [negative, positive]; multiclass: by index; regression: none. */
  readonly classes?: readonly string[]
  /** Rows with a label, in file order. */
  readonly rows: Uint32Array
  /** Label of each of `rows`. */
  readonly y: Float32Array
  readonly warnings: readonly string[]
}

const mostClasses = 100
const positiveWords = ['1', 'true', 'yes', 'y', 't', 'positive', 'pos', 'churned', 'churn', 'default', 'fraud']

/**
 * Reads a label column. Two values make a binary task, texts up to 100 classes, integers 3 to 10 in number that are each
 * in at least 2 % of the rows classes, other numbers a regression; `task` overrides. positive names the class whose probability is asked.
 */
export function readLabel(column: RawColumn, n: number, options: { positive?: string; task?: Task }): Label {
  const { name } = column
  const rows = new Uint32Array(n - column.missing)
  for (let row = 0, at = 0; row < n; row++) if (!Number.isNaN(column.values.at(row))) rows[at++] = row
  const warnings: string[] = []
  if (rows.length < n) {
    warnings.push(`${(n - rows.length).toLocaleString('en')} rows without ${name} are left out.`)
  }
  if (rows.length === 0) {
    throw new InklingError('NOT_ENOUGH_ROWS', `No row has a value of ${name}`, 'Give another label column.')
  }
  const counts = countsOf(column, rows)
  const names = column.reading === 'text' ? column.levelNames() : undefined
  const task = options.task ?? taskOf(column, rows.length, counts)
  if (task === 'regression') {
    if (names)
      throw new InklingError(
        'BAD_USER_INPUT',
        `${name} is text and cannot be a number to predict`,
        'Leave --task out, or correct the column.',
      )
    if (counts?.size === 1) throw oneValue(name, rows.length, `${counts.keys().next().value}`)
    return { name, task, rows, y: labelsOf(rows, (row) => column.values.at(row)), warnings }
  }
  if (!counts || counts.size > mostClasses) {
    const size = counts ? `${counts.size}` : 'more than 1,000'
    throw new InklingError(
      'BAD_USER_INPUT',
      `${name} has ${size} different values, more than the ${mostClasses} classes that can be told apart`,
      names ? 'Merge the rare ones, or give another label column.' : 'Use --task regression.',
    )
  }
  const spelled = [...counts].map(([value, count]) => ({ value, count, spelling: names ? names[value]! : `${value}` }))
  spelled.sort((a, b) => (names ? (a.spelling < b.spelling ? -1 : 1) : a.value - b.value))
  if (spelled.length === 1) throw oneValue(name, rows.length, spelled[0]!.spelling)
  if (task === 'multiclass' && options.positive === undefined) {
    return classified(name, 'multiclass', spelled, column, rows, warnings)
  }
  const positive = positiveOf(name, spelled, options.positive, warnings)
  if (spelled.length > 2) {
    const rest = spelled.filter((entry) => entry !== positive).map((entry) => entry.spelling)
    warnings.push(`${rest.join(', ')} are taken together as "not ${positive.spelling}".`)
    const y = labelsOf(rows, (row) => (column.values.at(row) === positive.value ? 1 : 0))
    return { name, task: 'binary', classes: [`not ${positive.spelling}`, positive.spelling], rows, y, warnings }
  }
  const ordered = [spelled.find((entry) => entry !== positive)!, positive]
  return classified(name, 'binary', ordered, column, rows, warnings)
}

/** A plain loop: `Float32Array.from` with a function first makes a list of all rows. */
function labelsOf(rows: Uint32Array, labelOf: (row: number) => number): Float32Array {
  const y = new Float32Array(rows.length)
  for (let at = 0; at < rows.length; at++) y[at] = labelOf(rows[at]!)
  return y
}

interface Spelled {
  readonly value: number
  readonly count: number
  readonly spelling: string
}

function classified(
  name: string,
  task: Task,
  classes: readonly Spelled[],
  column: RawColumn,
  rows: Uint32Array,
  warnings: string[],
): Label {
  const index = new Map(classes.map((entry, at) => [entry.value, at]))
  const y = labelsOf(rows, (row) => index.get(column.values.at(row))!)
  return { name, task, classes: classes.map((entry) => entry.spelling), rows, y, warnings }
}

function taskOf(column: RawColumn, rows: number, counts: Map<number, number> | null): Task {
  if (counts && counts.size === 2) return 'binary'
  if (column.reading === 'text') return 'multiclass'
  if (column.reading === 'date') return 'regression'
  if (!counts || counts.size > 10 || counts.size < 2) return 'regression'
  const isClasses = [...counts].every(([value, count]) => Number.isInteger(value) && count >= 0.02 * rows)
  return isClasses ? 'multiclass' : 'regression'
}

function positiveOf(name: string, classes: readonly Spelled[], asked: string | undefined, warnings: string[]): Spelled {
  if (asked !== undefined) {
    const wanted = asked.trim().toLowerCase()
    const match =
      classes.find((entry) => entry.spelling === asked.trim()) ??
      classes.find((entry) => entry.spelling.toLowerCase() === wanted || Number(entry.spelling) === Number(wanted))
    if (match) return match
    const values = classes.slice(0, 10).map((entry) => entry.spelling)
    throw new InklingError(
      'BAD_USER_INPUT',
      `--positive ${asked} is no value of ${name}`,
      `Its values are ${values.join(', ')}${classes.length > 10 ? ', ...' : ''}.`,
    )
  }
  const obvious = classes.filter((entry) => positiveWords.includes(entry.spelling.toLowerCase()))
  if (obvious.length === 1) return obvious[0]!
  const rarer = classes.reduce((best, entry) => (entry.count <= best.count ? entry : best))
  warnings.push(`The positive class of ${name} is taken to be ${rarer.spelling}, the rarer one; --positive chooses.`)
  return rarer
}

/** Whole numbers from 0 on, few on average and spread at least as Poisson's law would: claims, visits, tickets. */
export function isCount(y: Float32Array): boolean {
  let sum = 0
  let least = Number.POSITIVE_INFINITY
  for (const value of y) {
    if (value < 0 || !Number.isInteger(value)) return false
    sum += value
    least = Math.min(least, value)
  }
  const mean = sum / y.length
  const variance = y.reduce((total, value) => total + (value - mean) ** 2, 0) / y.length
  return least === 0 && mean < 5 && variance >= 0.7 * mean
}

/** Value -> rows, or null past 1,000 values. */
function countsOf(column: RawColumn, rows: Uint32Array): Map<number, number> | null {
  const counts = new Map<number, number>()
  for (const row of rows) {
    const value = column.values.at(row)
    counts.set(value, (counts.get(value) ?? 0) + 1)
    if (counts.size > 1000) return null
  }
  return counts
}

function oneValue(name: string, rows: number, value: string): InklingError {
  return new InklingError(
    'ONE_CLASS',
    `${name} is ${value} in all ${rows.toLocaleString('en')} rows: there is nothing to tell apart`,
    'Give rows of both kinds, or another label column.',
  )
}
