import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Model } from '../../ml/define.ts'
import type { LoaderOptions } from '../../ml/loaders.ts'
import { type Answer, isEstimate, isPrediction } from '../../ml/prediction.ts'
import { createScoreStore, type ScoreStore } from '../../ml/scores/store.ts'
import { trendOf } from '../../ml/trend.ts'
import { now, openToyStand, type ToyStand, toy, type Values } from './toy-stand.ts'

const days = (count: number) => new Date(now.getTime() - count * 86_400_000)
const shown = (answer: Answer) => (isEstimate(answer) ? [answer.source, answer.probability] : answer.code)

describe('when a model cannot answer', () => {
  let stand: ToyStand
  let scores: ScoreStore
  beforeAll(async () => {
    stand = await openToyStand(1)
    scores = createScoreStore(stand.database)
    const version = { id: stand.ids[0]!, number: 1 }
    for (const [ago, probability] of [
      [20, 0.2],
      [10, 0.5],
      [5, 0.65],
    ] as const)
      await scores.write({
        model: 'toy',
        version,
        asOf: days(ago),
        scoredAt: days(ago),
        keys: [{ id: 1 }, { id: 2 }],
        probability: [probability, 0.25],
        low: [0.1, 0.2],
        high: [0.7, 0.3],
      })
  })
  afterAll(() => stand.close())

  const rule = ({ x }: Values) => (typeof x === 'number' ? (x > 0 ? 0.9 : 0.1) : null)
  const broken: Partial<Model> = { read: () => Promise.reject(new Error('the database is gone')) }
  const mismatched: Partial<Model> = { schemaHash: 'another' }
  const loaderOf = (change: Partial<Model>, options: Partial<LoaderOptions> = {}) =>
    stand.loader({ model: { ...stand.model, ...change }, scores, ...options })
  const answer = (change: Partial<Model>, id: number) => loaderOf(change).answer(toy(id))

  it('gives null with the first reason unless something is declared', async () => {
    expect(shown(await answer(broken, 1))).toBe('FEATURE_READ_FAILED')
    expect(shown(await answer(mismatched, 1))).toBe('FEATURE_MISMATCH')
  })

  it('takes the stored score, and says so with its version and age', async () => {
    const stored = await answer({ ...broken, fallback: ['STORED'] }, 1)
    expect(stored).toMatchObject({ source: 'STORED', probability: 0.65, low: 0.1, high: 0.7, versionId: stand.ids[0] })
    expect(isEstimate(stored) && stored.scoredAt).toEqual(days(5))
    expect(isPrediction(stored)).toBe(false)
    expect(shown(await answer({ ...broken, fallback: ['STORED'] }, 3))).toBe('FEATURE_READ_FAILED')
  })

  it('takes the rule where features can be read, in the declared order', async () => {
    const { rows } = await stand.database.query<{ id: number; x: number | null }>(
      'SELECT id, x FROM toy WHERE id IN (1, 3, 7) ORDER BY id',
    )
    expect(rows[2]!.x).toBeNull()
    const expected = (at: number) => (rows[at]!.x! > 0 ? 0.9 : 0.1)
    const both: Partial<Model> = { ...mismatched, rule, fallback: ['STORED', 'RULE'] }
    expect(shown(await answer(both, 1))).toEqual(['STORED', 0.65])
    expect(shown(await answer(both, 3))).toEqual(['RULE', expected(1)])
    expect(shown(await answer({ ...both, fallback: ['RULE', 'STORED'] }, 1))).toEqual(['RULE', expected(0)])
    // The rule cannot tell either: the first reason stays.
    expect(shown(await answer(both, 7))).toBe('FEATURE_MISMATCH')
    // Without features there is nothing to apply it to.
    expect(shown(await answer({ ...broken, rule, fallback: ['RULE'] }, 3))).toBe('FEATURE_READ_FAILED')
    expect(shown(await answer({ ...mismatched, rule: () => 7, fallback: ['RULE'] }, 3))).toBe('FEATURE_MISMATCH')
  })

  it('does not stand in for an answer: not for whom it is not about, not for an abstention, not for a model that works', async () => {
    const all: Partial<Model> = { rule, fallback: ['STORED', 'RULE'] }
    expect(shown(await answer(all, 99_999_999))).toBe('NOT_APPLICABLE')
    expect(shown(await answer({ ...all, abstain: { width: 0 } }, 1))).toBe('ABSTAINED')
    expect(shown(await answer(all, 1))).toMatchObject(['MODEL', expect.any(Number)])
  })

  it('keeps the first reason when the stored scores cannot be read either', async () => {
    const gone = { latest: () => Promise.reject(new Error('gone too')), history: () => Promise.resolve([]) }
    const loader = loaderOf({ ...broken, fallback: ['STORED'] }, { scores: gone })
    expect(shown(await loader.answer(toy(1)))).toBe('FEATURE_READ_FAILED')
  })

  it('abstains where too much is missing, and says what the policy is', async () => {
    const bare = await answer({ abstain: { missingShare: 0.4 } }, 7) // its x is missing: half of the features
    expect(bare).toMatchObject({ code: 'ABSTAINED', message: expect.stringMatching(/50 % .* 40 %/) })
    expect(shown(await answer({ abstain: { missingShare: 0.5 } }, 7))).toMatchObject(['MODEL', expect.any(Number)])
  })

  it('counts what a version answered and what it abstained from', async () => {
    const before = { ...stand.serving.coverageOf(stand.ids[0]!)! }
    const loader = loaderOf({ abstain: { missingShare: 0.4 } })
    await Promise.all([1, 2, 7, 14, 21, 99_999_999].map((id) => loader.load(toy(id))))
    const { asked, answered } = stand.serving.coverageOf(stand.ids[0]!)!
    expect([asked - before.asked, answered - before.answered]).toEqual([5, 2])
    expect(stand.serving.coverageOf('nobody')).toBeNull()
  })

  it('gives back what was served at a moment, and nothing where nothing was', async () => {
    const at = (ago: number, id = 1) => ({ key: { id }, asOf: days(ago) })
    const loader = loaderOf({})
    const served = await Promise.all([30, 20, 12, 10, 1].map((ago) => loader.answer(at(ago), { asServed: true })))
    expect(served.map(shown)).toEqual([
      'NOT_STORED',
      ['STORED', 0.2],
      ['STORED', 0.2],
      ['STORED', 0.5],
      ['STORED', 0.65],
    ])
    expect(served[2]).toMatchObject({ asOf: days(20), scoredAt: days(20) })
  })

  it('gives up after the time that the caller has, without waiting for the read', async () => {
    const slow: Partial<Model> = {
      async read(client, pairs) {
        await sleep(400)
        return stand.model.read(client, pairs)
      },
    }
    const loader = loaderOf(slow)
    const start = performance.now()
    const [stored, none, patient, missing] = await Promise.all([
      loader.answer(toy(1), { within: { ms: 20, otherwise: 'STORED' } }),
      loader.answer(toy(1), { within: { ms: 30, otherwise: 'NULL' } }),
      loader.answer(toy(1), { within: { ms: 20_000, otherwise: 'NULL' } }),
      Promise.resolve(loader.answer(toy(3), { within: { ms: 20, otherwise: 'STORED' } })).then((late) => {
        expect(performance.now() - start).toBeLessThan(390)
        return late
      }),
    ])
    expect(shown(stored)).toEqual(['STORED', 0.65])
    expect(shown(none)).toBe('DEADLINE_EXCEEDED')
    expect(shown(missing)).toBe('DEADLINE_EXCEEDED')
    expect(shown(patient)).toMatchObject(['MODEL', expect.any(Number)])
    // Equal questions get equal answers, however late they are asked again.
    expect(await loader.answer(toy(1), { within: { ms: 20, otherwise: 'STORED' } })).toBe(stored)
  })

  it('shares one read among fields with different budgets', async () => {
    const loader = loaderOf({})
    stand.client.statements = 0
    const answers = await Promise.all([
      loader.answer(toy(1)),
      ...[5000, 6000, 7000].map((ms) => loader.answer(toy(2), { within: { ms, otherwise: 'NULL' } })),
      loader.loadVersion(toy(3), '1'),
    ])
    expect(stand.client.statements).toBe(1)
    for (const one of answers) expect(isPrediction(one)).toBe(true)
  })

  it('tells where stored scores are heading', async () => {
    const loader = loaderOf({})
    const [rising, steady, none] = await Promise.all([1, 2, 3].map((id) => loader.history(toy(id), 30)))
    const trend = trendOf(rising!)
    expect(trend).toMatchObject({ direction: 'RISING', scores: 3, from: days(20), to: days(5) })
    // Least squares of (0, 0.2), (10, 0.5), (15, 0.65) is the line through them.
    expect(trend!.slopePerDay).toBeCloseTo(0.03, 9)
    expect(trendOf(steady!)).toMatchObject({ direction: 'STEADY', slopePerDay: expect.closeTo(0, 12) })
    expect(trendOf(none!)).toBeNull()
    expect(trendOf((await loader.history(toy(1), 12))!)).toMatchObject({ scores: 2 })
  })
})
