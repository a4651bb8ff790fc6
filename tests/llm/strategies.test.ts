import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixedPrice } from '../../llm/price.ts'
import { createExtractiveProvider } from '../../llm/providers/extractive.ts'
import { hybrid } from '../../llm/strategies/hybrid.ts'
import { plainStrategies } from '../../llm/strategies/index.ts'
import { localFirst } from '../../llm/strategies/local-first.ts'
import { split } from '../../llm/strategies/split.ts'
import type { Candidate, Strategy, StrategyContext } from '../../llm/strategies/strategy.ts'
import { targetOf } from './stand.ts'

const provider = createExtractiveProvider()
const now = 1_800_000_000_000
const context: StrategyContext = { task: 'summarize', key: 'ada', expectedTokens: 300, now }

interface Traits {
  readonly expectedUsd?: number
  readonly firstTokenMs?: number | null
  readonly tokensPerSecond?: number | null
  readonly seenAt?: number
  readonly quality?: Record<string, number>
  readonly priority?: number
  readonly isLocal?: boolean
}

function candidate(name: string, traits: Traits = {}): Candidate {
  const { expectedUsd = 0, firstTokenMs = null, tokensPerSecond = null, quality = {}, priority = 1, isLocal } = traits
  return {
    target: targetOf(name, provider, {
      price: fixedPrice({ input: 0, cachedInput: 0, output: 0 }),
      quality,
      priority,
      tags: [isLocal ? 'local' : 'remote'],
    }),
    expectedUsd,
    observed: {
      requests: 1,
      failures: 0,
      firstTokenMs,
      tokensPerSecond,
      cachedShare: 0,
      seenAt: traits.seenAt ?? now,
      lastFailure: null,
    },
  }
}

const names = (strategy: Strategy, candidates: readonly Candidate[], asked = context) =>
  strategy(candidates, asked).map((ranked) => ranked.candidate.target.name)

const all: Record<string, Strategy> = {
  ...plainStrategies,
  hybrid: hybrid({ cost: 1, speed: 1, quality: 1 }),
  split: split('trial', { t0: 1, t1: 3 }),
  'local-first then cheapest': localFirst(plainStrategies.cheapest!),
}

const someCandidates = fc
  .array(
    fc.record({
      expectedUsd: fc.double({ min: 0, max: 1, noNaN: true }),
      firstTokenMs: fc.option(fc.integer({ min: 1, max: 5000 })),
      tokensPerSecond: fc.option(fc.integer({ min: 1, max: 500 })),
      priority: fc.integer({ min: 0, max: 3 }),
      isLocal: fc.boolean(),
      quality: fc.dictionary(fc.constantFrom('summarize', 'default'), fc.double({ min: 0, max: 1, noNaN: true })),
    }),
    { maxLength: 8 },
  )
  .map((traits) => traits.map((each, index) => candidate(`t${index}`, each)))

describe.each(Object.entries(all))('the strategy %s', (_name, strategy) => {
  it('ranks every candidate once, the same way whatever the order they come in, and says why', () => {
    fc.assert(
      fc.property(someCandidates, fc.nat(), (candidates, rotation) => {
        const before = names(strategy, candidates)
        expect([...before].sort()).toEqual(candidates.map(({ target }) => target.name).sort())
        const at = candidates.length === 0 ? 0 : rotation % candidates.length
        expect(names(strategy, [...candidates.slice(at), ...candidates.slice(0, at)])).toEqual(before)
        for (const { why } of strategy(candidates, context)) expect(why().length).toBeGreaterThan(3)
      }),
      { numRuns: 60 },
    )
  })
})

it('puts the configured order first with priority', () => {
  const candidates = [candidate('b', { priority: 2 }), candidate('c', { priority: 1 }), candidate('a', { priority: 2 })]
  expect(names(plainStrategies.priority!, candidates)).toEqual(['c', 'a', 'b'])
})

it('puts the cheapest first', () => {
  const candidates = [candidate('a', { expectedUsd: 0.02 }), candidate('b', { expectedUsd: 0.01 })]
  expect(names(plainStrategies.cheapest!, candidates)).toEqual(['b', 'a'])
  expect(plainStrategies.cheapest!(candidates, context)[0]!.why()).toBe('0.01 USD expected')
})

it('puts the fastest first by first token and rate, and whoever has not been seen lately before it', () => {
  const candidates = [
    candidate('slow', { firstTokenMs: 100, tokensPerSecond: 20 }),
    candidate('quick', { firstTokenMs: 900, tokensPerSecond: 200 }),
    candidate('forgotten', { firstTokenMs: 9000, tokensPerSecond: 1, seenAt: now - 3_600_000 }),
    candidate('new', { priority: 2 }),
  ]
  expect(names(plainStrategies.fastest!, candidates)).toEqual(['forgotten', 'new', 'quick', 'slow'])
})

it('puts the best first by what is declared for the task', () => {
  const candidates = [
    candidate('writer', { quality: { summarize: 0.9, default: 0.1 } }),
    candidate('thinker', { quality: { default: 0.8 } }),
  ]
  expect(names(plainStrategies.quality!, candidates)).toEqual(['writer', 'thinker'])
  expect(names(plainStrategies.quality!, candidates, { ...context, task: 'classify' })).toEqual(['thinker', 'writer'])
  expect(names(plainStrategies.quality!, candidates, { ...context, task: 'constructor' })).toEqual([
    'thinker',
    'writer',
  ])
})

it('weighs cost against speed and quality', () => {
  const candidates = [
    candidate('cheap', { expectedUsd: 0.001, firstTokenMs: 2000, quality: { default: 0.4 } }),
    candidate('good', { expectedUsd: 0.01, firstTokenMs: 500, quality: { default: 0.9 } }),
  ]
  expect(names(hybrid({ cost: 1, speed: 0, quality: 0 }), candidates)[0]).toBe('cheap')
  expect(names(hybrid({ cost: 1, speed: 1, quality: 1 }), candidates)[0]).toBe('good')
})

it('splits keys by their shares, each always to the same side', () => {
  const candidates = [candidate('a'), candidate('b'), candidate('c')]
  const trial = split('trial', { a: 0.75, b: 0.25 })
  const sides = Array.from(
    { length: 2000 },
    (_, index) => names(trial, candidates, { ...context, key: `viewer ${index}` })[0],
  )
  const share = sides.filter((side) => side === 'a').length / sides.length
  expect(share).toBeGreaterThan(0.71)
  expect(share).toBeLessThan(0.79)
  expect(sides).not.toContain('c')
  expect(names(trial, candidates, { ...context, key: 'ada' })).toEqual(
    names(trial, [...candidates].reverse(), { ...context, key: 'ada' }),
  )
  const other = Array.from(
    { length: 200 },
    (_, index) => names(split('other', { a: 0.75, b: 0.25 }), candidates, { ...context, key: `viewer ${index}` })[0],
  )
  expect(other).not.toEqual(sides.slice(0, 200))
})

it('keeps what can stay at home at home', () => {
  const candidates = [
    candidate('cloud', { expectedUsd: 0, priority: 0 }),
    candidate('desk', { expectedUsd: 0.2, isLocal: true }),
    candidate('rack', { expectedUsd: 0.1, isLocal: true }),
  ]
  expect(names(localFirst(plainStrategies.cheapest!), candidates)).toEqual(['rack', 'desk', 'cloud'])
})
