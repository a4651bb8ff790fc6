import { type Answer, countWords, type Protocol, sse as plainSse } from '../protocol.ts'

/** Its lines end with a return, unlike those of the others. */
const withReturns = (text: string) => text.replaceAll('\n', '\r\n')
const sse = (payload: unknown) => withReturns(plainSse(payload))

const reasons = { stop: 'STOP', length: 'MAX_TOKENS', contentFilter: 'SAFETY' } as const

function usageOf({ usage }: Answer) {
  if (!usage) return undefined
  return {
    promptTokenCount: usage.input,
    cachedContentTokenCount: usage.cached,
    candidatesTokenCount: usage.output,
    totalTokenCount: usage.input + usage.output,
  }
}

function frame(answer: Answer, parts: readonly object[], finishReason?: string) {
  return {
    candidates: [{ content: { role: 'model', parts }, index: 0, ...(finishReason ? { finishReason } : {}) }],
    ...(finishReason && answer.usage ? { usageMetadata: usageOf(answer) } : {}),
    modelVersion: answer.llm,
    responseId: answer.id,
  }
}

/** Gemini's streamGenerateContent, as served by the Gemini API and by Vertex. */
export const gemini: Protocol = {
  name: 'gemini',
  contentType: 'text/event-stream',
  llmOf: (path) => decode(path.match(/\/models\/([^/]+?):(?:streamG|g)enerateContent/)?.[1]),
  isStream: (path) => path.includes(':streamGenerateContent'),
  inputTokens: countWords,
  head: () => '',
  text: (answer, piece) => sse(frame(answer, [{ text: piece }])),
  reasoning: (answer, piece) => sse(frame(answer, [{ text: piece, thought: true }])),
  toolCall: (answer, call) => sse(frame(answer, [{ functionCall: { name: call.name, args: call.arguments } }])),
  tail: (answer) => sse(frame(answer, [{ text: '' }], reasons[answer.behaviour.finish ?? 'stop'])),
  errorFrame: () => sse({ error: { code: 500, message: 'An internal error has occurred.', status: 'INTERNAL' } }),
  invalidJson: () => 'data: {"candidates":[{"content":{"parts":[{"text":\r\n\r\n',
  keepAlive: () => ': keep-alive\r\n\r\n',
  whole: (answer, text) => ({
    ...frame(answer, [{ text }], reasons[answer.behaviour.finish ?? 'stop']),
    usageMetadata: usageOf(answer),
  }),
  error: (status) => ({
    error: {
      code: status,
      message: `This is a ${status}`,
      status: status === 429 ? 'RESOURCE_EXHAUSTED' : status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL',
    },
  }),
}

function decode(text: string | undefined): string | null {
  return text === undefined ? null : decodeURIComponent(text)
}
