import { describe, expect, it } from 'vitest'
import type { RoutedPart } from '../../llm/route.ts'
import { createSharedCall } from '../../llm/shared-call.ts'

const never = new AbortController().signal

/** A call of so many parts that notes what it was asked for. */
function callOf(parts: number) {
  const seen = { made: 0, isSettled: false, isAborted: false, ends: 0 }
  const call = createSharedCall(
    async function* (signal): AsyncGenerator<RoutedPart> {
      signal.addEventListener('abort', () => {
        seen.isAborted = true
      })
      try {
        for (; seen.made < parts; ) yield { type: 'text', text: `t${seen.made++} ` }
      } finally {
        seen.isSettled = true
      }
    },
    () => seen.ends++,
  )
  return { call, seen }
}
const texts = async (parts: AsyncIterable<RoutedPart>) => {
  let all = ''
  for await (const part of parts) all += part.type === 'text' ? part.text : ''
  return all
}

describe('a shared call', () => {
  it('gives each of its readers everything, whenever it came', async () => {
    const { call, seen } = callOf(3)
    const early = call.join(never)
    expect((await early.next()).value).toEqual({ type: 'text', text: 't0 ' })
    expect(await texts(call.join(never))).toBe('t0 t1 t2 ')
    expect(await texts(early)).toBe('t1 t2 ')
    expect(seen.made).toBe(3)
  })

  it('makes no part before somebody has taken those there are', async () => {
    const { call, seen } = callOf(1_000)
    const readers = [call.join(never), call.join(never)]
    for (const reader of readers) await reader.next()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(seen.made).toBeLessThanOrEqual(2)
    for (let index = 0; index < 10; index++) await readers[0]!.next()
    expect(seen.made).toBeLessThanOrEqual(12)
  })

  it('ends and settles when the last of its readers has gone', async () => {
    const { call, seen } = callOf(1_000)
    const readers = [call.join(never), call.join(never)]
    for (const reader of readers) await reader.next()
    await readers[0]!.return!()
    expect(seen).toMatchObject({ isAborted: false, isSettled: false })
    await readers[1]!.return!()
    await new Promise(setImmediate)
    expect(seen).toMatchObject({ isAborted: true, isSettled: true })
    expect(seen.ends).toBeGreaterThan(0)
  })
})
