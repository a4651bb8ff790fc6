import { describe, expect, it } from 'vitest'
import { binOf, firstPositiveBin, probabilityShares } from '../../ml/monitoring/bins.ts'
import { performanceOf } from '../../ml/monitoring/performance.ts'
import { addServed, createSketchChanges, type Sketch } from '../../ml/monitoring/sketches.ts'
import { createRandom, measure } from '../../trainer/index.ts'

const key = { tenant: 't', model: 'm', versionId: 'v', threshold: 0.2337, day: '2026-03-01', slice: '' }

/** Calibrated probabilities of a low base rate, and labels drawn from them. */
function draw(n: number, seed: number, days = 1) {
  const random = createRandom(seed)
  const changes = createSketchChanges()
  const sketches = new Map<string, Sketch>()
  const p: number[] = []
  const y: number[] = []
  for (let row = 0; row < n; row++) {
    const probability = random.next() ** 3
    const label = random.next() < probability ? 1 : 0
    const day = { ...key, day: `2026-03-${String(1 + (row % days)).padStart(2, '0')}` }
    addServed(changes.of(day), probability)
    changes.label(day, probability, label, 1)
    const sketch = changes.of(day)
    sketch.answered++
    sketches.set(day.day, sketch)
    p.push(probability)
    y.push(label)
  }
  return { p, y, sketches: [...sketches.values()] }
}

describe('figures from sketches', () => {
  it('are those of the rows: decisions and losses exactly, ranking and calibration nearly', () => {
    const { p, y, sketches } = draw(5000, 1, 7)
    const { figures, labelled, positives } = performanceOf(sketches)
    const truth = measure('binary', y, p, { threshold: key.threshold })
    expect(labelled).toBe(5000)
    expect(positives).toBe(y.filter((label) => label === 1).length)
    for (const name of ['accuracy', 'precision', 'recall', 'logLoss', 'brier'] as const)
      expect(figures[name]).toBeCloseTo(truth[name]!, 10)
    expect(Math.abs(figures.auc! - truth.auc!)).toBeLessThan(0.002)
    expect(Math.abs(figures.calibrationError! - truth.ece!)).toBeLessThan(0.005)
  })

  it('are estimated before any label is known, near what labels say later', () => {
    const { figures, estimated } = performanceOf(draw(20_000, 2).sketches)
    for (const name of ['accuracy', 'precision', 'recall', 'auc'] as const)
      expect(Math.abs(estimated[name]! - figures[name]!), name).toBeLessThan(0.02)
    expect(Math.abs(estimated.logLoss! - figures.logLoss!)).toBeLessThan(0.02)
  })

  it('row 48: are null rather than NaN where there is nothing to divide by', () => {
    const empty = performanceOf([])
    expect(Object.values(empty.figures)).toEqual([null, null, null, null, null, null, null])
    expect(Object.values(empty.estimated).every((value) => value === null)).toBe(true)
    expect(empty).toMatchObject({ served: 0, labelled: 0, abstention: null, errors: null, intervals: {} })
    const changes = createSketchChanges()
    for (let row = 0; row < 50; row++) changes.label(key, 0.01, 0, 1)
    const { figures } = performanceOf([changes.of(key)])
    expect(figures).toMatchObject({ accuracy: 1, precision: null, recall: null, auc: null })
    expect(JSON.stringify(performanceOf([changes.of(key)]))).not.toContain('NaN')
  })

  it('take a label back without a trace', () => {
    const changes = createSketchChanges()
    changes.label(key, 0.3, 1, 1)
    changes.label(key, 0.3, 1, -1)
    const sketch = changes.of(key)
    expect(sketch.labelled.every((count) => count === 0) && sketch.positives.every((count) => count === 0)).toBe(true)
    expect(sketch.logLoss).toBeCloseTo(0, 12)
  })

  it('need the same space for many rows as for one', () => {
    const size = (rows: number) => {
      const changes = createSketchChanges()
      for (let row = 0; row < rows; row++) {
        addServed(changes.of(key), (row % 1000) / 1000)
        const feature = changes.featureOf({ tenant: 't', model: 'm', versionId: 'v', day: key.day, feature: 'x' }, 10)
        feature.counts[row % 12]! += 1
      }
      const sketch = changes.of(key)
      return [sketch.served.length, sketch.servedSum.length, sketch.labelled.length]
    }
    expect(size(200_000)).toEqual(size(1))
  })

  it('cut bins at the threshold, whatever it is', () => {
    for (const threshold of [1e-6, 0.05, 0.2337, 0.5, 0.999]) {
      expect(binOf(threshold, threshold)).toBe(firstPositiveBin(threshold))
      expect(binOf(threshold * (1 - 1e-12), threshold)).toBeLessThan(firstPositiveBin(threshold))
      expect(binOf(0, threshold)).toBe(0)
      expect(binOf(1, threshold)).toBe(120)
    }
    expect(probabilityShares([0, 1, 0.5]).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1)
  })
})
