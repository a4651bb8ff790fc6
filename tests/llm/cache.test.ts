import { describe, expect, it } from 'vitest'
import { type CachedAnswer, type CacheOptions, createCache, isCacheable, type Question } from '../../llm/cache.ts'
import { requestOf } from '../../llm/provider.ts'
import type { Log } from '../../platform/log.ts'
import { viewerOf } from './completion-stand.ts'

const never = new AbortController().signal
const asker = { id: 'completion-1', viewer: viewerOf('ann') }
const answer = (text: string): CachedAnswer => ({
  parts: [{ type: 'text', text }],
  reason: 'STOP',
  target: 'one',
  label: null,
  usage: { inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, isEstimated: false },
})
const question = (prompt: string, more: Partial<Question> = {}): Question => ({
  tenant: 'default',
  request: requestOf(prompt, { temperature: 0 }),
  options: {},
  ...more,
})

/** A log that keeps its lines. */
function openLog() {
  const lines: Record<string, unknown>[] = []
  const keep = (line: unknown) => void lines.push(line as Record<string, unknown>)
  return { lines, log: { info: keep, warn: keep } as unknown as Log }
}

/** Directions instead of meanings: how alike two texts are is known to the degree. */
const degrees: Record<string, number> = { 'How tall is it?': 0, 'How high is it?': 10, 'Who built it?': 80 }
function openSemantic(threshold: number, more: Partial<CacheOptions> = {}) {
  const { log, lines } = openLog()
  const asked: string[] = []
  const semantic = {
    threshold,
    async embed(text: string) {
      asked.push(text)
      if (!(text in degrees)) throw new Error('the embedder is away')
      const angle = (degrees[text]! * Math.PI) / 180
      return [Math.cos(angle) * 7, Math.sin(angle) * 7] // of no unit length: providers differ
    },
  }
  return { cache: createCache({ ttlSeconds: 60, log, semantic, ...more }), lines, asked }
}

describe('the cache of answers', () => {
  it('gives the same question its answer, and tells of it', async () => {
    const { log, lines } = openLog()
    const cache = createCache({ ttlSeconds: 60, log })
    await cache.keep(question('How tall is it?'), answer('324 m'), asker)
    expect(await cache.find(question('How tall is it?'), asker, never)).toEqual(answer('324 m'))
    expect(lines).toEqual([expect.objectContaining({ kind: 'exact', completionId: 'completion-1', target: 'one' })])
    expect(JSON.stringify(lines)).not.toContain('tall')
    expect(await cache.find(question('How high is it?'), asker, never)).toBeNull()
  })

  it('keeps only what would come out the same', () => {
    expect(
      [0, 0.1, undefined].map((temperature) =>
        isCacheable({ messages: [], ...(temperature === undefined ? {} : { temperature }) }),
      ),
    ).toEqual([true, false, false])
  })

  it('is bounded in bytes', async () => {
    const cache = createCache({ ttlSeconds: 60, bytes: 64_000, log: openLog().log })
    for (let n = 0; n < 50; n++) await cache.keep(question(`${n}`), answer('x'.repeat(1_500)), asker)
    const found = await Promise.all(Array.from({ length: 50 }, (_, n) => cache.find(question(`${n}`), asker, never)))
    expect(found.filter((one) => one !== null).length).toBeLessThan(25)
    expect(found.at(-1)).not.toBeNull()
    await cache.keep(question('huge'), answer('x'.repeat(20_000)), asker)
    expect(await cache.find(question('huge'), asker, never)).toBeNull()
  })
})

describe('the semantic cache', () => {
  it('answers a question that means the same, above its threshold only, and logs how alike they were', async () => {
    const { cache, lines } = openSemantic(0.95)
    await cache.keep(question('How tall is it?'), answer('324 m'), asker)
    expect(await cache.find(question('How high is it?'), asker, never)).toEqual(answer('324 m'))
    expect(lines).toEqual([
      expect.objectContaining({
        event: 'answered from the cache',
        kind: 'semantic',
        completionId: 'completion-1',
        similarity: 0.9848,
      }),
    ])
    expect(await cache.find(question('Who built it?'), asker, never)).toBeNull()
    const { cache: strict } = openSemantic(0.99)
    await strict.keep(question('How tall is it?'), answer('324 m'), asker)
    expect(await strict.find(question('How high is it?'), asker, never)).toBeNull()
  })

  it('takes no answer to what differs in more than its last words', async () => {
    const { cache } = openSemantic(0.9)
    await cache.keep(question('How tall is it?'), answer('324 m'), asker)
    const { request } = question('How high is it?')
    const others: Question[] = [
      question('How high is it?', { tenant: 'other' }),
      question('How high is it?', { options: { targets: ['two'] } }),
      question('How high is it?', { request: { ...request, maxTokens: 5 } }),
      question('How high is it?', {
        request: {
          ...request,
          messages: [{ role: 'system', content: [{ type: 'text', text: 'In feet.' }] }, ...request.messages],
        },
      }),
    ]
    for (const other of others) expect(await cache.find(other, asker, never)).toBeNull()
  })

  it('asks no embedder without need, and does without one that fails', async () => {
    const { cache, asked, lines } = openSemantic(0.9)
    expect(await cache.find(question('How tall is it?'), asker, never)).toBeNull()
    expect(asked).toEqual([]) // nothing is there to be like
    await cache.keep(question('How tall is it?'), answer('324 m'), asker)
    await cache.find(question('How tall is it?'), asker, never)
    expect(asked).toEqual(['How tall is it?'])
    expect(await cache.find(question('Unheard of'), asker, never)).toBeNull()
    expect(lines.at(-1)).toMatchObject({ event: 'semantic cache not read' })
  })

  it('is off where nothing is kept', async () => {
    const { cache, asked } = openSemantic(0.9, { ttlSeconds: 0 })
    await cache.keep(question('How tall is it?'), answer('324 m'), asker)
    expect(await cache.find(question('How tall is it?'), asker, never)).toBeNull()
    expect(asked).toEqual([])
  })
})
