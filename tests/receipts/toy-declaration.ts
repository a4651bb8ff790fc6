import type { Model } from '../../ml/define.ts'
import { defineModel } from '../../models/kit.ts'

/** A model in own SQL with one number and one category, and what else is declared. */
export function createReceiptToy(declared: Pick<Model, 'slices' | 'lastKnown' | 'costs' | 'calibration'>): Model {
  return defineModel({
    name: 'leaving',
    entity: 'Learner',
    question: 'Will this learner leave?',
    features: { leftBefore: { kind: 'number' }, country: { kind: 'category' } },
    shape: 'none',
    read: async () => [],
    labels: async () => [],
    bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 },
    ...declared,
  })
}
