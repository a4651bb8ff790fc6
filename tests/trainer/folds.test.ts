import { describe, expect, it } from 'vitest'
import { foldsOf, holdOut, type SplitBy, splitFor, trainTestOf } from '../../trainer/folds.ts'
import { createRandom } from '../../trainer/random.ts'

const n = 3000
function made(seed = 1) {
  const random = createRandom(seed)
  const groups = Int32Array.from({ length: n }, () => Math.floor(random.next() ** 2 * 200))
  const times = Float64Array.from({ length: n }, () => random.below(100) * 86_400_000)
  const y = Float32Array.from({ length: n }, (_, row) => (random.next() < 0.05 + 0.3 * (groups[row]! % 2) ? 1 : 0))
  return { n, y, task: 'binary' as const, groups, times }
}
const rateOf = (y: Float32Array, rows: Uint32Array) => rows.reduce((sum, row) => sum + y[row]!, 0) / rows.length

describe('folds', () => {
  it('keep the share of classes to one row when stratified', () => {
    const dataset = made()
    const folds = foldsOf(dataset, 5, 'stratified', 7)
    const positives = [0, 0, 0, 0, 0]
    const sizes = [0, 0, 0, 0, 0]
    folds.forEach((fold, row) => {
      sizes[fold]!++
      positives[fold]! += dataset.y[row]!
    })
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    expect(Math.max(...positives) - Math.min(...positives)).toBeLessThanOrEqual(1)
  })

  it('spread the label of a regression over all folds', () => {
    const random = createRandom(4)
    const y = Float32Array.from({ length: n }, () => Math.exp(3 * random.normal()))
    const folds = foldsOf({ n, y, task: 'regression' }, 5, 'stratified', 7)
    const median = y.toSorted()[n / 2]!
    for (let fold = 0; fold < 5; fold++) {
      const above = y.filter((value, row) => folds[row] === fold && value > median).length
      expect(Math.abs(above / (n / 5) - 0.5)).toBeLessThan(0.02)
    }
  })

  it('keep groups whole, and even in rows and label', () => {
    const dataset = made()
    const folds = foldsOf(dataset, 5, 'group', 7)
    const foldOfGroup = new Map<number, number>()
    folds.forEach((fold, row) => {
      expect(foldOfGroup.get(dataset.groups[row]!) ?? fold).toBe(fold)
      foldOfGroup.set(dataset.groups[row]!, fold)
    })
    for (let fold = 0; fold < 5; fold++) {
      const { test } = trainTestOf(dataset, folds, fold, 'group')
      expect(Math.abs(test.length - n / 5)).toBeLessThan(0.05 * n)
      expect(Math.abs(rateOf(dataset.y, test) - rateOf(dataset.y, Uint32Array.from(dataset.y.keys())))).toBeLessThan(
        0.06,
      )
    }
  })

  it('look backwards only when by time, and drop known groups when by time and group', () => {
    const dataset = made()
    for (const by of ['time', 'time+group'] as const) {
      const folds = foldsOf(dataset, 4, by, 7)
      let lastStart = Number.NEGATIVE_INFINITY
      for (let fold = 0; fold < 4; fold++) {
        const { train, test } = trainTestOf(dataset, folds, fold, by)
        const start = test.reduce((first, row) => Math.min(first, dataset.times[row]!), Number.POSITIVE_INFINITY)
        expect(test.length).toBeGreaterThan((by === 'time' ? 0.1 : 0.04) * n)
        expect(start).toBeGreaterThan(lastStart)
        for (const row of train) expect(dataset.times[row]!).toBeLessThan(start)
        if (by === 'time+group') {
          const tested = new Set(Array.from(test, (row) => dataset.groups[row]!))
          expect(train.some((row) => tested.has(dataset.groups[row]!))).toBe(false)
        }
        expect(train.length).toBeGreaterThan(0.1 * n)
        lastStart = start
      }
    }
  })

  it('are the same for the same seed and others for another', () => {
    for (const by of ['stratified', 'group'] as SplitBy[]) {
      expect(foldsOf(made(), 5, by, 7)).toEqual(foldsOf(made(), 5, by, 7))
      expect(foldsOf(made(), 5, by, 7)).not.toEqual(foldsOf(made(), 5, by, 8))
    }
  })

  it('survive fewer rows than folds', () => {
    const folds = foldsOf({ n: 2, y: Float32Array.of(0, 1), task: 'binary' }, 5, 'stratified', 1)
    expect([...folds].sort()).toEqual([0, 1])
    expect(foldsOf({ n: 0, y: new Float32Array(0), task: 'binary' }, 5, 'stratified', 1)).toHaveLength(0)
  })
})

describe('the hold-out', () => {
  it.each(['stratified', 'group', 'time', 'time+group'] as const)('by %s keeps its promise', (by) => {
    const dataset = made(2)
    const { train, test } = holdOut(dataset, by, 7)
    expect(train.length).toBeGreaterThan(test.length)
    expect(test.length).toBeGreaterThan(by === 'time+group' ? 0.02 * n : 0.15 * n)
    const trained = new Set(train)
    expect(test.some((row) => trained.has(row))).toBe(false)
    if (by.includes('group')) {
      const groups = new Set(Array.from(train, (row) => dataset.groups[row]!))
      expect(test.some((row) => groups.has(dataset.groups[row]!))).toBe(false)
    }
    if (by.includes('time')) {
      const latest = train.reduce((last, row) => Math.max(last, dataset.times[row]!), 0)
      for (const row of test) expect(dataset.times[row]!).toBeGreaterThan(latest)
    }
  })

  it('trains on nothing when every row has the same moment, rather than look ahead', () => {
    const dataset = { ...made(), times: new Float64Array(n) }
    expect(holdOut(dataset, 'time', 1).test).toHaveLength(0)
  })

  it('is chosen by what the rows know', () => {
    const { groups, times } = made()
    expect(splitFor({ groups, times })).toBe('time+group')
    expect(splitFor({ groups })).toBe('group')
    expect(splitFor({ times })).toBe('time')
    expect(splitFor({})).toBe('stratified')
  })
})
