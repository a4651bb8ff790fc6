import { describe, expect, it } from 'vitest'
import { defineModel } from '../../models/kit.ts'

const rest = {
  name: 'typed',
  entity: 'Learner',
  question: 'Does this compile?',
  bands: { LOW: 0, MEDIUM: 0.2, HIGH: 0.5 },
} as const

// Each `@ts-expect-error` is a test of its own: `tsc` fails where a mistake compiles. Nothing here is called.
export const mistakes = () => {
  defineModel({
    ...rest,
    features: (f) => ({
      // @ts-expect-error no such relation
      relation: f.count('attempt', { at: 'submittedAt' }),
      // @ts-expect-error no such column of Attempt
      column: f.avg('attempts', 'mark', { at: 'submittedAt' }),
      // @ts-expect-error a text has no mean
      text: f.avg('attempts', 'objectiveId', { at: 'submittedAt' }),
      // @ts-expect-error not a date
      date: f.count('attempts', { at: 'score' }),
      // @ts-expect-error rows of a list need a time
      timeless: f.count('attempts', {}),
      // @ts-expect-error a plain column must say that it never changes
      plain: f.category('country', {}),
      // @ts-expect-error false is no promise
      promise: f.category('country', { immutable: false }),
      // @ts-expect-error no such column on the path
      path: f.category('subscriptions.price', { validFrom: 'startsAt' }),
      // @ts-expect-error no such date of Subscription
      validity: f.category('subscriptions.plan', { validFrom: 'begins' }),
      // @ts-expect-error not a member of the enum
      where: f.count('subscriptions', { validFrom: 'startsAt', where: { plan: 'GOLD' } }),
      // @ts-expect-error a number is compared with a number
      comparison: f.count('attempts', { at: 'submittedAt', where: { score: { gt: '60' } } }),
      // @ts-expect-error texts have no order here
      order: f.count('cancellations', { at: 'at', where: { reason: { gt: 'a' } } }),
      // @ts-expect-error a ratio is of numbers
      ratio: f.ratio(f.category('country', { immutable: true }), f.count('attempts', { at: 'submittedAt' })),
      // @ts-expect-error not a column of Learner
      select: f.from({ nickname: true }, () => 1, { immutable: true }),
      // @ts-expect-error a list is no immutable part
      list: f.from({ attempts: true }, () => 1, { immutable: true }),
      // @ts-expect-error the row has what was selected and nothing else
      row: f.from({ country: true }, (learner) => learner.region?.length, { immutable: true }),
      // @ts-expect-error a function answers with a number
      answer: f.from({ country: true }, (learner) => learner.country, { immutable: true }),
      // @ts-expect-error units are texts
      unit: f.count('attempts', { at: 'submittedAt', unit: 5 }),
    }),
    // @ts-expect-error no such relation
    eligible: (f) => f.holds('subscription', { validFrom: 'startsAt' }),
    // @ts-expect-error not a date
    label: (f) => f.happens('cancellations.reason', { within: { days: 30 } }),
    // @ts-expect-error not a date of Learner
    snapshots: { every: { days: 30 }, from: 'name' },
  })
  defineModel({
    ...rest,
    // @ts-expect-error no such entity
    entity: 'Student',
    features: () => ({}),
    label: () => ({ form: 'happens', path: 'at', within: { days: 1 }, scope: {} }),
    snapshots: { every: { days: 30 } },
  })
  defineModel({
    ...rest,
    features: { answer: { kind: 'number' } },
    shape: '',
    // @ts-expect-error the feature "answer" is missing in the rows
    read: async () => [{ eligible: true }],
    labels: async () => [],
  })
  defineModel({
    ...rest,
    features: { answer: { kind: 'number' } },
    shape: '',
    // @ts-expect-error a number is no text
    read: async () => [{ eligible: true, answer: 'forty-two' }],
    labels: async () => [],
  })
}

describe('defineModel', () => {
  it('accepts every form of a feature on the generated client', () => {
    const model = defineModel({
      ...rest,
      features: (f) => ({
        country: f.category('country', { immutable: true }),
        plan: f.category('subscriptions.plan', {
          validFrom: 'startsAt',
          validTo: 'endsAt',
          where: { plan: { not: 'TEAM' } },
        }),
        price: f.field('subscriptions.priceUsd', { validFrom: 'startsAt', validTo: 'endsAt' }),
        attempts: f.count('attempts', { at: 'submittedAt', where: { score: { gte: 50 }, isBanked: false } }),
        hasRegion: f.from({ region: true }, ({ region }) => region !== null, { immutable: true }),
        initial: f.categoryFrom({ country: true }, ({ country }, asOf) => `${country?.[0]}${asOf.getUTCFullYear()}`, {
          immutable: true,
        }),
      }),
      label: (f) => f.happens('cancellations.at', { within: { days: 30 }, where: { reason: { in: ['No time'] } } }),
      snapshots: { every: { days: 30 }, from: 'joinedAt' },
    })
    expect(model.features.map(({ name, kind }) => [name, kind])).toEqual([
      ['country', 'category'],
      ['plan', 'category'],
      ['price', 'number'],
      ['attempts', 'number'],
      ['hasRegion', 'number'],
      ['initial', 'category'],
    ])
    expect(model.key).toEqual(['id'])
    expect(model.features[3]!.says).toBe('Attempts')
  })

  it('follows to-one relations with their columns typed', () => {
    const model = defineModel({
      ...rest,
      entity: 'Enrollment',
      features: (f) => ({
        course: f.category('presentation.course.code', { immutable: true }),
        length: f.from(
          { presentation: { select: { startsAt: true, endsAt: true } } },
          ({ presentation }) => presentation.endsAt.getTime() - presentation.startsAt.getTime(),
          { immutable: true },
        ),
        clicks: f.sum('learner.activities', 'clicks', { at: 'day', matching: ['presentationId'] }),
      }),
      label: (f) => f.happens('withdrawnAt', { within: { days: 30 } }),
      snapshots: { every: { days: 30 }, from: 'presentation.startsAt' },
    })
    expect(model.features).toHaveLength(3)
  })
})
