import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedPrice } from '../../llm/price.ts'
import { type Provider, requestOf } from '../../llm/provider.ts'
import type { Admission, Intent, Settlement } from '../../llm/route.ts'
import { InklingError } from '../../platform/errors.ts'
import { type ProviderServer, startProviderServer } from './provider-server/server.ts'
import { hear, providerAt, routerOf, targetOf } from './stand.ts'

let server: ProviderServer
let provider: Provider
beforeAll(async () => {
  server = await startProviderServer()
  provider = providerAt(server.url)
})
afterAll(() => server.close())

const request = requestOf('How many are they?', { maxTokens: 50 })
let count = 0
/** Targets in this order of priority, each with a script of its own. */
function targetsOf(...scripts: Parameters<ProviderServer['script']>[1][]) {
  return scripts.map((script, index) => {
    const name = `${'abc'[index]}-${++count}`
    server.script(name, script)
    return targetOf(name, provider, { priority: index })
  })
}
const callsOf = (name: string) => server.calls.filter(({ llm }) => llm === name).length

/** Admission that remembers everything. */
function bookkeeper() {
  const intents: Intent[] = []
  const settlements: Settlement[] = []
  const admit = async (intent: Intent): Promise<Admission> => {
    intents.push(intent)
    return { settle: (settlement) => void settlements.push(settlement) }
  }
  return { intents, settlements, admit }
}

describe('falling back before the first token', () => {
  it('passes over whoever fails, and says so', async () => {
    const [a, b, c] = targetsOf({ status: 500 }, { dieAt: 0 }, {})
    const { admit, settlements } = bookkeeper()
    const { text, from, finish } = await hear(routerOf([a!, b!, c!]).stream(request, { admit }))
    expect(text).toBe('The answer is forty-two.')
    expect(from).toEqual([c!.name])
    expect(finish).toMatchObject({ reason: 'STOP', target: c })
    expect(finish!.attempts.map(({ target, outcome, code }) => [target.name, outcome, code])).toEqual([
      [a!.name, 'FAILED', 'OVERLOADED'],
      [b!.name, 'FAILED', 'TRUNCATED'],
      [c!.name, 'COMPLETE', null],
    ])
    expect(settlements.map(({ outcome, costUsd }) => [outcome, costUsd > 0])).toEqual([
      ['FAILED', false],
      ['FAILED', false],
      ['COMPLETE', true],
    ])
    expect(finish!.costUsd).toBeCloseTo((4 * 1 + 5 * 4) / 1e6, 12)
  })

  it('does not wait for who says nothing', async () => {
    const [a, b] = targetsOf({ isSilent: true }, {})
    const router = routerOf([a!, b!], { patience: { firstTokenMs: 150 } })
    const { finish } = await hear(router.stream(request))
    expect(finish).toMatchObject({
      reason: 'STOP',
      target: b,
      attempts: [{ code: 'TIMEOUT' }, { outcome: 'COMPLETE' }],
    })
    await expect.poll(() => server.calls.find(({ llm }) => llm === a!.name)?.endedBy).toBe('client')
  })

  it('takes everything else that may go wrong before the first token for a failure', async () => {
    const faults = [
      [{ status: 401 }, 'UNAUTHORIZED'],
      [{ status: 404 }, 'UNKNOWN_LLM'],
      [{ status: 400 }, 'REJECTED'],
      [{ cutAt: 0 }, 'TRUNCATED'],
      [{ errorFrameAt: 0 }, 'OVERLOADED'],
      [{ invalidJsonAt: 0 }, 'BAD_REPLY'],
      [{ redirectTo: 'http://127.0.0.1:1/' }, 'ADDRESS_REFUSED'],
      [{ stallAt: 0 }, 'TIMEOUT'],
    ] as const
    for (const [fault, code] of faults) {
      const [a, b] = targetsOf(fault, {})
      const router = routerOf([a!, b!], { patience: { firstTokenMs: 400 } })
      const { finish } = await hear(router.stream(request))
      expect(finish?.attempts.map((attempt) => attempt.code)).toEqual([code, null])
    }
  })

  it('gives up with every reason when nobody answers', async () => {
    const [a, b] = targetsOf({ status: 500 }, { status: 503 })
    const { error } = await hear(routerOf([a!, b!], { patience: { rounds: 1 } }).stream(request))
    expect(error).toMatchObject({ code: 'LLM_UNAVAILABLE', retryable: true })
    expect(error!.message).toContain(`${a!.name}: OVERLOADED`)
    expect(error!.message).toContain(`${b!.name}: OVERLOADED`)
  })

  it('goes through the order again, and again', async () => {
    const [a] = targetsOf([{ status: 500 }, { status: 502 }, {}])
    const { finish } = await hear(routerOf([a!]).stream(request))
    expect(finish).toMatchObject({ reason: 'STOP', attempts: [{}, {}, { outcome: 'COMPLETE' }] })
  })

  it('asks nobody twice what is not accepted', async () => {
    const [a, b] = targetsOf({ status: 400 }, { status: 422 })
    const { error } = await hear(routerOf([a!, b!]).stream(request))
    expect(error?.code).toBe('LLM_REQUEST_REJECTED')
    expect(callsOf(a!.name) + callsOf(b!.name)).toBe(2)
  })
})

describe('waiting', () => {
  it('honours Retry-After where nobody else is there', async () => {
    const [a] = targetsOf([{ status: 429, retryAfter: '1' }, {}])
    const router = routerOf([a!])
    const answer = hear(router.stream(request))
    await expect.poll(() => router.targets()[0]!.coolsUntil).not.toBeNull()
    expect(router.targets()[0]).toMatchObject({
      isHealthy: false,
      breaker: 'CLOSED',
      lastFailure: { code: 'RATE_LIMITED' },
    })
    expect((await answer).finish?.reason).toBe('STOP')
    const [first, second] = server.calls.filter(({ llm }) => llm === a!.name)
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990)
  })

  it('does not wait longer than it may: the error comes at once and says when', async () => {
    const [a] = targetsOf({ status: 429, retryAfter: '60' })
    const { error } = await hear(routerOf([a!]).stream(request))
    expect(error).toMatchObject({ code: 'LLM_UNAVAILABLE', hint: expect.stringContaining('after 20') })
    expect(callsOf(a!.name)).toBe(1)
  })

  it('leaves who asked for patience alone, also in later requests', async () => {
    const [a, b] = targetsOf({ status: 429, retryAfter: '60' }, {})
    const router = routerOf([a!, b!])
    await hear(router.stream(request))
    expect((await hear(router.stream(request))).finish).toMatchObject({ target: b, attempts: [{ target: b }] })
    expect(callsOf(a!.name)).toBe(1)
    expect(router.explain(request).excluded).toEqual([{ target: a, why: expect.stringContaining('rests until') }])
  })

  it('ends at the deadline, before the first token with an error and after it INCOMPLETE', async () => {
    const [a] = targetsOf({ isSilent: true })
    const early = await hear(routerOf([a!]).stream(request, { deadlineMs: 120 }))
    expect(early.error?.code).toBe('DEADLINE_EXCEEDED')
    const [b] = targetsOf({ tokens: 1000, everyMs: 10 })
    const late = await hear(routerOf([b!]).stream({ ...request, maxTokens: 2000 }, { deadlineMs: 250 }))
    expect(late.finish).toMatchObject({ reason: 'INCOMPLETE', problem: { code: 'TIMEOUT' } })
    expect(late.text).toMatch(/^t0 /) // how much more comes in time is the machine's business
  })
})

describe('the circuit breaker', () => {
  it('opens after failures in a row, and lets one request find out whether the target is back', async () => {
    const [a, b] = targetsOf([{ status: 500 }, { status: 500 }, { status: 500 }, {}], {})
    const router = routerOf([a!, b!], { patience: { breaker: { failures: 3, restMs: 300 } } })
    for (let round = 0; round < 5; round++) expect((await hear(router.stream(request))).from).toEqual([b!.name])
    expect(callsOf(a!.name)).toBe(3)
    expect(router.targets()[0]).toMatchObject({ breaker: 'OPEN', isHealthy: false, failures: 3 })
    await new Promise((resolve) => setTimeout(resolve, 320))
    expect((await hear(router.stream(request))).from).toEqual([a!.name])
    expect(router.targets()[0]).toMatchObject({ breaker: 'CLOSED', isHealthy: true })
  })

  it('also counts answers that break in the middle', async () => {
    const [a, b] = targetsOf({ tokens: 9, dieAt: 4 }, {})
    const router = routerOf([a!, b!], { patience: { breaker: { failures: 2, restMs: 60_000 } } })
    for (let round = 0; round < 2; round++)
      expect((await hear(router.stream(request))).finish?.reason).toBe('INCOMPLETE')
    expect((await hear(router.stream(request))).from).toEqual([b!.name])
  })
})

describe('after the first token', () => {
  it('splices nothing: an answer that breaks ends INCOMPLETE and costs what came', async () => {
    const faults = [
      [{ dieAt: 4 }, 'TRUNCATED'],
      [{ cutAt: 4 }, 'TRUNCATED'],
      [{ errorFrameAt: 4 }, 'OVERLOADED'],
      [{ invalidJsonAt: 4 }, 'BAD_REPLY'],
      [{ stallAt: 4 }, 'STALLED'],
    ] as const
    for (const [fault, code] of faults) {
      const [a, b] = targetsOf({ tokens: 9, ...fault }, {})
      const { admit, settlements } = bookkeeper()
      const router = routerOf([a!, b!], { patience: { stallMs: 200 } })
      const { text, finish } = await hear(router.stream(request, { admit }))
      expect(text).toBe('t0 t1 t2 t3 ')
      expect(finish).toMatchObject({ reason: 'INCOMPLETE', target: a, problem: { code } })
      expect(settlements).toEqual([{ outcome: 'INCOMPLETE', usage: finish!.usage, costUsd: finish!.costUsd }])
      expect(finish!.usage).toMatchObject({ isEstimated: true })
      expect(finish!.usage.outputTokens).toBeGreaterThan(3)
      expect(callsOf(b!.name)).toBe(0)
    }
  })

  it('lets another target continue where that was asked for', async () => {
    const [a, b] = targetsOf({ tokens: 9, dieAt: 4 }, { text: ['t4 ', 't5'] })
    const { admit, settlements } = bookkeeper()
    const { text, from, finish } = await hear(routerOf([a!, b!]).stream(request, { isContinuable: true, admit }))
    expect(text).toBe('t0 t1 t2 t3 t4 t5')
    expect(from).toEqual([a!.name, b!.name])
    expect(finish).toMatchObject({
      reason: 'STOP',
      target: b,
      attempts: [{ outcome: 'INCOMPLETE' }, { outcome: 'COMPLETE' }],
    })
    expect(settlements.map(({ outcome }) => outcome)).toEqual(['INCOMPLETE', 'COMPLETE'])
    expect(finish!.costUsd).toBeCloseTo(
      settlements.reduce((sum, { costUsd }) => sum + costUsd, 0),
      12,
    )
    const { messages } = server.calls.at(-1)!.body
    expect(messages.at(-2)).toMatchObject({ role: 'assistant', content: 't0 t1 t2 t3 ' })
  })

  it('cuts who writes on beyond the bound', async () => {
    const [a] = targetsOf({ text: Array.from({ length: 2000 }, (_, index) => `word${index} and so on `), everyMs: 1 })
    const { finish } = await hear(routerOf([a!]).stream({ ...request, maxTokens: 100 }))
    expect(finish).toMatchObject({ reason: 'LENGTH', usage: { isEstimated: true } })
    expect(finish!.usage.outputTokens).toBeLessThan(1000)
    await expect.poll(() => server.calls.find(({ llm }) => llm === a!.name)?.endedBy).toBe('client')
  })

  it('believes no usage that cannot be, and counts for itself', async () => {
    for (const usage of [{ output: 0 }, { output: 90_000_000 }, { input: 5_000_000 }, { input: -1 }, null]) {
      const [a] = targetsOf({ tokens: 40, usage })
      const { finish } = await hear(routerOf([a!]).stream(request))
      expect(finish!.usage.isEstimated).toBe(true)
      expect(finish!.usage.outputTokens).toBeGreaterThan(39)
      expect(finish!.usage.outputTokens).toBeLessThan(200)
      expect(finish!.usage.inputTokens).toBeLessThan(50)
    }
  })
})

describe('leaving', () => {
  it('ends the call and settles what came, when the reader leaves', async () => {
    const [a] = targetsOf({ tokens: 1000, everyMs: 5 })
    const { admit, settlements } = bookkeeper()
    for await (const part of routerOf([a!]).stream({ ...request, maxTokens: 2000 }, { admit }))
      if (part.type === 'text' && part.text.startsWith('t9')) break
    await expect.poll(() => server.calls.at(-1)!.endedBy, { timeout: 1000 }).toBe('client')
    expect(settlements).toMatchObject([{ outcome: 'ABORTED', usage: { isEstimated: true } }])
    expect(settlements[0]!.costUsd).toBeGreaterThan(0)
  })

  it('does the same when the reader leaves while it waits', async () => {
    const [a] = targetsOf({ tokens: 9, stallAt: 2 })
    const { admit, settlements } = bookkeeper()
    const iterator = routerOf([a!], { patience: { stallMs: 5000 } })
      .stream(request, { admit })
      [Symbol.asyncIterator]()
    for (let text = ''; !text.endsWith('t1 '); ) {
      const { value } = await iterator.next()
      if (value?.type === 'text') text += value.text
    }
    const pending = iterator.next()
    await iterator.return!()
    expect(await pending).toMatchObject({ value: { type: 'finish', reason: 'ABORTED' } })
    await expect.poll(() => server.calls.at(-1)!.endedBy, { timeout: 1000 }).toBe('client')
    expect(settlements).toHaveLength(1)
  })

  it('ends ABORTED after the first token and with CANCELLED before it, when the signal says so', async () => {
    const stop = new AbortController()
    const [a] = targetsOf({ tokens: 1000, everyMs: 5 })
    setTimeout(() => stop.abort(), 300)
    const answer = await hear(routerOf([a!]).stream({ ...request, maxTokens: 2000 }, { signal: stop.signal }))
    expect(answer.finish).toMatchObject({ reason: 'ABORTED', problem: null })
    const { admit, settlements } = bookkeeper()
    const [b] = targetsOf({ isSilent: true })
    const silent = hear(routerOf([b!]).stream(request, { signal: AbortSignal.timeout(150), admit }))
    expect((await silent).error?.code).toBe('CANCELLED')
    expect(settlements).toMatchObject([{ outcome: 'ABORTED' }])
  })
})

describe('admission', () => {
  it('is asked with the most that an attempt may cost, and passes over whom it refuses', async () => {
    const [a, b] = targetsOf({}, {})
    const asked: Intent[] = []
    const { finish } = await hear(
      routerOf([a!, b!]).stream(request, {
        async admit(intent) {
          asked.push(intent)
          if (intent.target === a) throw new InklingError('FORBIDDEN', 'too dear', 'Ask for less.')
          return { settle() {} }
        },
      }),
    )
    expect(finish).toMatchObject({
      target: b,
      attempts: [{ outcome: 'REFUSED', message: 'too dear' }, { outcome: 'COMPLETE' }],
    })
    const [intent] = asked
    expect(intent!.outputTokens).toBe(50)
    expect(intent!.estimateUsd).toBeGreaterThanOrEqual((intent!.inputTokens + 50 * 4) / 1e6)
    expect(callsOf(a!.name)).toBe(0)
  })

  it('throws the refusal as it came where nobody is left', async () => {
    const [a] = targetsOf({})
    const refusal = new InklingError('FORBIDDEN', 'no money', 'Ask tomorrow.')
    const { error } = await hear(routerOf([a!]).stream(request, { admit: () => Promise.reject(refusal) }))
    expect(error).toBe(refusal)
  })

  it('hands leave back that comes after the deadline', async () => {
    const [a] = targetsOf({})
    const settlements: Settlement[] = []
    const admit = async (): Promise<Admission> => {
      await new Promise((resolve) => setTimeout(resolve, 250))
      return { settle: (settlement) => void settlements.push(settlement) }
    }
    expect((await hear(routerOf([a!]).stream(request, { admit, deadlineMs: 100 }))).error?.code).toBe(
      'DEADLINE_EXCEEDED',
    )
    await expect.poll(() => settlements).toMatchObject([{ outcome: 'ABORTED', costUsd: 0 }])
    expect(callsOf(a!.name)).toBe(0)
  })
})

describe('choosing', () => {
  it('filters by capability first and calls nobody to explain', async () => {
    const none = { text: true, embeddings: false, tools: false, images: false, json: false }
    const plain = targetOf('plain', provider, { capabilities: none, priority: 0 })
    const small = targetOf('small', provider, { contextTokens: 60, priority: 1 })
    const dear = targetOf('unpriced', provider, { price: null, priority: 2 })
    const able = targetOf('able', provider, { priority: 3 })
    const router = routerOf([plain, small, dear, able])
    const calls = server.calls.length
    const route = router.explain(
      { ...request, maxTokens: 55, tools: [{ name: 'look', description: 'Looks', parameters: { type: 'object' } }] },
      { targets: ['plain', 'small', 'unpriced', 'able'] },
    )
    expect(route.order.map(({ target, why }) => [target.name, why])).toEqual([['able', 'priority 3']])
    expect(route.order[0]!.estimateUsd).toBeGreaterThan(0)
    expect(Object.fromEntries(route.excluded.map(({ target, why }) => [target.name, why]))).toMatchObject({
      plain: 'cannot call tools',
      small: expect.stringContaining('context of 60 tokens is too small'),
      unpriced: expect.stringContaining('price is unknown'),
    })
    expect(server.calls.length).toBe(calls)
  })

  it('refuses at once what no target could ever answer', () => {
    const unpriced = targetOf('unpriced', provider, { price: null })
    expect(() => routerOf([unpriced]).stream(request)).toThrow(/unpriced its price is unknown/)
    expect(() => routerOf([]).stream(request)).toThrow(/No targets/)
    expect(() => routerOf([targetOf('a', provider)]).stream(request, { strategy: 'luck' })).toThrow(/no strategy luck/)
  })

  it('observes who is fast', async () => {
    const [slow, quick] = targetsOf({ tokens: 8, firstTokenMs: 200 }, { tokens: 8 })
    const router = routerOf([slow!, quick!])
    const from = async () => (await hear(router.stream(request, { strategy: 'fastest' }))).from[0]
    expect([await from(), await from(), await from()]).toEqual([slow!.name, quick!.name, quick!.name])
    expect(router.targets()[0]!.firstTokenMs).toBeGreaterThan(190)
  })

  it('embeds through whoever can, and settles', async () => {
    const embedder = targetOf('embedder', provider, {
      capabilities: { text: false, embeddings: true, tools: false, images: false, json: false },
      price: fixedPrice({ input: 1, cachedInput: 1, output: 0 }),
    })
    const { admit, settlements } = bookkeeper()
    const router = routerOf([targetOf('talker', provider), embedder])
    const answer = await router.embed(['the cat', 'the dog'], { admit })
    expect(answer).toMatchObject({ target: embedder, inputTokens: 4, costUsd: 4e-6 })
    expect(answer.vectors).toHaveLength(2)
    expect(settlements).toMatchObject([{ outcome: 'COMPLETE', costUsd: 4e-6 }])
    expect(() => routerOf([embedder]).stream(request)).toThrow(/answers no prompts/)
  })
})
