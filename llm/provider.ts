// The whole of what the router knows about a provider. Everything behind it (an HTTP API, a local server, the built-in answerer)
// passes the same contract suite: tests/llm/contract.ts.

/** One piece of a message. Images travel as data, never as an address: nobody fetches what a prompt names. */
export type Content =
  | { readonly type: 'text'; readonly text: string }
  /** base64: without the `data:` prefix. */
  | { readonly type: 'image'; readonly mediaType: string; readonly base64: string }
  /** What the LLM asked for earlier; argumentsJson as it came. */
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly argumentsJson: string }
  /** What the tool answered. */
  | { readonly type: 'toolResult'; readonly id: string; readonly name: string; readonly text: string }

export interface Message {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: readonly Content[]
}

export type JsonSchema = Readonly<Record<string, unknown>>

/** A function that the LLM may ask the caller to run. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly parameters: JsonSchema
}

export type ToolChoice = 'auto' | 'none' | 'required' | { readonly name: string }

/** The answer has to be JSON; with a schema, JSON of that shape. */
export interface ResponseFormat {
  readonly name: string
  readonly schema: JsonSchema | null
}

/** What is asked, whoever answers. */
export interface LlmRequest {
  readonly messages: readonly Message[]
  readonly tools?: readonly Tool[]
  readonly toolChoice?: ToolChoice
  readonly responseFormat?: ResponseFormat
  /** Output tokens at most. The router sets its configured default where it is missing, so that a cost is bounded. */
  readonly maxTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly stop?: readonly string[]
  readonly seed?: number
}

/** The request as a provider gets it: with the name of one of its LLMs. */
export interface ProviderRequest extends LlmRequest {
  readonly llm: string
}

/** Tokens of one answer. */
export interface Usage {
  readonly inputTokens: number
  /** Part of inputTokens, read from the provider's prompt cache. */
  readonly cachedInputTokens: number
  readonly outputTokens: number
  /** True where the provider reported nothing believable, and we counted ourselves. */
  readonly isEstimated: boolean
}

export type FinishReason = 'STOP' | 'LENGTH' | 'TOOL_CALLS' | 'CONTENT_FILTER' | 'OTHER'

/**
 * One piece of an answer's stream. A stream ends with exactly one `finish`; one that ends without, failed. `usage` is what the
 * provider reported, null where it reported none: the router counts then.
 */
export type Part =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'toolCall'; readonly id: string; readonly name: string; readonly argumentsJson: string }
  | { readonly type: 'finish'; readonly reason: FinishReason; readonly usage: Usage | null }

export interface Embeddings {
  /** One per text, in their order. */
  readonly vectors: readonly (readonly number[])[]
  readonly inputTokens: number
}

/** One request among those that are sent together. Its id names it within them: at most 64 letters, digits, - and _. */
export interface BatchItem {
  readonly id: string
  readonly request: ProviderRequest
}

/** What came of one of them: an answer with its `finish`, or why there is none. */
export type BatchOutcome = { readonly parts: readonly Part[] } | { readonly error: ProviderError }

/** A provider's interface for requests that may wait for hours and cost less. Everything throws ProviderError. */
export interface Batches {
  /** Hands requests to one LLM over. Resolves with the batch's id. */
  start(items: readonly BatchItem[], signal: AbortSignal): Promise<string>
  /** What came of each, by id, once all is over; null while it is under way. An id that is missing has expired. */
  results(batchId: string, signal: AbortSignal): Promise<ReadonlyMap<string, BatchOutcome> | null>
  /** What has been answered until then is still paid. */
  cancel(batchId: string, signal: AbortSignal): Promise<void>
}

/** Whoever answers. Several LLMs of one account and address are one provider. */
export interface Provider {
  readonly name: string
  /** Said with every answer that no language model wrote; null for real ones. */
  readonly label: 'BUILTIN_NOT_AN_LLM' | null
  /** Throws ProviderError, also in the middle of the stream. Ends the call when the signal aborts or the consumer returns. */
  stream(request: ProviderRequest, signal: AbortSignal): AsyncIterable<Part>
  embed?(texts: readonly string[], llm: string, signal: AbortSignal): Promise<Embeddings>
  readonly batches?: Batches
}

/** How a call failed, and what the router makes of it. */
const failures = {
  /** 429, or the provider says that the quota is used up. */
  RATE_LIMITED: { isRetryable: true, isOfTarget: true },
  /** 5xx, 529, or an error frame in the stream. */
  OVERLOADED: { isRetryable: true, isOfTarget: true },
  /** No connection, or it broke before the answer began. */
  UNREACHABLE: { isRetryable: true, isOfTarget: true },
  /** No first token in time. */
  TIMEOUT: { isRetryable: true, isOfTarget: true },
  /** The stream fell silent. */
  STALLED: { isRetryable: true, isOfTarget: true },
  /** The stream ended without saying that it was complete. */
  TRUNCATED: { isRetryable: true, isOfTarget: true },
  /** What came is not what the protocol says. */
  BAD_REPLY: { isRetryable: true, isOfTarget: true },
  /** More bytes than an answer may have. */
  TOO_LARGE: { isRetryable: false, isOfTarget: true },
  /** 401, 403: the key. */
  UNAUTHORIZED: { isRetryable: false, isOfTarget: true },
  /** 404: the address or the LLM's name. */
  UNKNOWN_LLM: { isRetryable: false, isOfTarget: true },
  /** The address may not be called: it resolves to a private network, or redirects. */
  ADDRESS_REFUSED: { isRetryable: false, isOfTarget: true },
  /** 4xx: this request is not accepted; another provider may accept it. */
  REJECTED: { isRetryable: false, isOfTarget: false },
  /** The caller stopped it. */
  ABORTED: { isRetryable: false, isOfTarget: false },
} as const satisfies Record<string, { isRetryable: boolean; isOfTarget: boolean }>

export type ProviderErrorCode = keyof typeof failures

/** A failed call. Its message may quote the provider; it never holds a key. */
export class ProviderError extends Error {
  override readonly name = 'ProviderError'
  readonly code: ProviderErrorCode
  /** HTTP status; null where it did not come to one. */
  readonly status: number | null
  /** What the provider asked to wait; null where it did not say. */
  readonly retryAfterMs: number | null
  /** Whether the same target may succeed later. */
  readonly isRetryable: boolean
  /** Whether it speaks against the target's health, and not against the request. */
  readonly isOfTarget: boolean

  constructor(
    code: ProviderErrorCode,
    message: string,
    options: { readonly status?: number | null; readonly retryAfterMs?: number | null; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.code = code
    this.status = options.status ?? null
    this.retryAfterMs = options.retryAfterMs ?? null
    this.isRetryable = failures[code].isRetryable
    this.isOfTarget = failures[code].isOfTarget
  }
}

/** A request of one user message, the most common one. */
export function requestOf(prompt: string, options: Omit<LlmRequest, 'messages'> = {}): LlmRequest {
  return { ...options, messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }] }
}
