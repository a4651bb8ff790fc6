import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCsv } from '../../cli/try/csv.ts'
import { readTable } from '../../cli/try/table.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkling-csv-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function fileOf(content: string | Uint8Array, name = 'data.csv'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function read(content: string | Uint8Array, name?: string) {
  const rows: string[][] = []
  const lines: number[] = []
  let header: string[] = []
  let separator = ''
  await readCsv(
    await fileOf(content, name),
    (names, shape) => {
      header = names
      separator = shape.separator
    },
    (cells, line) => {
      rows.push(cells)
      lines.push(line)
    },
  )
  return { header, separator, rows, lines }
}

describe('reading CSV', () => {
  const cells = [
    ['1', 'a; b', 'say "hi"'],
    ['2', 'c\td', 'two\nlines'],
    ['3', 'ü|é', 'x,y'],
  ]
  const written = (separator: string, newline: string) =>
    [['id', 'name', 'text'], ...cells]
      .map((row) => row.map((cell) => (/^\w+$/.test(cell) ? cell : `"${cell.replaceAll('"', '""')}"`)).join(separator))
      .join(newline) + newline

  it.each([',', ';', '\t', '|'])('finds the separator %j by itself', async (separator) => {
    const found = await read(written(separator, '\n'))
    expect(found.separator).toBe(separator)
    expect(found.header).toEqual(['id', 'name', 'text'])
    expect(found.rows).toEqual(cells)
  })

  it.each([
    [
      'CRLF',
      (text: string) => new TextEncoder().encode(text.replaceAll('\n', '\r\n').replace('two\r\nlines', 'two\nlines')),
    ],
    ['a BOM', (text: string) => new TextEncoder().encode(`\uFEFF${text}`)],
    ['UTF-16', (text: string) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['Windows-1252', (text: string) => Buffer.from(text, 'latin1')],
  ])('reads %s', async (_, encode) => {
    expect((await read(encode(written(',', '\n')))).rows).toEqual(cells)
  })

  it('unpacks .gz', async () => {
    expect((await read(gzipSync(written(';', '\n')), 'data.csv.gz')).rows).toEqual(cells)
  })

  it('reads a file without a last newline, and skips blank lines', async () => {
    expect((await read('a,b\n1,2\n\n3,4')).rows).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  it('does not take a comma inside quotes for the separator', async () => {
    expect((await read('a;b\n"1,5,6";2\n"2,5,6";3\n')).separator).toBe(';')
  })

  it.each([
    ['too few cells', 'a,b\n1,2\n3\n4,5\n', 'line 3 has 1 cell, its header 2'],
    ['too many cells', 'a,b\r\n1,2\r\n3,4,5\r\n', 'line 3 has 3 cells, its header 2'],
    ['text after a quote', 'a,b\n1,2\n"x"y,2\n', 'line 3: text follows a closing quote'],
    ['a quote inside a cell', 'a,b\n1,2\n3,4\nx"y,2\n', 'line 4: a quote stands inside'],
    ['an open quote', 'a,b\n1,2\n"x,2\n3,4\n5,6\n', 'line 3: a quote is opened and never closed'],
    ['lines inside quotes before', 'a,b\n"1\n1",2\n3\n', 'line 4 has 1 cell'],
    ['nothing', '', 'is empty'],
  ])('names the line of %s', async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message)
  })

  it('gives up on an open quote after 1 MB instead of at the end of the file', async () => {
    const line = 'some text, and more of it\n'
    await expect(read(`a,b\n1,2\n"open,2\n${line.repeat(60_000)}`)).rejects.toThrow('line 3: a record goes on')
  })

  it('names a file that is not there', async () => {
    await expect(readTable(join(folder, 'absent.csv'), [])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
    await expect(readTable(folder, [])).rejects.toThrow('is a folder')
  })
})

describe('a table', () => {
  it('tells names apart that appear twice or are blank', async () => {
    const table = await readTable(await fileOf('a,,a\n1,2,3\n'), [])
    expect(table.columns.map((column) => column.name)).toEqual(['a', 'column 2', 'a (2)'])
    expect(table.warnings).toHaveLength(1)
  })

  it('warns when the first line looks like data', async () => {
    const table = await readTable(await fileOf('1.5,2\n3,4\n'), [])
    expect(table.warnings[0]).toContain('header')
  })

  it('keeps the numbers of large integers and many rows', async () => {
    const rows = Array.from({ length: 66_000 }, (_, row) => `${row},${9007199254740000 + row},0.1`)
    const table = await readTable(await fileOf(`a,b,c\n${rows.join('\n')}\n`), [])
    expect(table.n).toBe(66_000)
    for (const row of [0, 65_535, 65_536, 65_999]) {
      expect(table.columns[0]!.values.at(row)).toBe(row)
      expect(table.columns[1]!.values.at(row)).toBe(9007199254740000 + row)
    }
    expect(table.columns[2]!.values.at(1)).toBeCloseTo(0.1, 6)
  })
})
