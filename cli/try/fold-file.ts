import { InklingError } from '../../platform/errors.ts'
import { readTable } from './table.ts'

/** The test fold of every row of a CSV file, named in `folds.csv:column`. */
export interface GivenFolds {
  /** Index into `names` per row of the data file. */
  readonly folds: Int32Array
  readonly names: readonly string[]
}

/** Reads `path:column` (the column may be left out when the file has one). Row order is the data file's order; n: its rows. */
export async function readFolds(given: string, n: number): Promise<GivenFolds> {
  const cut = given.lastIndexOf(':')
  const hasColumn = cut > 1 && !given.slice(cut).includes('/')
  const path = hasColumn ? given.slice(0, cut) : given
  const table = await readTable(path, [])
  const names = table.columns.map((column) => column.name)
  const wanted = hasColumn ? given.slice(cut + 1) : names.length === 1 ? names[0] : undefined
  const column = table.columns.find((entry) => entry.name === wanted)
  if (!column) {
    const message = wanted === undefined ? `${path} has ${names.length} columns` : `${path} has no column ${wanted}`
    throw new InklingError('BAD_USER_INPUT', message, `Name one of ${names.join(', ')}: --folds ${path}:${names[0]}`)
  }
  if (table.n !== n) {
    throw new InklingError(
      'BAD_USER_INPUT',
      `${path} has ${table.n} rows, the data ${n}`,
      'The fold file needs one line per data row, in the same order.',
    )
  }
  if (column.missing > 0 || column.reading === 'overflow') {
    throw new InklingError('BAD_USER_INPUT', `${column.missing} rows of ${path} have no fold`, 'Give every row a fold.')
  }
  const spellings = column.levelNames()
  const values = [...new Set(Array.from({ length: n }, (_, row) => column.values.at(row)))].sort((a, b) => a - b)
  if (values.length < 2 || values.length > 50) {
    throw new InklingError(
      'BAD_USER_INPUT',
      `${wanted} in ${path} has ${values.length} folds`,
      'Between 2 and 50 can be evaluated.',
    )
  }
  const index = new Map(values.map((value, at) => [value, at]))
  return {
    folds: Int32Array.from({ length: n }, (_, row) => index.get(column.values.at(row))!),
    names: values.map((value) => (column.reading === 'text' ? spellings[value]! : `${value}`)),
  }
}
