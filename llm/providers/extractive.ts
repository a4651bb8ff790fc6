import { type Part, type Provider, ProviderError, type ProviderRequest } from '../provider.ts'
import { textOf } from './prompt.ts'

/** The name of its one LLM, which is none. */
export const EXTRACTIVE_LLM = 'builtin-extractive'

const MOST_SENTENCES = 3
const commonWords = new Set(
  (
    'a about all also an and any are as at be been but by can could did do does for from had has have how i if in into is it its ' +
    'me my no not of on or our please she so some tell than that the their them then there these they this to us was we were ' +
    'what when where which who why will with would you your'
  ).split(' '),
)

/**
 * Answers with the prompt's own sentences that have most in common with its question: true as far as the prompt is, and no
 * language model. It stands in where nothing else is configured, so that a first start streams something, and says so.
 */
export function createExtractiveProvider({ wordMs = 0 }: { readonly wordMs?: number } = {}): Provider {
  return {
    name: 'builtin',
    label: 'BUILTIN_NOT_AN_LLM',
    stream: (request, signal) => answer(request, signal, wordMs),
  }
}

async function* answer(request: ProviderRequest, signal: AbortSignal, wordMs: number): AsyncGenerator<Part, void> {
  if (request.responseFormat || request.tools?.length)
    throw new ProviderError('REJECTED', 'The built-in answerer writes plain text only.')
  const words = extract(request.messages.map(({ content }) => textOf(content))).match(/\s*\S+/g) ?? []
  const most = request.maxTokens ?? words.length
  for (const word of words.slice(0, most)) {
    if (wordMs > 0) await new Promise((resolve) => setTimeout(resolve, wordMs))
    if (signal.aborted) throw new ProviderError('ABORTED', 'The call was stopped.')
    yield { type: 'text', text: word }
  }
  const inputTokens = request.messages.reduce(
    (sum, { content }) => sum + (textOf(content).match(/\S+/g)?.length ?? 0),
    0,
  )
  yield {
    type: 'finish',
    reason: words.length > most ? 'LENGTH' : 'STOP',
    usage: { inputTokens, cachedInputTokens: 0, outputTokens: Math.min(words.length, most), isEstimated: false },
  }
}

function extract(texts: readonly string[]): string {
  const sentences =
    texts
      .join('\n')
      .match(/[^\n.!?]+(?:[.!?]+|\n|$)/g)
      ?.map((text) => text.trim())
      .filter(Boolean) ?? []
  const question = sentences.findLast((sentence) => sentence.endsWith('?')) ?? sentences.at(-1) ?? ''
  const asked = new Set(wordsOf(question))
  const ranked = sentences
    .map((sentence, index) => ({ sentence, index, score: overlap(asked, sentence) }))
    .filter(({ sentence, score }) => sentence !== question && score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .slice(0, MOST_SENTENCES)
    .sort((a, b) => a.index - b.index)
  if (ranked.length > 0)
    return `No language model is configured. What the prompt itself says: ${ranked.map(({ sentence }) => sentence).join(' ')}`
  return `No language model is configured, and the prompt holds no answer to itself. It asks: ${question}`
}

/** Share of the asked words that a sentence has, so that long sentences gain nothing by length alone. */
function overlap(asked: ReadonlySet<string>, sentence: string): number {
  const words = new Set(wordsOf(sentence))
  let shared = 0
  for (const word of asked) if (words.has(word)) shared++
  return asked.size === 0 ? 0 : shared / Math.sqrt(asked.size * Math.max(1, words.size))
}

function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).filter((word) => !commonWords.has(word))
}
