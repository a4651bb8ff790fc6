import type { Provider, Usage } from './provider.ts'

/** What an LLM charges, in USD per million tokens. */
export interface Rates {
  readonly input: number
  readonly cachedInput: number
  readonly output: number
}

export interface Price {
  /** What this usage costs at a moment; some providers charge by the hour of the day. */
  costUsd(usage: Pick<Usage, 'inputTokens' | 'cachedInputTokens' | 'outputTokens'>, at: number): number
}

export interface Capabilities {
  /** Answers prompts. */
  readonly text: boolean
  /** Turns texts into vectors. */
  readonly embeddings: boolean
  readonly tools: boolean
  readonly images: boolean
  readonly json: boolean
}

export interface Limits {
  /** Calls at once. */
  readonly concurrency: number | null
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
}

/** How requests that may wait are sent together, through the provider's batch interface. */
export interface BatchTerms {
  /** Share of the price that it saves: 0..1. */
  readonly discount: number
  /** How long requests are gathered, and how many at most. */
  readonly gatherMs: number
  readonly most: number
  /** How often the provider is asked whether it is done. */
  readonly pollMs: number
}

/** Provider + LLM + price: one place where a request can go. */
export interface Target {
  /** Its name in the configuration, unique. */
  readonly name: string
  readonly provider: Provider
  /** The LLM's name as the provider knows it. */
  readonly llm: string
  /** Null: unknown, and the router refuses to send anything there. */
  readonly price: Price | null
  /** Input and output tokens together. */
  readonly contextTokens: number
  readonly capabilities: Capabilities
  /** Task -> 0..1 as declared in the configuration; `default` for the others. */
  readonly quality: Readonly<Record<string, number>>
  /** `local` or `remote`, and what the configuration adds. */
  readonly tags: readonly string[]
  readonly limits: Limits
  /** Null: requests that may wait are sent one by one, too. */
  readonly batch: BatchTerms | null
  /** Smaller is asked first by the priority strategy. */
  readonly priority: number
}
