import { describe, expect, it } from 'vitest'
import { judgePerformance, judgeShare } from '../../ml/alerts/findings.ts'
import type { Model } from '../../ml/define.ts'
import type { ModelVersion } from '../../ml/model-version.ts'
import { createSketchChanges } from '../../ml/monitoring/sketches.ts'
import { toyModel } from '../ml/toy-model.ts'

const span = { from: null, to: null }

describe('what is found', () => {
  it('raises a share that is surely above its bound, and clears it well below: nothing flickers between', () => {
    const state = (part: number, asked: number) =>
      judgeShare(toyModel(), 'ABSTENTION', { part, asked }, 0.2, span).state
    expect(state(30, 99)).toBe('UNKNOWN') // too few questions
    expect(state(22, 100)).toBe('BETWEEN') // above, and perhaps by chance
    expect(state(300, 1000)).toBe('RAISED')
    expect(state(190, 1000)).toBe('BETWEEN')
    expect(state(160, 1000)).toBe('CLEARED')
    expect(judgeShare(toyModel(), 'ERRORS', { part: 60, asked: 100 }, 0.05, span)).toMatchObject({
      breaches: [{ name: 'errors', value: 0.6, bound: 0.05 }],
      message: 'toy: 60.0 % of 100 predictions failed.',
    })
  })

  /** A hundred outcomes, so many of them as the threshold said. */
  function look(right: number, model: Model, contents: object = {}) {
    const changes = createSketchChanges()
    const key = { tenant: 't', model: 'toy', versionId: 'v', threshold: 0.3, day: '2026-03-01', slice: '' }
    for (let row = 0; row < 100; row++) {
      const isYes = row % 2 === 0
      changes.label(key, isYes ? 0.6 : 0.1, row < right === isYes ? 1 : 0, 1)
    }
    const version = { number: 4, contents: { metrics: {}, intervals: {}, ...contents } } as unknown as ModelVersion
    return judgePerformance(model, version, [changes.of(key)])
  }

  it('holds a figure against a declared bound, and clears it only 0.02 beyond', () => {
    const model = toyModel({ alerts: { accuracy: { min: 0.75 } } })
    expect(look(74, model)).toMatchObject({
      state: 'RAISED',
      breaches: [{ name: 'accuracy', value: 0.74, bound: 0.75 }],
    })
    expect(look(76, model).state).toBe('BETWEEN')
    expect(look(77, model).state).toBe('CLEARED')
    expect(look(77, { ...model, alerts: { accuracy: { min: 0.75 }, minimumRows: 101 } }).state).toBe('UNKNOWN')
  })

  it("holds an undeclared one against the hold-out's interval, where both decide at the same threshold", () => {
    const model = toyModel({ threshold: 0.3 })
    const heldOut = { metrics: { accuracy: 0.9, threshold: 0.3 }, intervals: { accuracy: [0.86, 0.93] } }
    expect(look(70, model, heldOut)).toMatchObject({ state: 'RAISED', breaches: [{ name: 'accuracy', bound: 0.86 }] })
    expect(look(85, model, heldOut).state).toBe('CLEARED') // the hold-out's own figure is among what 85 of 100 allow
    expect(look(81, model, heldOut).state).toBe('BETWEEN')
    const elsewhere = { ...heldOut, metrics: { accuracy: 0.9, threshold: 0.5 } }
    expect(look(70, model, elsewhere).breaches).toEqual([])
  })
})
