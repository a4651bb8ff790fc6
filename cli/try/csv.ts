import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import { InklingError, messageOf } from '../../platform/errors.ts'

/** How a file is written, found from its first bytes. */
export interface CsvShape {
  readonly separator: string
  readonly encoding: 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'
}

const sniffedBytes = 65_536
/** One record cannot be longer: a quote that never closes is found here instead of at the end of a huge file. */
const longestRecord = 1024 * 1024
const separators = [',', ';', '\t', '|']

/**
 * Streams a CSV file: `onHeader` once with the trimmed names, then `onRow` per record with its cells and line number. Separator (, ; tab |),
 * encoding (UTF-8 or UTF-16 with or without BOM, else Windows-1252), CRLF and quotes are found out; `.gz` is unpacked. Empty lines are
 * skipped. Throws IMPORT_INVALID naming the line where a record is malformed or has another number of cells than the header.
 */
export async function readCsv(
  path: string,
  onHeader: (names: string[], shape: CsvShape) => void,
  onRow: (cells: string[], line: number) => void,
): Promise<void> {
  const head = await headOf(path)
  const encoding = encodingOf(head)
  const separator = separatorOf(new TextDecoder(encoding).decode(head))
  let width = 0
  let lastLine = 0
  const parser = parse({
    delimiter: separator,
    bom: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: longestRecord,
    on_record: (cells: string[], { lines }) => {
      lastLine = lines
      if (width === 0) {
        width = cells.length
        onHeader(
          cells.map((name) => name.trim()),
          { separator, encoding },
        )
      } else if (cells.length === width) onRow(cells, lines)
      else if (cells.length > 1 || cells[0]!.trim() !== '')
        throw widthError(path, lines, cells.length, width, separator)
      return null
    },
  })
  const text = bytesOf(path).pipeThrough(new TextDecoderStream(encoding)) as WebStream
  try {
    for await (const _ of Readable.fromWeb(text).pipe(parser)) {
      // records are taken in on_record; reading on keeps the stream flowing
    }
  } catch (error) {
    throw readError(path, error, lastLine + 1)
  }
  if (width === 0) throw new InklingError('IMPORT_INVALID', `${path} is empty`, 'Give a CSV file with a header line.')
}

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>

function bytesOf(path: string, end?: number): Bytes {
  const file = createReadStream(path, { highWaterMark: 1 << 20, ...(end === undefined ? {} : { end }) })
  return Readable.toWeb(path.endsWith('.gz') ? file.pipe(createGunzip()) : file) as Bytes
}

async function headOf(path: string): Promise<Uint8Array> {
  let file: Awaited<ReturnType<typeof open>>
  try {
    file = await open(path)
  } catch (error) {
    throw new InklingError('BAD_USER_INPUT', `Cannot read ${path}: ${messageOf(error)}`, 'Check the path.', {
      cause: error,
    })
  }
  try {
    if ((await file.stat()).isDirectory()) {
      throw new InklingError('BAD_USER_INPUT', `${path} is a folder`, 'Give the path of a CSV file.')
    }
    if (path.endsWith('.gz')) return await firstBytes(bytesOf(path))
    const { buffer, bytesRead } = await file.read(new Uint8Array(sniffedBytes), 0, sniffedBytes, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function firstBytes(bytes: Bytes): Promise<Uint8Array> {
  for await (const part of bytes) return part.subarray(0, sniffedBytes)
  return new Uint8Array(0)
}

function encodingOf(head: Uint8Array): CsvShape['encoding'] {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  try {
    // the last character may be cut in half, which streaming decoding forgives
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true })
    return 'utf-8'
  } catch {
    return 'windows-1252'
  }
}

/** The separator that cuts the first lines into the same number of cells, more than one; among several the one with most cells. */
function separatorOf(head: string): string {
  const lines = linesOf(head).slice(0, 50)
  let best = ','
  let bestScore = 0
  for (const separator of separators) {
    const widths = lines.map((line) => line.split(separator).length)
    const width = widths[0] ?? 1
    if (width < 2) continue
    const agreeing = widths.filter((other) => other === width).length / widths.length
    const score = agreeing * agreeing * (1 + Math.log(width) / 10)
    if (score > bestScore) {
      bestScore = score
      best = separator
    }
  }
  return best
}

/** Whole lines without their quoted parts, so that separators inside quotes do not count. */
function linesOf(head: string): string[] {
  const bare = head.replace(/"(?:[^"]|"")*"/g, 'q')
  const lines = bare.split(/\r\n|\n|\r/)
  if (lines.length > 1) lines.pop()
  return lines.filter((line) => line.trim() !== '')
}

function widthError(path: string, line: number, cells: number, width: number, separator: string): InklingError {
  const name = separator === '\t' ? 'tab' : separator
  return new InklingError(
    'IMPORT_INVALID',
    `${path} line ${line} has ${cells} ${cells === 1 ? 'cell' : 'cells'}, its header ${width}`,
    `Cells are separated by ${name}; put cells that contain it in double quotes.`,
  )
}

/** start: the line on which the record that failed begins; the parser itself only knows where it gave up. */
function readError(path: string, error: unknown, start: number): unknown {
  if (!(error instanceof CsvError)) return error
  const what: Record<string, [message: string, hint: string]> = {
    CSV_QUOTE_NOT_CLOSED: ['a quote is opened and never closed', 'Close it, or double quotes that belong to the text.'],
    CSV_MAX_RECORD_SIZE: ['a record goes on for more than 1 MB', 'A quote is opened and not closed there, or nearby.'],
    CSV_INVALID_CLOSING_QUOTE: ['text follows a closing quote', 'Double quotes that belong to the text: "".'],
    INVALID_OPENING_QUOTE: [
      'a quote stands inside an unquoted cell',
      'Quote the whole cell and double the quotes in it.',
    ],
  }
  const [message, hint] = what[error.code] ?? [error.message, 'Correct the line.']
  return new InklingError('IMPORT_INVALID', `${path} line ${start}: ${message}`, hint, { cause: error })
}
