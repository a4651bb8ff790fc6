import { describe, expect, it } from 'vitest'
import { createReceiptToy } from './toy-declaration.ts'

describe('what a model file declares about its judgement', () => {
  it('reaches the model', () => {
    const costs = { falsePositive: 1, falseNegative: 5 }
    expect(createReceiptToy({ slices: ['country'], lastKnown: 'leftBefore', costs })).toMatchObject({
      slices: ['country'],
      lastKnown: 'leftBefore',
      costs,
    })
    const model = createReceiptToy({})
    for (const name of ['slices', 'lastKnown', 'costs']) expect(model).not.toHaveProperty(name)
  })

  it('is refused with the names that exist, or with the fault', () => {
    expect(() => createReceiptToy({ slices: ['leftBefore'] })).toThrow('it slices by "leftBefore"')
    expect(() => createReceiptToy({ slices: ['city'] })).toThrow(
      expect.objectContaining({ hint: 'Use one of: country.' }),
    )
    expect(() => createReceiptToy({ lastKnown: 'country' })).toThrow('its last known value "country"')
    expect(() => createReceiptToy({ calibration: 'spline' as never })).toThrow('there is no calibration "spline"')
    expect(() => createReceiptToy({ costs: { falsePositive: 0, falseNegative: 1 } })).toThrow(
      'costs.falsePositive is 0',
    )
  })
})
