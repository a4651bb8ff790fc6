import type { LlmRequest, Usage } from './provider.ts'
import type { TokenCounter } from './tokens.ts'

/** Keeps account of what a provider writes, so that nobody depends on what it says about it. */
export interface OutputMeter {
  /** False when it has written clearly more than it was allowed: it has to be stopped. */
  add(text: string): boolean
  /** Everything written so far, where it is kept. */
  text(): string
  /** Usage as counted here. */
  counted(): Usage
  /** The provider's own count where it can be true, and ours where it cannot. */
  settled(reported: Usage | null): Usage
}

/** How far vocabularies differ: beyond it, a report or an answer is not believed. */
const MARGIN = 1.25
/** No vocabulary has ordinary text with more characters to a token. */
const MOST_CHARS_PER_TOKEN = 40
const CHECK_EVERY = 2000

/** keepsText: for who may go on with it; the answer itself is kept elsewhere. */
export function createOutputMeter(
  request: LlmRequest & { readonly maxTokens: number },
  inputTokens: number,
  counter: TokenCounter,
  keepsText = false,
): OutputMeter {
  let chars = 0
  let uncounted: string[] = []
  let uncountedChars = 0
  let tokens = 0
  const texts: string[] = []
  const most = request.maxTokens * MARGIN + 64
  const hasImages = request.messages.some(({ content }) => content.some(({ type }) => type === 'image'))

  function countAll(): number {
    if (uncountedChars === 0) return tokens
    tokens += counter.countAtOnce(uncounted.join(''))
    uncounted = []
    uncountedChars = 0
    return tokens
  }

  function isBelievable({ inputTokens: input, cachedInputTokens: cached, outputTokens: output }: Usage): boolean {
    if (cached > input || input * MOST_CHARS_PER_TOKEN < inputTokens) return false
    if (!hasImages && input > inputTokens * 4 + 2000) return false // templates and tool descriptions add some
    return output <= most && output * MOST_CHARS_PER_TOKEN >= chars
  }

  const counted = (): Usage => ({
    inputTokens,
    cachedInputTokens: 0,
    outputTokens: countAll(),
    isEstimated: true,
  })
  return {
    add(text) {
      if (keepsText) texts.push(text)
      uncounted.push(text)
      chars += text.length
      uncountedChars += text.length
      // Ordinary text has four characters to a token: with less than two for each allowed one, there is nothing to count yet.
      if (uncountedChars < CHECK_EVERY || chars < request.maxTokens * 2) return true
      return countAll() <= most
    },
    text: () => texts.join(''),
    counted,
    settled: (reported) => (reported && isBelievable(reported) ? reported : counted()),
  }
}
