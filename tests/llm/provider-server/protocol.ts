import type { Behaviour, ReportedUsage } from './behaviour.ts'

/** What a protocol is asked to write about one answer. */
export interface Answer {
  readonly id: string
  readonly llm: string
  readonly behaviour: Behaviour
  readonly usage: ReportedUsage | null
  // biome-ignore lint/suspicious/noExplicitAny: the wire's own shape.
  readonly body: any
}

/** One provider's wire format: what bytes say a thing. Timing and faults are the server's. */
export interface Protocol {
  readonly name: string
  readonly contentType: string
  llmOf(path: string, body: { model?: string }): string | null
  isStream(path: string, body: { stream?: boolean }): boolean
  /** Tokens of the request, counted in words. */
  inputTokens(body: unknown): number
  head(answer: Answer): string
  text(answer: Answer, piece: string, index: number): string
  reasoning(answer: Answer, piece: string): string
  toolCall(answer: Answer, call: { name: string; arguments: unknown }, index: number): string
  tail(answer: Answer): string
  errorFrame(answer: Answer): string
  invalidJson(answer: Answer): string
  keepAlive(answer: Answer): string
  /** The whole answer as one document. */
  whole(answer: Answer, text: string): unknown
  error(status: number): unknown
}

export function sse(payload: unknown, event?: string): string {
  return `${event ? `event: ${event}\n` : ''}data: ${JSON.stringify(payload)}\n\n`
}

/** Words of every string below `text`, `content` or `parts`: a tokenizer that tests can follow by hand. */
export function countWords(node: unknown): number {
  if (typeof node === 'string') return node.split(/\s+/).filter(Boolean).length
  if (Array.isArray(node)) return node.reduce<number>((sum, item) => sum + countWords(item), 0)
  if (node === null || typeof node !== 'object') return 0
  return Object.entries(node)
    .filter(([key]) =>
      ['text', 'content', 'parts', 'system', 'messages', 'contents', 'systemInstruction'].includes(key),
    )
    .reduce((sum, [, value]) => sum + countWords(value), 0)
}
