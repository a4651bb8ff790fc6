import { type CsvShape, readCsv } from './csv.ts'
import { RawColumn } from './raw-column.ts'

/** A CSV file in memory, a typed column each. */
export interface Table {
  readonly path: string
  readonly shape: CsvShape
  /** Rows. */
  readonly n: number
  readonly columns: readonly RawColumn[]
  readonly warnings: readonly string[]
}

/**
 * Reads a file in one streaming pass. whole: names whose texts are all kept, however many (label, group). onRows is called
 * now and then with the rows so far.
 */
export async function readTable(
  path: string,
  whole: readonly string[],
  onRows: (rows: number) => void = () => {},
): Promise<Table> {
  const warnings: string[] = []
  let columns: RawColumn[] = []
  let found: CsvShape | undefined
  let n = 0
  await readCsv(
    path,
    (names, shape) => {
      found = shape
      columns = distinctNames(names, warnings).map(
        (name) => new RawColumn(name, { keepsEveryLevel: whole.includes(name), isCommaFree: shape.separator !== ',' }),
      )
    },
    (cells) => {
      for (let at = 0; at < cells.length; at++) columns[at]!.push(cells[at]!)
      n++
      if (n % 100_000 === 0) onRows(n)
    },
  )
  for (const column of columns) column.readLocalDates()
  if (columns.length > 1 && columns.every((column) => column.name !== '' && !Number.isNaN(Number(column.name)))) {
    warnings.push(`Every column name in ${path} is a number: does the file lack a header line?`)
  }
  return { path, shape: found!, n, columns, warnings }
}

function distinctNames(names: readonly string[], warnings: string[]): string[] {
  const seen = new Map<string, number>()
  return names.map((name, at) => {
    const base = name === '' ? `column ${at + 1}` : name
    const count = (seen.get(base) ?? 0) + 1
    seen.set(base, count)
    if (count === 1) return base
    warnings.push(
      `Column name ${base} appears ${count} times; the one in place ${at + 1} is called ${base} (${count}).`,
    )
    return `${base} (${count})`
  })
}
