import { describe, expect, it } from 'vitest'
import { defineModel } from '../../models/kit.ts'

const question = {
  name: 'leaves',
  entity: 'Learner',
  question: 'Will this learner leave?',
  bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
} as const

type Policy = Pick<Parameters<typeof defineModel>[0], 'abstain' | 'fallback' | 'rule'>

const define = (policy: Policy) =>
  defineModel({
    ...question,
    features: (f) => ({
      attempts14d: f.count('attempts', { at: 'submittedAt', days: 14 }),
      country: f.category('country', { immutable: true }),
    }),
    label: (f) => f.happens('cancellations.at', { within: { days: 30 } }),
    snapshots: { every: { days: 30 }, from: new Date('2024-01-01') },
    ...policy,
  })

describe('what a model file says about not answering', () => {
  it('arrives at the model, and does not ask for a new training', () => {
    const rule = () => 0.5
    const policy: Policy = { abstain: { missingShare: 0.5, width: 0.4 }, fallback: ['STORED', 'RULE'], rule }
    expect(define(policy)).toMatchObject(policy)
    expect(define(policy).schemaHash).toBe(define({}).schemaHash)
    expect(Object.keys(define({}))).not.toContain('fallback')
  })

  it.each([
    { policy: { abstain: { missingShare: 2 } }, message: /abstain.missingShare is 2/ },
    { policy: { abstain: { width: Number.NaN } }, message: /abstain.width is NaN/ },
    { policy: { fallback: ['RULE'] }, message: /falls back to a rule and has none/ },
    { policy: { fallback: ['GUESS'] }, message: /no fallback "GUESS"/ },
  ])('is refused by name when it cannot be: $message', ({ policy, message }) => {
    expect(() => define(policy as Policy)).toThrow(message)
  })
})
