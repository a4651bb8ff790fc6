import { describe, expect, it } from 'vitest'
import { bindKit } from '../../ml/define.ts'
import { type InklingError, isInklingError } from '../../platform/errors.ts'
import { type GymTypes, gym } from './gym.ts'

// What types refuse is written past them here, as JavaScript would.
// biome-ignore lint/suspicious/noExplicitAny: the mistakes under test are type errors
type Loose = any
const defineModel = bindKit<GymTypes>(gym) as (definition: Loose) => unknown

const right = {
  name: 'leaves',
  entity: 'Membership',
  question: 'Will this member leave?',
  features: (f: Loose) => ({ visits: f.count('visits', { at: 'at' }) }),
  label: (f: Loose) => f.happens('leftAt', { within: { days: 20 } }),
  snapshots: { every: { days: 15 }, from: 'bornAt' },
  bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
}

function faultOf(definition: Loose): InklingError {
  try {
    defineModel(definition)
  } catch (error) {
    if (isInklingError(error)) return error
    throw error
  }
  throw new Error('It was accepted.')
}
const feature = (create: (f: Loose) => unknown) => ({ ...right, features: (f: Loose) => ({ wrong: create(f) }) })

describe('a model with a mistake', () => {
  it('is accepted without one', () => {
    expect(() => defineModel(right)).not.toThrow()
  })

  it.each<[string, (f: Loose) => unknown, RegExp]>([
    ['a plain column', (f) => f.category('hometown'), /"hometown" is a plain column/],
    ['an unknown column', (f) => f.field('weight', { immutable: true }), /no column or relation "weight"/],
    ['a name of Object', (f) => f.field('constructor', { immutable: true }), /no column or relation "constructor"/],
    ['an unknown relation', (f) => f.count('payments', { at: 'at' }), /no column or relation "payments"/],
    ['a relation where a column belongs', (f) => f.field('club', { immutable: true }), /is a relation, not a column/],
    ['a column where a list belongs', (f) => f.count('height', { at: 'at' }), /"height" is no list/],
    ['a list without time', (f) => f.count('visits'), /nothing says when a row/],
    ['a window without events', (f) => f.count('passes', { validFrom: 'startsAt', days: 3 }), /`days` counts back/],
    ['a time that is no date', (f) => f.count('visits', { at: 'minutes' }), /"minutes" .* not DateTime/],
    ['no days', (f) => f.count('visits', { at: 'at', days: 0 }), /days is 0 days/],
    ['days that are not finite', (f) => f.count('visits', { at: 'at', days: Number.NaN }), /days is NaN/],
    ['days that are SQL', (f) => f.count('visits', { at: 'at', days: "1'; --" }), /days is NaN/],
    ['a mean of texts', (f) => f.avg('visits', 'kind', { at: 'at' }), /"kind" of type VisitKind is no number/],
    ['a number that is a date', (f) => f.field('bornAt', { immutable: true }), /of type DateTime is no number/],
    ['a category of bytes', (f) => f.category('secret', { immutable: true }), /of type Bytes is no category/],
    ['a column that is a list', (f) => f.category('tags', { immutable: true }), /"tags" holds a list/],
    ['an implicit many-to-many', (f) => f.count('friends', { immutable: true }), /many-to-many/],
    ['a path behind a list', (f) => f.category('club.visits.kind.x', { at: 'at' }), /goes on behind the list/],
    ['an undefined condition', (f) => f.count('visits', { at: 'at', where: { kind: undefined } }), /is undefined/],
    [
      'an undefined bound',
      (f) => f.count('visits', { at: 'at', where: { minutes: { gt: undefined } } }),
      /is undefined/,
    ],
    ['an empty condition', (f) => f.count('visits', { at: 'at', where: { minutes: {} } }), /is empty/],
    [
      'an operator of Prisma',
      (f) => f.count('visits', { at: 'at', where: { kind: { contains: 'S' } } }),
      /"contains" is no condition/,
    ],
    [
      'an operator of Object',
      (f) => f.count('visits', { at: 'at', where: { minutes: { toString: 1 } } }),
      /"toString" is no condition/,
    ],
    ['an order of texts', (f) => f.count('visits', { at: 'at', where: { kind: { gt: 'A' } } }), /no order/],
    ['a value of another type', (f) => f.count('visits', { at: 'at', where: { minutes: '1 OR 1=1' } }), /is no value/],
    [
      'a number that is none',
      (f) => f.count('visits', { at: 'at', where: { minutes: Number.NaN } }),
      /NaN is no value/,
    ],
    ['a condition on nothing', (f) => f.count('visits', { at: 'at', where: { 'x" OR 1=1 --': 1 } }), /has no column/],
    ['a text with a zero byte', (f) => f.count('visits', { at: 'at', where: { kind: 'S\0' } }), /is no value/],
    ['a plain date', (f) => f.daysSince('bornAt'), /"bornAt" is a plain date/],
    ['f.from without a promise', (f) => f.from({ height: true }, () => 1), /an earlier value of one that changes/],
    ['f.from of a list', (f) => f.from({ visits: true }, () => 1, { immutable: true }), /"visits" is a list/],
    ['f.from of nothing', (f) => f.from({}, () => 1, { immutable: true }), /names no column/],
    [
      'a ratio of f.from',
      (f) =>
        f.ratio(
          f.from({ height: true }, () => 1, { immutable: true }),
          f.count('visits', { at: 'at' }),
        ),
      /ratio/,
    ],
    ['the latest of what has no time', (f) => f.last('visits', 'minutes', { immutable: true }), /no latest/],
    ['a monotone category', (f) => f.category('hometown', { immutable: true, monotone: 1 }), /no order to be monotone/],
  ])('is refused for %s, naming model and feature', (_, create, message) => {
    const fault = faultOf(feature(create))
    expect(fault.code).toBe('FEATURE_INVALID')
    expect(fault.message).toMatch(/^Model "leaves", feature "wrong": /)
    expect(fault.message).toMatch(message)
    expect(fault.hint.length).toBeGreaterThan(5)
  })

  it.each<[string, object, string, RegExp]>([
    ['an unknown entity', { entity: 'Member' }, 'MODEL_INVALID', /no entity "Member"/],
    ['a name that is a path', { name: '../x' }, 'MODEL_INVALID', /no identifier/],
    ['a name of Object', { name: 'constructor' }, 'MODEL_INVALID', /no identifier/],
    ['bands that fall', { bands: { LOW: 0, MEDIUM: 0.5, HIGH: 0.4 } }, 'MODEL_INVALID', /bands/],
    ['no question', { question: ' ' }, 'MODEL_INVALID', /question/],
    ['a gate without bounds', { gates: { auc: {} } }, 'MODEL_INVALID', /"auc" has no bound/],
    ['no features', { features: () => ({}) }, 'MODEL_INVALID', /no features/],
    [
      'a feature that is no field',
      { features: (f: Loose) => ({ 'a b': f.count('visits', { at: 'at' }) }) },
      'FEATURE_INVALID',
      /"a b"/,
    ],
    [
      'a label that is no date',
      { label: (f: Loose) => f.happens('height', { within: { days: 2 } }) },
      'FEATURE_INVALID',
      /, label: .*Float/,
    ],
    [
      'a window of nothing',
      { label: (f: Loose) => f.happens('leftAt', { within: { days: -2 } }) },
      'FEATURE_INVALID',
      /, label: within/,
    ],
    [
      'an eligible that compares what changes',
      { eligible: (f: Loose) => f.matches({ height: 3 }) },
      'FEATURE_INVALID',
      /, eligible: /,
    ],
    ['an eligible of nothing', { eligible: (f: Loose) => f.all() }, 'FEATURE_INVALID', /, eligible: all\(\)/],
    ['snapshots without a start', { snapshots: { every: { days: 3 } } }, 'FEATURE_INVALID', /where the moments start/],
    [
      'snapshots from a text',
      { snapshots: { every: { days: 3 }, from: 'hometown' } },
      'FEATURE_INVALID',
      /no date column/,
    ],
    [
      'snapshots without a step',
      { snapshots: { every: { days: 0 }, from: 'bornAt' } },
      'FEATURE_INVALID',
      /every is 0/,
    ],
    ['a threshold that is no probability', { threshold: 1 }, 'MODEL_INVALID', /threshold is 1/],
    ['a time zone of nowhere', { retrain: { timeZone: 'Mars' } }, 'MODEL_INVALID', /retrain.timeZone is "Mars"/],
    ['outcomes by the half', { retrain: { onOutcomes: 1.5 } }, 'MODEL_INVALID', /retrain.onOutcomes is 1.5/],
    ['an alert without a bound', { alerts: { recall: { min: Number.NaN } } }, 'MODEL_INVALID', /alerts.recall/],
    ['a group that is a list', { group: 'visits' }, 'FEATURE_INVALID', /, group: /],
  ])('is refused for %s', (_, mistake, code, message) => {
    const fault = faultOf({ ...right, ...mistake })
    expect(fault.code).toBe(code)
    expect(fault.message).toMatch(message)
    expect(fault.message).toContain('Model "')
  })
})

describe('the schema hash', () => {
  const hashOf = (change: object) => (defineModel({ ...right, ...change }) as { schemaHash: string }).schemaHash
  const visits = (options: object) => ({
    features: (f: Loose) => ({ visits: f.count('visits', { at: 'at', ...options }) }),
  })

  it('stays with what people are told and changes with what is read', () => {
    const hash = hashOf({})
    expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(hashOf(visits({ says: 'Comes rarely' }))).toBe(hash)
    expect(hashOf({ bands: { LOW: 0, MEDIUM: 0.3, HIGH: 0.6 } })).toBe(hash)
    expect(hashOf(visits({ days: 3 }))).not.toBe(hash)
    expect(hashOf(visits({ unit: 'visits' }))).not.toBe(hash)
    const swims = hashOf(visits({ where: { kind: 'SWIM' } }))
    expect(swims).not.toBe(hash)
    expect(hashOf(visits({ where: { kind: 'LIFT' } }))).not.toBe(swims) // the same SQL, another parameter
  })
})
