import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createCoalescer } from '../../ml/coalescer.ts'

/** Doubles numbers, taking its time; remembers what each run was given. */
function doubling(options: { ms?: number; most?: number; lanes?: number; worthwhile?: number; waitMs?: number } = {}) {
  const runs: number[][] = []
  const coalescer = createCoalescer<number, number>({
    async run(parts) {
      runs.push([...parts])
      await sleep(options.ms ?? 20)
      if (parts.some((part) => part < 0)) throw new Error(`no negative numbers: ${parts}`)
      return parts.map((part) => 2 * part)
    },
    sizeOf: () => 1,
    most: options.most ?? 100,
    lanes: options.lanes ?? 1,
    worthwhile: options.worthwhile ?? 100,
    waitMs: options.waitMs ?? 1000,
  })
  return { runs, call: coalescer.call }
}

describe('calls of several requests', () => {
  it('never wait when nothing is under way', async () => {
    const { runs, call } = doubling({ ms: 1 })
    const start = performance.now()
    expect(await call(1)).toBe(2)
    expect(performance.now() - start).toBeLessThan(200)
    expect(runs).toEqual([[1]])
  })

  it('gather while a run is under way, and each gets its own answer', async () => {
    const { runs, call } = doubling()
    const first = call(1)
    await expect.poll(() => runs.length).toBe(1)
    const answers = await Promise.all([first, ...[2, 3, 4, 5].map((part) => call(part))])
    expect(answers).toEqual([2, 4, 6, 8, 10])
    expect(runs).toEqual([[1], [2, 3, 4, 5]])
  })

  it('are one run when they are asked in one turn, whatever promises lie between them', async () => {
    const { runs, call } = doubling()
    const later = async (part: number) => {
      for (let hop = 0; hop < part; hop++) await null
      return call(part)
    }
    expect(await Promise.all([1, 2, 3].map(later))).toEqual([2, 4, 6])
    expect(runs).toEqual([[1, 2, 3]])
  })

  it('share the places that are free evenly, where so many are worth it', async () => {
    const { runs, call } = doubling({ lanes: 2, worthwhile: 3 })
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((part) => call(part)))
    expect(runs).toEqual([
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ])
    await Promise.all([1, 2, 3].map((part) => call(part)))
    expect(runs.slice(2)).toEqual([[1, 2, 3]])
  })

  it('wait no longer than they may, however long the run before them takes', async () => {
    const { runs, call } = doubling({ ms: 500, waitMs: 2 })
    const slow = call(1)
    await expect.poll(() => runs.length).toBe(1)
    const late = [call(2), call(3)]
    await expect.poll(() => runs.length, { timeout: 400, interval: 5 }).toBe(2)
    expect(runs[1]).toEqual([2, 3])
    await Promise.all([slow, ...late])
  })

  it('start at once when they fill a run, and never overfill one', async () => {
    const { runs, call } = doubling({ most: 3 })
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((part) => call(part)))
    expect(Math.max(...runs.map((run) => run.length))).toBe(3)
    expect(runs.flat().sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('do not fail for another one’s sake', async () => {
    const { runs, call } = doubling()
    const settled = await Promise.allSettled([1, 2, -3, 4].map((part) => call(part)))
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
    expect(runs).toEqual([[1, 2, -3, 4], [1], [2], [-3], [4]])
    expect(await call(5)).toBe(10)
  })

  it('do not inherit the transaction of whoever started the run', async () => {
    const storage = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const coalescer = createCoalescer<number, number>({
      async run(parts) {
        seen.push(storage.getStore())
        return parts
      },
      sizeOf: () => 1,
      most: 10,
      lanes: 1,
      worthwhile: 10,
      waitMs: 1,
    })
    await storage.run('a transaction', () => coalescer.call(1))
    expect(seen).toEqual([undefined])
  })
})
