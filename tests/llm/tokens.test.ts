import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { expect, it } from 'vitest'
import { bundledPrice, fixedPrice } from '../../llm/price.ts'
import { createTokenCounter } from '../../llm/tokens.ts'

const counter = createTokenCounter({ isExact: true })

it('counts ordinary text as the vocabulary does', async () => {
  const text = 'The quick brown fox jumps over the lazy dog, and 東京 is far. '.repeat(100)
  const exact = countTokens(text)
  expect(Math.abs((await counter.count(text)) - exact)).toBeLessThan(exact * 0.01)
  expect(await counter.count('<|endoftext|> is text')).toBeGreaterThan(3)
})

it('counts a quarter of a million equal characters without choking', async () => {
  // As one word it would take hours.
  for (const char of ['a', 'あ', ' ', '🦑']) expect(await counter.count(char.repeat(100_000))).toBeGreaterThan(500)
})

it('extrapolates what it cannot count at once', async () => {
  const text = 'A sentence like many others. '.repeat(8000)
  const exact = await counter.count(text)
  expect(Math.abs(counter.countAtOnce(text) - exact)).toBeLessThan(exact * 0.05)
})

it('prices fresh, cached and written tokens', () => {
  const price = fixedPrice({ input: 2, cachedInput: 0.5, output: 8 })
  expect(price.costUsd({ inputTokens: 1000, cachedInputTokens: 400, outputTokens: 100 }, 0)).toBeCloseTo(
    0.0012 + 0.0002 + 0.0008,
    12,
  )
})

it('knows published prices, their steps and their hours, and says where it knows none', async () => {
  const at = Date.parse('2026-06-01T12:00:00Z')
  const gpt = (await bundledPrice('openai', 'gpt-4o'))!
  expect(gpt.costUsd({ inputTokens: 1_000_000, cachedInputTokens: 0, outputTokens: 0 }, at)).toBeCloseTo(2.5, 6)
  expect(gpt.costUsd({ inputTokens: 1_000_000, cachedInputTokens: 1_000_000, outputTokens: 0 }, at)).toBeCloseTo(
    1.25,
    6,
  )
  const stepped = (await bundledPrice('google', 'gemini-2.5-pro'))!
  expect(stepped.costUsd({ inputTokens: 100_000, cachedInputTokens: 0, outputTokens: 0 }, at)).toBeCloseTo(0.125, 6)
  expect(stepped.costUsd({ inputTokens: 300_000, cachedInputTokens: 0, outputTokens: 0 }, at)).toBeCloseTo(0.75, 6)
  expect(await bundledPrice('openai', 'no-such-llm')).toBeNull()
})
