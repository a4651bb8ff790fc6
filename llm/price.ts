import type { Price, Rates } from './target.ts'

const MILLION = 1_000_000

/** The same rates whatever the hour and the amount. */
export function fixedPrice({ input, cachedInput, output }: Rates): Price {
  return {
    costUsd: ({ inputTokens, cachedInputTokens, outputTokens }) =>
      ((inputTokens - cachedInputTokens) * input + cachedInputTokens * cachedInput + outputTokens * output) / MILLION,
  }
}

/** What a machine of one's own charges unless the configuration knows better. */
export const free = fixedPrice({ input: 0, cachedInput: 0, output: 0 })

/** Rates by the hour change at whole minutes at most. */
const BELIEVED_MS = 60_000

/**
 * The price of a known LLM, from @pydantic/genai-prices (bundled, no network). Rates may depend on the hour and on the number of
 * input tokens, which then raise the whole request. Null for an unknown LLM. provider: `openai`, `anthropic`, `google` ...
 */
export async function bundledPrice(provider: string, llm: string): Promise<Price | null> {
  const { calcPrice } = await import('@pydantic/genai-prices')
  const look = (at: number) =>
    calcPrice({ input_tokens: 1, output_tokens: 1 }, llm, { providerId: provider, timestamp: new Date(at) })
  if (!look(Date.now())?.model_price.input_mtok) return null
  let believedUntil = 0
  let rates: ReturnType<typeof ratesOf> | null = null
  return {
    costUsd({ inputTokens, cachedInputTokens, outputTokens }, at) {
      if (!rates || at >= believedUntil || at < believedUntil - BELIEVED_MS) {
        rates = ratesOf(look(at)?.model_price ?? {})
        believedUntil = at + BELIEVED_MS
      }
      const fresh = (inputTokens - cachedInputTokens) * rates.input(inputTokens)
      const cached = cachedInputTokens * rates.cachedInput(inputTokens)
      return (fresh + cached + outputTokens * rates.output(inputTokens)) / MILLION
    },
  }
}

type Rate = number | { base: number; tiers: { price: number; start: number }[] } | undefined

function ratesOf(price: Record<string, Rate>) {
  const input = rateOf(price.input_mtok) ?? (() => 0)
  return {
    input,
    // Without a rate of its own a cached token costs what any other does.
    cachedInput: rateOf(price.cache_read_mtok) ?? input,
    output: rateOf(price.output_mtok) ?? (() => 0),
  }
}

function rateOf(rate: Rate): ((inputTokens: number) => number) | null {
  if (rate === undefined) return null
  if (typeof rate === 'number') return () => rate
  return (inputTokens) => rate.tiers.findLast(({ start }) => inputTokens > start)?.price ?? rate.base
}
