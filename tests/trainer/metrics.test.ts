import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  auc,
  bestThreshold,
  bootstrapIntervals,
  confusion,
  curveOf,
  ece,
  logLoss,
  measure,
  reliability,
  sliceMetrics,
} from '../../trainer/metrics.ts'
import { orderOf } from '../../trainer/order.ts'
import { createRandom } from '../../trainer/random.ts'

interface Vector {
  name: string
  y: number[]
  p: number[]
  weights: number[] | null
  [metric: string]: unknown
}
const vectors = JSON.parse(readFileSync(new URL('vectors/metrics.json', import.meta.url), 'utf8')) as {
  sklearn: string
  binary: Vector[]
  regression: Vector[]
  multiclass: Vector & { classes: number }
}

function expectMetrics(actual: Record<string, number | null>, recorded: Vector): void {
  for (const [name, value] of Object.entries(actual)) {
    if (typeof recorded[name] !== 'number') continue
    expect(Math.abs((value ?? Number.NaN) - recorded[name]), name).toBeLessThan(1e-9 * Math.max(1, recorded[name]))
  }
}

describe(`metrics against scikit-learn ${vectors.sklearn}`, () => {
  it.each(vectors.binary)('agree to 1e-9 on a binary vector with $name', (vector) => {
    const metrics = measure('binary', vector.y, vector.p, vector.weights ? { weights: vector.weights } : {})
    expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['auc', 'prAuc', 'logLoss', 'brier', 'accuracy', 'f1']))
    expectMetrics(metrics, vector)
    const [trueNegative, falsePositive, falseNegative, truePositive] = vector.confusion as number[]
    expect(confusion(vector.y, vector.p, 0.5)).toEqual({ trueNegative, falsePositive, falseNegative, truePositive })
  })

  it('agree to 1e-9 on regression, weighted and not', () => {
    for (const vector of vectors.regression) {
      expectMetrics(
        measure('regression', vector.y, vector.p, vector.weights ? { weights: vector.weights } : {}),
        vector,
      )
    }
  })

  it('agree to 1e-9 on four classes', () => {
    expectMetrics(measure('multiclass', vectors.multiclass.y, vectors.multiclass.p, { classes: 4 }), vectors.multiclass)
  })
})

describe('degenerate vectors', () => {
  it('answer null instead of NaN', () => {
    const empty = measure('binary', [], [])
    expect(Object.values(empty).every((value) => value === null)).toBe(true)
    const oneClass = measure('binary', [1, 1, 1], [0.2, 0.7, 0.9])
    expect(oneClass.auc).toBeNull()
    expect(oneClass.prAuc).toBeNull()
    expect(oneClass.logLoss).toBeCloseTo(-(Math.log(0.2) + Math.log(0.7) + Math.log(0.9)) / 3, 12)
    expect(measure('regression', [], [])).toEqual({ rmse: null, mae: null, r2: null })
    expect(measure('regression', [4, 4], [3, 5])).toEqual({ rmse: 1, mae: 1, r2: null })
    expect(measure('multiclass', [0, 0], [0.5, 0.25, 0.25, 0.2, 0.4, 0.4], { classes: 3 }).auc).toBeNull()
    expect(bestThreshold([0, 0], [0.1, 0.2])).toBeNull()
    expect(curveOf([1, 1], [0.1, 0.2])).toEqual([])
    expect(measure('binary', [0, 1], [0.1, 0.2]).precision).toBeNull()
  })

  it('give a wrong certainty a finite log-loss', () => {
    expect(logLoss([1], [0])).toBeCloseTo(36.04, 2)
  })

  it('give one row and constant scores a half', () => {
    expect(auc([0, 1, 0, 1], [0.5, 0.5, 0.5, 0.5])).toBe(0.5)
  })
})

describe('the reliability table', () => {
  it('has bins of equal mass and does not depend on row order among ties', () => {
    const random = createRandom(1)
    const rows = Array.from({ length: 1000 }, () => {
      const p = Math.round(random.next() * 20) / 20
      return { p, y: random.next() < p ? 1 : 0 }
    })
    const table = reliability(
      rows.map((row) => row.y),
      rows.map((row) => row.p),
      10,
    )
    expect(table.map((bin) => bin.rows)).toEqual(Array(10).fill(100))
    const turned = rows.toReversed()
    const again = reliability(
      turned.map((row) => row.y),
      turned.map((row) => row.p),
      10,
    )
    again.forEach((bin, at) => {
      expect(bin.seen).toBeCloseTo(table[at]!.seen, 12)
    })
    expect(table.reduce((sum, bin) => sum + bin.seen * bin.rows, 0)).toBeCloseTo(
      rows.reduce((sum, row) => sum + row.y, 0),
      9,
    )
  })

  it('finds the error of a probability that is half of the truth', () => {
    const n = 20_000
    const random = createRandom(5)
    const truth = Array.from({ length: n }, () => random.next())
    const y = truth.map((p) => (random.next() < p ? 1 : 0))
    expect(ece(y, truth)).toBeLessThan(0.015)
    expect(
      ece(
        y,
        truth.map((p) => p / 2),
      ),
    ).toBeGreaterThan(0.2)
  })
})

describe('thresholds', () => {
  it('follow the declared costs', () => {
    const random = createRandom(2)
    const p = Array.from({ length: 20_000 }, () => random.next())
    const y = p.map((value) => (random.next() < value ? 1 : 0))
    // calling positive pays where p * falseNegative > (1 - p) * falsePositive
    expect(bestThreshold(y, p, { falsePositive: 1, falseNegative: 4 })).toBeCloseTo(0.2, 1)
    expect(bestThreshold(y, p, { falsePositive: 4, falseNegative: 1 })).toBeCloseTo(0.8, 1)
  })

  it('call nobody positive where a false alarm costs more than everything missed', () => {
    const threshold = bestThreshold([0, 1, 0, 0], [0.1, 0.3, 0.6, 0.2], { falsePositive: 100, falseNegative: 1 })!
    expect(confusion([0, 1, 0, 0], [0.1, 0.3, 0.6, 0.2], threshold).falsePositive).toBe(0)
  })
})

describe('orderOf', () => {
  it.each([100, 20_000])('sorts %i doubles of every kind stably', (n) => {
    const random = createRandom(n)
    const kinds = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 5e-324, -1.5, 1e300]
    const values = Array.from({ length: n }, () => (random.next() < 0.3 ? kinds[random.below(8)]! : random.normal()))
    const order = orderOf(values)
    expect(new Set(order).size).toBe(n)
    for (let at = 1; at < n; at++) {
      const [before, after] = [values[order[at - 1]!]!, values[order[at]!]!]
      const isRising = before < after || (Number.isNaN(after) && !Number.isNaN(before))
      const isTie = before === after || (Number.isNaN(before) && Number.isNaN(after))
      if (!(isRising || (isTie && order[at - 1]! < order[at]!))) expect.fail(`${before} stands before ${after}`)
    }
  })
})

describe('bootstrap intervals', () => {
  it('hold the truth about as often as they say', () => {
    let held = 0
    for (let trial = 0; trial < 60; trial++) {
      const random = createRandom(trial)
      const y = Array.from({ length: 150 }, () => random.normal() + 3)
      const { mean } = bootstrapIntervals(
        150,
        (weights) => ({ mean: y.reduce((sum, value, row) => sum + value * weights[row]!, 0) / 150 }),
        { repeats: 150, seed: trial, level: 0.9 },
      )
      if (mean![0] <= 3 && 3 <= mean![1]) held++
    }
    expect(held / 60).toBeGreaterThan(0.78)
    expect(held / 60).toBeLessThan(0.99)
  })

  it('are wider when whole groups are drawn, and null where a metric cannot be had', () => {
    const groups = Int32Array.from({ length: 400 }, (_, row) => row % 20)
    const y = [...groups].map((group) => (group % 2) * 2)
    const meanOf = (weights: Float64Array) => {
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return { mean: y.reduce((sum, value, row) => sum + value * weights[row]!, 0) / total, absent: null }
    }
    const alone = bootstrapIntervals(400, meanOf)
    const grouped = bootstrapIntervals(400, meanOf, { groups })
    expect(grouped.mean![1] - grouped.mean![0]).toBeGreaterThan(2 * (alone.mean![1] - alone.mean![0]))
    expect(grouped.absent).toBeNull()
  })
})

describe('slices', () => {
  it('measure each named slice on its own rows and keep quiet about small ones', () => {
    const slices = Int8Array.from({ length: 100 }, (_, row) => (row < 60 ? 0 : row < 70 ? 1 : -1))
    const table = sliceMetrics(slices, ['north', 'south'], (rows) => ({ rows: rows.length, first: rows[0]! }))
    expect(table).toEqual([
      { slice: 'north', rows: 60, metrics: { rows: 60, first: 0 } },
      { slice: 'south', rows: 10, metrics: null },
    ])
  })
})
