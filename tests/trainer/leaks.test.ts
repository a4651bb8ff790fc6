import { describe, expect, it } from 'vitest'
import type { Column, Task } from '../../trainer/dataset.ts'
import { columnFindings, findLeaks } from '../../trainer/leaks.ts'
import { createRandom } from '../../trainer/random.ts'
import { statisticsOf } from '../../trainer/statistics.ts'

function tableOf(
  columns: Record<string, number[] | { levels: number; values: number[] }>,
  y: number[] = [],
  task: Task = 'binary',
) {
  const entries = Object.entries(columns)
  const valuesOf = (column: (typeof entries)[number][1]) => (Array.isArray(column) ? column : column.values)
  const n = valuesOf(entries[0]![1]).length
  const x = new Float32Array(n * entries.length)
  entries.forEach(([, column], at) => {
    valuesOf(column).forEach((value, row) => {
      x[row * entries.length + at] = value
    })
  })
  return {
    columns: entries.map(
      ([name, column]): Column =>
        Array.isArray(column)
          ? { name, kind: 'number' }
          : { name, kind: 'category', levels: Array.from({ length: column.levels }, (_, level) => `${level}`) },
    ),
    n,
    x,
    y: Float32Array.from(y),
    task,
  }
}

const n = 1000
const random = createRandom(12)
const y = Array.from({ length: n }, () => (random.next() < 0.3 ? 1 : 0))
const noise = () => Array.from({ length: n }, () => random.normal())

describe('the leak guard', () => {
  it('names each kind of leak and no honest feature', () => {
    const leaks = findLeaks(
      tableOf(
        {
          honest: y.map((label) => label + random.normal()),
          strong: y.map((label) => 3 * label + random.normal()),
          copy: y,
          almost: y.map((label) => 5 * label + random.normal()),
          folded: y.map(
            (label) => (label ? 1 : -1) * (random.next() < 0.5 ? 1 : -1) * (label ? 3 : 0.1) + 0.1 * random.normal(),
          ),
          closedAt: y.map((label) => (label ? random.normal() : Number.NaN)),
          sometimes: y.map(() => (random.next() < 0.3 ? Number.NaN : 1)),
          status: { levels: 4, values: y.map((label) => 2 * label + random.below(2)) },
          name: { levels: n, values: y.map((_, row) => row) },
        },
        y,
      ),
    )
    expect(Object.fromEntries(leaks.map((leak) => [leak.feature, leak.reason]))).toEqual({
      copy: 'equals-label',
      almost: 'auc',
      folded: 'auc',
      closedAt: 'missingness',
      status: 'equals-label',
    })
    for (const leak of leaks) expect(leak.message).toContain(leak.feature)
  })

  it('does not call a feature that tells one of three classes a leak', () => {
    const three = Array.from({ length: n }, () => random.below(3))
    const found = findLeaks(
      tableOf({ petal: three.map((label) => (label === 0 ? 0 : 1)), copy: three }, three, 'multiclass'),
    )
    expect(found.map((leak) => leak.feature)).toEqual(['copy'])
  })

  it('finds a label in other units in a regression', () => {
    const value = noise()
    const found = findLeaks(
      tableOf({ cents: value.map((v) => 100 * v), near: value.map((v) => v + random.normal()) }, value, 'regression'),
    )
    expect(found.map((leak) => leak.feature)).toEqual(['cents'])
  })

  it('keeps quiet where chance could separate so few rows', () => {
    expect(findLeaks(tableOf({ lucky: [1, 2, 3, 4] }, [0, 0, 1, 1]))).toEqual([])
    expect(findLeaks(tableOf({ any: [1, 2, 3] }, [0, 0, 0]))).toEqual([])
  })
})

describe('column findings', () => {
  it('name constant, duplicate and id-like columns, once each', () => {
    const value = noise()
    const found = columnFindings(
      tableOf({
        value,
        again: value,
        fixed: value.map(() => 4),
        empty: value.map(() => Number.NaN),
        rowNumber: value.map((_, row) => row + 17),
        key: { levels: n, values: value.map((_, row) => n - 1 - row) },
        age: value.map(() => random.below(80)),
        city: { levels: 40, values: value.map(() => random.below(40)) },
      }),
    )
    expect(found.map((finding) => [finding.feature, finding.finding])).toEqual([
      ['again', 'duplicate'],
      ['fixed', 'constant'],
      ['empty', 'constant'],
      ['rowNumber', 'id-like'],
      ['key', 'id-like'],
    ])
    expect(found[0]!.message).toContain('value')
  })
})

describe('column statistics', () => {
  it('give shares that sum to one over the known rows', () => {
    const value = noise().map((v, row) => (row % 4 === 0 ? Number.NaN : v))
    const [number, category, empty] = statisticsOf(
      tableOf({
        value,
        city: { levels: 3, values: value.map((_, row) => row % 2) },
        empty: value.map(() => Number.NaN),
      }),
    )
    expect(number!.missing).toBe(0.25)
    expect(number!.edges).toHaveLength(9)
    expect(number!.shares).toHaveLength(10)
    expect(number!.shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    for (const share of number!.shares) expect(share).toBeCloseTo(0.1, 2)
    expect(category).toMatchObject({ edges: [0.5, 1.5], shares: [0.5, 0.5, 0], mean: null })
    expect(empty).toMatchObject({ missing: 1, edges: [], shares: [0], min: null, max: null, mean: null })
  })
})
