import { createReadStream } from 'node:fs'
import { basename } from 'node:path'
import { CsvError, type Info, parse } from 'csv-parse'
import { InklingError } from '../../../../platform/errors.ts'

/** One line of a CSV file whose cells are read by column and checked; every fault names file, line and column. */
export interface CsvLine<Column extends string> {
  readonly line: number
  /** The cell, which must not be empty. */
  text(column: Column): string
  /** The cell, null when empty. */
  optionalText(column: Column): string | null
  /** A whole number within low..high. */
  integer(column: Column, low?: number, high?: number): number
  optionalInteger(column: Column, low?: number, high?: number): number | null
  /** A number within low..high. */
  number(column: Column, low: number, high: number): number
  optionalNumber(column: Column, low: number, high: number): number | null
  /** What the cell stands for; `meanings` has every spelling that is allowed. */
  oneOf<T>(column: Column, meanings: Readonly<Record<string, T>>): T
  /** The error to throw about a cell. */
  fault(column: Column, expected: string): InklingError
}

const HINT = 'Correct the file or fetch it anew; nothing of this import was kept.'

function importFault(message: string, cause?: unknown): InklingError {
  return new InklingError('IMPORT_INVALID', message, HINT, { cause })
}

/** Streams the lines of a CSV file with a header. Columns may come in any order; others are ignored. Throws IMPORT_INVALID. */
export async function* readCsv<Column extends string>(
  path: string,
  columns: readonly Column[],
  onBytes: (read: number) => void,
): AsyncGenerator<CsvLine<Column>> {
  const file = basename(path)
  const stream = createReadStream(path)
  stream.on('data', (piece) => onBytes(piece.length))
  const parser = stream.pipe(parse({ bom: true, info: true, relaxColumnCount: true, skipEmptyLines: true, trim: true }))
  stream.on('error', (error) => parser.destroy(error))
  let header: string[] | null = null
  try {
    for await (const { info, record } of parser as AsyncIterable<{ info: Info; record: string[] }>) {
      if (!header) {
        header = checkHeader(file, record, columns)
        continue
      }
      if (record.length !== header.length)
        throw importFault(`${file}, line ${info.lines}: ${record.length} columns, expected ${header.length}.`)
      yield createLine(file, info.lines, header, record)
    }
  } catch (error) {
    if (error instanceof CsvError) {
      const line = typeof error.lines === 'number' ? `, line ${error.lines}` : ''
      throw importFault(`${file}${line}: ${error.message}`, error)
    }
    throw error
  } finally {
    stream.destroy()
  }
  if (!header) throw importFault(`${file}, line 1: the file is empty, expected the columns ${columns.join(', ')}.`)
}

function checkHeader(file: string, header: string[], columns: readonly string[]): string[] {
  const missing = columns.filter((column) => !header.includes(column))
  if (missing.length === 0) return header
  throw importFault(
    `${file}, line 1: no column ${missing.join(', ')}; found ${header.join(', ').slice(0, 300)}. Expected ${columns.join(', ')}.`,
  )
}

function createLine<Column extends string>(
  file: string,
  line: number,
  header: readonly string[],
  record: readonly string[],
): CsvLine<Column> {
  const cell = (column: Column) => record[header.indexOf(column)]!

  function fault(column: Column, expected: string): InklingError {
    return importFault(`${file}, line ${line}, column ${column}: ${JSON.stringify(cell(column))} is not ${expected}.`)
  }
  function numberIn(column: Column, low: number, high: number, isWhole: boolean): number {
    const value = Number(cell(column))
    if (cell(column) !== '' && value >= low && value <= high && (!isWhole || Number.isInteger(value))) return value
    throw fault(column, `a ${isWhole ? 'whole ' : ''}number from ${low} to ${high}`)
  }
  function optionalText(column: Column): string | null {
    const value = cell(column)
    // PostgreSQL stores no NUL, and U+FFFD is what the decoder puts where bytes were not UTF-8.
    if (value.includes('\0') || value.includes('\ufffd')) throw fault(column, 'text in UTF-8')
    return value === '' ? null : value
  }
  const reader: CsvLine<Column> = {
    line,
    fault,
    optionalText,
    text(column) {
      const value = optionalText(column)
      if (value === null) throw fault(column, 'a value')
      return value
    },
    integer: (column, low = 0, high = 2 ** 31 - 1) => numberIn(column, low, high, true),
    optionalInteger: (column, low, high) => (cell(column) === '' ? null : reader.integer(column, low, high)),
    number: (column, low, high) => numberIn(column, low, high, false),
    optionalNumber: (column, low, high) => (cell(column) === '' ? null : reader.number(column, low, high)),
    oneOf(column, meanings) {
      const value = cell(column)
      if (Object.hasOwn(meanings, value)) return meanings[value as keyof typeof meanings]!
      throw fault(column, `one of ${Object.keys(meanings).join(', ')}`)
    },
  }
  return reader
}
