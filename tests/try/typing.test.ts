import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isMissing, momentOf, numberOf } from '../../cli/try/cell.ts'
import { datasetOf } from '../../cli/try/dataset.ts'
import { isCount, readLabel } from '../../cli/try/label.ts'
import { readTable } from '../../cli/try/table.ts'
import { typeColumns } from '../../cli/try/typing.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inkling-typing-'))
})
afterAll(() => rm(folder, { recursive: true }))

/** A table of 400 rows, a function of the row number per column. */
async function tableOf(columns: Record<string, (row: number) => unknown>, rows = 400, separator = ',') {
  const names = Object.keys(columns)
  const lines = Array.from({ length: rows }, (_, row) => names.map((name) => `${columns[name]!(row)}`).join(separator))
  const path = join(folder, 'table.csv')
  await writeFile(path, `${[names.join(separator), ...lines].join('\n')}\n`)
  return readTable(path, ['y'])
}
const scrambled = (row: number): number => (Math.imul(row + 1, 2654435761) >>> 0) % 100_003

describe('cells', () => {
  it.each(['', 'NA', 'n/a', '?', 'null', 'None', 'NaN', '\\N', '#N/A'])('%j is missing', (cell) => {
    expect(isMissing(cell)).toBe(true)
  })
  it.each(['0', '-', 'no', 'unknown', 'nana', 'nullable'])('%j is not missing', (cell) => {
    expect(isMissing(cell)).toBe(false)
  })
  it.each([
    ['12', 12],
    ['-3.5e2', -350],
    ['.5', 0.5],
    ['+7.', 7],
    ['$1,200.50', 1200.5],
    ['1,234,567', 1234567],
    ['37 %', 37],
    ['-€5', -5],
    ['0.05', 0.05],
    ['-inf', Number.NEGATIVE_INFINITY],
  ])('%s is %d', (cell, value) => {
    expect(numberOf(cell, false)).toBe(value)
  })
  it.each(['007', '1,2', '1.2.3', '12a', '0x1f', '1e', '--5', 'e5', '1 2'])('%s is no number', (cell) => {
    expect(numberOf(cell, false)).toBeNaN()
  })
  it('a decimal comma counts where commas do not separate cells', () => {
    expect(numberOf('3,14', true)).toBe(3.14)
    expect(numberOf('3,14', false)).toBeNaN()
  })
  it.each([
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['2024/2/9', '2024-02-09T00:00:00Z'],
    ['2024-02-29 13:45', '2024-02-29T13:45:00Z'],
    ['2024-02-29T13:45:10.123+02:00', '2024-02-29T11:45:10Z'],
    ['31.12.2023', '2023-12-31T00:00:00Z'],
    ['12/31/2023', '2023-12-31T00:00:00Z'],
  ])('%s is %s', (cell, iso) => {
    expect(new Date(momentOf(cell)).toISOString()).toBe(new Date(iso).toISOString())
  })
  it.each(['2023-02-29', '2024-13-01', '12345678', '31/12/2023 soon', '1.2.3456789'])('%s is no date', (cell) => {
    expect(momentOf(cell)).toBeNaN()
  })
  it('3/4 is read as the whole column says', () => {
    expect(new Date(momentOf('03/04/2024', 'day-first')).getUTCMonth()).toBe(3)
    expect(new Date(momentOf('03/04/2024', 'month-first')).getUTCMonth()).toBe(2)
  })
})

describe('column types', () => {
  it('are found from the values', async () => {
    const table = await tableOf({
      price: (row) => (row % 7 === 0 ? '' : (scrambled(row) / 7).toFixed(2)),
      age: (row) => scrambled(row) % 60,
      isMember: (row) => row % 2,
      joined: (row) => `2023-0${1 + (row % 9)}-15`,
      signed: (row) => `${1 + (row % 28)}/11/2023`,
      plan: (row) => ['basic', 'pro', 'NA'][row % 3],
      zip: (row) => `0${1000 + (row % 20)}`,
      shelf: (row) => [10, 20, 35, 90][row % 4],
      mixed: (row) => (row < 200 ? row % 5 : `v${row % 3}`),
      sameAll: () => 'x',
      nothing: () => '?',
      rowNumber: (row) => row + 100,
      customerId: (row) => scrambled(row),
      code: (row) => `K${scrambled(row)}`,
      review: (row) => `the room was number ${scrambled(row)} and the breakfast came late again`,
      assessment_id: (row) => 1750 + (row % 6),
    })
    const types = Object.fromEntries(
      typeColumns(table, new Set()).map((column) => [column.name, `${column.type}/${column.use}`]),
    )
    expect(types).toEqual({
      price: 'number/number',
      age: 'integer/number',
      isMember: 'flag/number',
      joined: 'date/number',
      signed: 'date/number',
      plan: 'category/category',
      zip: 'category/category',
      shelf: 'category/category',
      mixed: 'category/category',
      sameAll: 'constant/dropped',
      nothing: 'constant/dropped',
      rowNumber: 'id-like/dropped',
      customerId: 'id-like/dropped',
      code: 'id-like/dropped',
      review: 'text/dropped',
      assessment_id: 'category/category',
    })
  })

  it('do not take words that end in id for identifiers', async () => {
    const table = await tableOf({ paid: (row) => scrambled(row) % 300, valid: (row) => scrambled(row) % 300 })
    expect(typeColumns(table, new Set()).map((column) => column.use)).toEqual(['number', 'number'])
  })

  it('spell numbers back when a text turns up late', async () => {
    const table = await tableOf({ size: (row) => (row === 399 ? 'XL' : [0.1, 2.5, 40][row % 3]) })
    expect(table.columns[0]!.levelNames()).toEqual(['0.1', '2.5', '40', 'XL'])
  })

  it('read 100,000 texts and then stop keeping them', async () => {
    const table = await tableOf({ token: (row) => `t${row}`, y: (row) => `u${row}` }, 100_005)
    expect(table.columns[0]!.reading).toBe('overflow')
    expect(table.columns[1]!.levels.size).toBe(100_005)
    expect(typeColumns(table, new Set(['y']))[0]).toMatchObject({ use: 'dropped', distinct: null })
  })
})

describe('labels', () => {
  const labelOf = async (y: (row: number) => unknown, options: Parameters<typeof readLabel>[2] = {}) => {
    const table = await tableOf({ y, x: (row) => row })
    return readLabel(table.columns[0]!, table.n, options)
  }

  it('with two values are binary, the obvious one positive', async () => {
    const label = await labelOf((row) => (row % 4 ? 'Yes' : 'No'))
    expect(label).toMatchObject({ task: 'binary', classes: ['No', 'Yes'], warnings: [] })
    expect(label.y.reduce((sum, value) => sum + value, 0)).toBe(300)
  })

  it('without an obvious positive take the rarer one and say so', async () => {
    const label = await labelOf((row) => (row % 4 ? 'stay' : 'go'))
    expect(label.classes).toEqual(['stay', 'go'])
    expect(label.warnings[0]).toContain('go')
  })

  it('leave rows without one out', async () => {
    const label = await labelOf((row) => (row % 5 === 0 ? '' : row % 2))
    expect(label.rows).toHaveLength(320)
    expect(label.rows[0]).toBe(1)
    expect(label.warnings[0]).toContain('80 rows')
  })

  it('take the class that --positive names against the rest', async () => {
    const label = await labelOf((row) => ['a', 'b', 'c'][row % 3], { positive: 'B' })
    expect(label).toMatchObject({ task: 'binary', classes: ['not b', 'b'] })
    expect(label.y.filter((value) => value === 1)).toHaveLength(133)
    await expect(labelOf((row) => row % 2, { positive: '7' })).rejects.toThrow('--positive 7 is no value of y')
  })

  it('with few even integers are classes, with skewed counts or many values numbers', async () => {
    expect(await labelOf((row) => row % 3)).toMatchObject({ task: 'multiclass', classes: ['0', '1', '2'] })
    expect((await labelOf((row) => (row === 0 ? 7 : row % 3))).task).toBe('regression')
    expect((await labelOf((row) => row % 20)).task).toBe('regression')
    expect((await labelOf((row) => row % 3, { task: 'regression' })).task).toBe('regression')
    expect((await labelOf((row) => `k${row % 20}`)).classes).toHaveLength(20)
  })

  it('that count things are told from measures and grades', () => {
    expect(isCount(Float32Array.of(0, 0, 1, 0, 3, 1, 0, 2, 0, 6))).toBe(true)
    expect(isCount(Float32Array.of(0, 0.5, 1, 0, 3))).toBe(false)
    expect(isCount(Float32Array.of(0, -1, 1, 0, 3))).toBe(false)
    expect(isCount(Float32Array.of(0, 8, 10, 12, 11, 15, 20, 9))).toBe(false)
    expect(isCount(Float32Array.of(1, 2, 3, 3, 2, 2, 4))).toBe(false)
  })

  it('that cannot be learned are refused with the reason', async () => {
    await expect(labelOf(() => 1)).rejects.toThrow('y is 1 in all 400 rows')
    await expect(labelOf(() => '')).rejects.toThrow('No row has a value of y')
    await expect(labelOf((row) => `t${row}`)).rejects.toThrow('400 different values')
    await expect(labelOf((row) => `t${row % 3}`, { task: 'regression' })).rejects.toThrow('is text')
  })
})

describe('the dataset', () => {
  it('holds levels in alphabetical order, days for dates, NaN for missing, and groups as numbers', async () => {
    const table = await tableOf(
      {
        plan: (row) => ['pro', 'basic', '?'][row % 3],
        at: () => '1970-01-11',
        far: (row) => (row === 1 ? '1e60' : row),
        who: (row) => `g${row % 2}`,
        y: (row) => row % 2,
      },
      60,
    )
    const label = readLabel(table.columns[4]!, table.n, {})
    const typed = typeColumns(table, new Set(['who', 'y'])).map((column) =>
      column.name === 'at' || column.name === 'far' ? { ...column, use: 'number' as const } : column,
    )
    const { dataset, warnings } = datasetOf(table, label, typed, { group: table.columns[3] })
    expect(dataset.columns).toEqual([
      { name: 'plan', kind: 'category', levels: ['basic', 'pro'] },
      { name: 'at', kind: 'number' },
      { name: 'far', kind: 'number' },
    ])
    expect([...dataset.x.subarray(0, 9)]).toEqual([1, 10, 0, 0, 10, Number.NaN, Number.NaN, 10, 2])
    expect([...dataset.groups!.subarray(0, 3)]).toEqual([0, 1, 0])
    expect(warnings[0]).toContain('far is infinite')
  })
})
