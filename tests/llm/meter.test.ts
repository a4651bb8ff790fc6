import { type MeterProvider, metrics } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedPrice } from '../../llm/price.ts'
import type { Database } from '../../platform/database.ts'
import { openTestDatabase } from '../harness.ts'
import { ask, type CompletionStand, openCompletionStand, readAll, viewerOf } from './completion-stand.ts'

interface Measured {
  readonly name: string
  readonly value: number
  readonly attributes: Readonly<Record<string, unknown>>
}

let database: Database
let stand: CompletionStand
let measured: Measured[] = []
const ann = viewerOf('ann')

/** What an OpenTelemetry SDK is to the code: takes every value under its instrument's name. */
beforeAll(async () => {
  const instrument = (name: string) => {
    const take = (value: number, attributes: Measured['attributes'] = {}) =>
      void measured.push({ name, value, attributes })
    return { add: take, record: take }
  }
  metrics.setGlobalMeterProvider({
    getMeter: () => ({ createCounter: instrument, createHistogram: instrument }),
  } as unknown as MeterProvider)
  database = await openTestDatabase()
  stand = await openCompletionStand(database)
})
afterAll(async () => {
  metrics.disable()
  await stand.close()
  await database.close()
})

/** What was measured while something happened, by name. */
async function during(work: () => Promise<unknown>) {
  measured = []
  await work()
  const of = (name: string) => measured.filter((one) => one.name === name)
  return { of, sum: (name: string) => of(name).reduce((sum, { value }) => sum + value, 0) }
}

describe('metrics', () => {
  it('count an answer once: request, tokens, cost, first token, rate, wait and end', async () => {
    const llm = stand.open(
      [{ tokens: 20, everyMs: 2 }],
      {},
      { price: fixedPrice({ input: 0, cachedInput: 0, output: 1_000_000 }) },
    )
    const { of, sum } = await during(async () => readAll(await llm.completions.ask(ask(), ann)))
    expect(of('inkling.llm.requests')).toMatchObject([
      { value: 1, attributes: { 'inkling.reason': 'STOP', 'gen_ai.provider.name': 'local-server' } },
    ])
    expect(of('inkling.llm.attempts')).toMatchObject([{ value: 1, attributes: { 'inkling.outcome': 'COMPLETE' } }])
    expect(sum('inkling.llm.cost')).toBe(20)
    const tokens = of('gen_ai.client.token.usage').map(({ value, attributes }) => [
      attributes['gen_ai.token.type'],
      value,
    ])
    expect(tokens).toEqual([
      ['input', expect.any(Number)],
      ['output', 20],
    ])
    for (const name of ['inkling.llm.first_token', 'inkling.llm.rate', 'gen_ai.client.operation.duration'])
      expect(of(name).map(({ value }) => value > 0)).toEqual([true])
    expect(of('inkling.llm.queue.wait')).toMatchObject([{ attributes: { 'inkling.priority': 'interactive' } }])
    expect(of('inkling.llm.completions')).toMatchObject([
      { value: 1, attributes: { 'inkling.source': 'CALL', 'inkling.end': 'STOP' } },
    ])
    expect(of('inkling.llm.fallbacks')).toEqual([])
  })

  it('count fallbacks, and breakers that open', async () => {
    const llm = stand.open([{ status: 500 }, { tokens: 1 }])
    const { of, sum } = await during(async () => {
      for (let turn = 0; turn < 5; turn++) await readAll(await llm.completions.ask(ask(), ann))
    })
    expect(sum('inkling.llm.fallbacks')).toBe(5)
    expect(
      of('inkling.llm.attempts').filter(({ attributes }) => attributes['error.type'] === 'OVERLOADED'),
    ).toHaveLength(5)
    expect(of('inkling.llm.breaker.changes')).toMatchObject([{ value: 1, attributes: { 'inkling.state': 'OPEN' } }])
  })

  it('count looks into the cache by kind, and what they found', async () => {
    const llm = stand.open([{ tokens: 3 }])
    const question = ask({}, { temperature: 0 })
    const { of } = await during(async () => {
      for (let turn = 0; turn < 2; turn++) await readAll(await llm.completions.ask(question, ann))
    })
    expect(
      of('inkling.llm.cache.lookups').map(({ attributes }) => [attributes['inkling.kind'], attributes['inkling.hit']]),
    ).toEqual([
      ['exact', false],
      ['exact', true],
    ])
    expect(of('inkling.llm.requests')).toHaveLength(1)
    expect(of('inkling.llm.completions').map(({ attributes }) => attributes['inkling.source'])).toEqual([
      'CALL',
      'CACHE',
    ])
  })

  it('count refusals by their reason, and nothing else for them', async () => {
    const llm = stand.open([{ tokens: 3 }], { perMinute: 1 })
    await llm.budgets.set({ scope: 'VIEWER', period: 'DAY', subject: 'poor', limitUsd: 0 }, ann)
    const { of } = await during(async () => {
      await readAll(await llm.completions.ask(ask(), viewerOf('poor')))
      await llm.completions.ask(ask(), viewerOf('poor')).catch(() => {})
    })
    expect(of('inkling.llm.refusals').map(({ attributes }) => attributes['inkling.why'])).toEqual(['budget', 'rate'])
    expect(of('inkling.llm.requests')).toMatchObject([
      { attributes: { 'inkling.reason': 'UNANSWERED', 'error.type': 'BUDGET_EXCEEDED' } },
    ])
    expect(of('inkling.llm.attempts')).toEqual([])
  })

  it('know no semantic hit where what is configured embeds nothing', async () => {
    const llm = stand.open([{ tokens: 3 }], { semantic: { target: 'no embedder', threshold: 0 } })
    const { of } = await during(async () => {
      for (let turn = 0; turn < 2; turn++) await readAll(await llm.completions.ask(ask({}, { temperature: 0 }), ann))
    })
    expect(of('inkling.llm.cache.lookups').filter(({ attributes }) => attributes['inkling.hit'])).toEqual([])
    expect(of('inkling.llm.requests')).toHaveLength(2)
  })
})
