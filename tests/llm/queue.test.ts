import { describe, expect, it, vi } from 'vitest'
import { createQueue, type Place, type Priority, type QueueOptions, type Ticket } from '../../llm/queue.ts'

const never = new AbortController().signal
const free = { concurrency: null, requestsPerMinute: null, tokensPerMinute: null }

/** A queue of one target, whose calls say in which order they came to their turn. */
function openLine(limits: Partial<Ticket['limits']>, options: QueueOptions = {}) {
  const queue = createQueue(options)
  const order: string[] = []
  const places = new Map<string, Place>()
  const enter = (name: string, ticket: Partial<Ticket> = {}) =>
    queue
      .enter({
        target: 'one',
        limits: { ...free, ...limits },
        tenant: 'a',
        priority: 'interactive',
        tokens: 100,
        signal: never,
        ...ticket,
      })
      .then((place) => {
        order.push(name)
        places.set(name, place)
      })
  /** Ends the call that came to its turn last, so that the next one does. */
  const leaveLast = async (usedTokens?: number) => {
    places.get(order.at(-1)!)!.leave(usedTokens)
    await settled()
  }
  return { queue, order, enter, leaveLast, places }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('the queue of a target', () => {
  it('lets in as many as the target takes at once, and the next when one leaves', async () => {
    const { queue, order, enter, leaveLast } = openLine({ concurrency: 2 })
    for (const name of ['1', '2', '3', '4']) void enter(name)
    await settled()
    expect(order).toEqual(['1', '2'])
    expect(queue.status()).toEqual([{ target: 'one', running: 2, waiting: 2 }])
    await leaveLast()
    expect(order).toEqual(['1', '2', '3'])
  })

  it('keeps targets apart', async () => {
    const { order, enter } = openLine({ concurrency: 1 })
    void enter('1')
    void enter('2')
    void enter('other', { target: 'two' })
    await settled()
    expect(order).toEqual(['1', 'other'])
  })

  it('counts a place that is left twice once', async () => {
    const { queue, enter, places } = openLine({ concurrency: 1 })
    await enter('1')
    places.get('1')!.leave()
    places.get('1')!.leave()
    expect(queue.status()[0]).toMatchObject({ running: 0 })
  })

  it('lets interactive calls pass those that may wait, until these have waited long enough', async () => {
    let now = 0
    const { order, enter, leaveLast } = openLine({ concurrency: 1 }, { ageingMs: 1_000, clock: () => now })
    await enter('running')
    const later = (name: string, priority: Priority) => void enter(name, { priority })
    later('batch', 'batch')
    later('first', 'interactive')
    await leaveLast()
    expect(order.at(-1)).toBe('first')
    now = 1_000 // the one that may wait has waited
    later('second', 'interactive')
    await leaveLast()
    expect(order.at(-1)).toBe('batch')
    await leaveLast()
    expect(order.at(-1)).toBe('second')
  })

  it('serves tenants in turns by their tokens, however many calls each has', async () => {
    const { order, enter, leaveLast } = openLine({ concurrency: 1 })
    await enter('start', { tenant: 'x' })
    for (let call = 1; call <= 6; call++) void enter(`a${call}`, { tenant: 'a' })
    for (let call = 1; call <= 2; call++) void enter(`b${call}`, { tenant: 'b', tokens: 200 })
    for (let turn = 0; turn < 6; turn++) await leaveLast()
    // b's calls are twice as large: two of a for each of b.
    expect(order.slice(1)).toEqual(['a1', 'b1', 'a2', 'a3', 'b2', 'a4'])
  })

  it('owes nothing to a tenant for the time in which it did not ask', async () => {
    const { order, enter, leaveLast } = openLine({ concurrency: 1 })
    await enter('start', { tenant: 'a' })
    for (let call = 1; call <= 9; call++) void enter(`a${call}`, { tenant: 'a' })
    for (let turn = 0; turn < 4; turn++) await leaveLast()
    for (let call = 1; call <= 4; call++) void enter(`new${call}`, { tenant: 'new' })
    for (let turn = 0; turn < 4; turn++) await leaveLast()
    expect(order.slice(-4).filter((name) => name.startsWith('new')).length).toBeLessThanOrEqual(3)
    expect(order.slice(-4).filter((name) => name.startsWith('a')).length).toBeGreaterThanOrEqual(1)
  })

  it('keeps to requests and tokens a minute, and corrects the tokens by what was used', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    try {
      const requests = openLine({ requestsPerMinute: 2 })
      for (const name of ['1', '2', '3']) void requests.enter(name)
      await settled()
      expect(requests.order).toEqual(['1', '2'])
      await vi.advanceTimersByTimeAsync(29_000)
      expect(requests.order).toHaveLength(2)
      await vi.advanceTimersByTimeAsync(2_000)
      expect(requests.order).toEqual(['1', '2', '3'])

      const tokens = openLine({ tokensPerMinute: 600 })
      void tokens.enter('1', { tokens: 600 })
      void tokens.enter('2', { tokens: 600 })
      await settled()
      expect(tokens.order).toEqual(['1'])
      tokens.places.get('1')!.leave(0) // it failed before anything was used
      await settled()
      expect(tokens.order).toEqual(['1', '2'])
      void tokens.enter('3', { tokens: 10 })
      await vi.advanceTimersByTimeAsync(2_000)
      expect(tokens.order).toEqual(['1', '2', '3']) // 10 a second come back, and a debt is paid before the next one
    } finally {
      vi.useRealTimers()
    }
  })

  it('takes no more than so many, and none who has gone', async () => {
    const { queue, enter } = openLine({ concurrency: 1 }, { most: 1 })
    await enter('running')
    const gone = new AbortController()
    const waiting = enter('waiting', { signal: gone.signal })
    await expect(enter('one too many')).rejects.toMatchObject({ code: 'LLM_OVERLOADED' })
    gone.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' })
    expect(queue.status()[0]).toMatchObject({ waiting: 0 })
    await expect(enter('gone before', { signal: gone.signal })).rejects.toMatchObject({ code: 'CANCELLED' })
  })
})
