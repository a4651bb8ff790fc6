import type { LlmRequest, Message } from './provider.ts'

/** The tokenizer's time grows with the square of what it takes for one word; pieces bound that. */
const CHUNK = 2000
const LONGEST_WORD = 64
/** Counted exactly at once, about 4 ms; the rest of a longer text is extrapolated where nobody can wait. */
const MOST_AT_ONCE = 32_000
/** What providers charge for an image is between 85 and 1,600 tokens; their own count settles it. */
const TOKENS_PER_IMAGE = 1600
/** Role and separators of one message. */
const TOKENS_PER_MESSAGE = 4

/** Counts tokens as OpenAI's o200k vocabulary has them; other vocabularies differ by up to a third, which estimates allow for. */
export interface TokenCounter {
  /** At once. A text beyond 32,000 characters is extrapolated from its beginning. */
  countAtOnce(text: string): number
  /** To the end, letting others run in between. */
  count(text: string): Promise<number>
}

type CountChunk = (chunk: string) => number

/**
 * isExact: false never loads the vocabulary (75 MB) and takes a token for four bytes, which is enough where nothing costs
 * money. Until the vocabulary is there, `countAtOnce` does the same with three.
 */
export function createTokenCounter({ isExact }: { readonly isExact: boolean }): TokenCounter {
  if (!isExact) {
    const count = (text: string) => Math.ceil(Buffer.byteLength(text) / 4)
    return { countAtOnce: count, count: async (text) => count(text) }
  }
  let counting: CountChunk | null = null
  const loading = import('gpt-tokenizer/encoding/o200k_base').then(({ countTokens }) => {
    counting = (chunk) => countChunk(chunk, countTokens)
    return counting
  })
  loading.catch(() => {}) // whoever counts hears of it
  return {
    countAtOnce(text) {
      if (!counting) return Math.ceil(Buffer.byteLength(text) / 3)
      let tokens = 0
      const end = Math.min(text.length, MOST_AT_ONCE)
      for (let at = 0; at < end; at += CHUNK) tokens += counting(text.slice(at, Math.min(at + CHUNK, end)))
      return end < text.length ? Math.ceil((tokens * text.length) / end) : tokens
    },
    async count(text) {
      const countOne = counting ?? (await loading)
      let tokens = 0
      for (let at = 0; at < text.length; at += CHUNK) {
        if (at > 0 && at % (8 * CHUNK) === 0) await new Promise(setImmediate)
        tokens += countOne(text.slice(at, at + CHUNK))
      }
      return tokens
    },
  }
}

const hasLongWord = new RegExp(`\\S{${LONGEST_WORD + 1}}|\\s{${LONGEST_WORD + 1}}`)
const shortWords = new RegExp(`\\s{0,${LONGEST_WORD}}\\S{1,${LONGEST_WORD}}|\\s{1,${LONGEST_WORD}}`, 'g')
/** `<|endoftext|>` in a prompt is text like any other. */
const plain = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() }

function countChunk(chunk: string, countTokens: (text: string, options: typeof plain) => number): number {
  if (!hasLongWord.test(chunk)) return countTokens(chunk, plain)
  let tokens = 0
  for (const word of chunk.match(shortWords) ?? []) tokens += countTokens(word, plain)
  return tokens
}

/** Everything of a request that is charged as input, as one text, and what is charged besides. */
export function chargedInput(request: LlmRequest): { readonly text: string; readonly besides: number } {
  let besides = request.messages.length * TOKENS_PER_MESSAGE
  const texts: string[] = []
  for (const message of request.messages) besides += gather(message, texts)
  if (request.tools?.length) texts.push(JSON.stringify(request.tools))
  if (request.responseFormat?.schema) texts.push(JSON.stringify(request.responseFormat.schema))
  return { text: texts.join('\n'), besides }
}

function gather({ content }: Message, texts: string[]): number {
  let images = 0
  for (const piece of content)
    if (piece.type === 'image') images++
    else texts.push(piece.type === 'toolCall' ? `${piece.name} ${piece.argumentsJson}` : piece.text)
  return images * TOKENS_PER_IMAGE
}
