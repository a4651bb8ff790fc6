import type { BatchPlace } from './gatherer.ts'
import type { Embeddings, FinishReason, LlmRequest, Part, ProviderErrorCode, Usage } from './provider.ts'
import type { Target } from './target.ts'

/** What admission may need to know about an attempt that is about to be made. */
export interface Intent {
  readonly target: Target
  /** Tokens of the request as counted, and the most that may come back. */
  readonly inputTokens: number
  readonly outputTokens: number
  /** The most that the attempt is expected to cost: all of `outputTokens`, nothing from a cache, a margin for tokenizers. */
  readonly estimateUsd: number
  /** Aborted when the caller left or the deadline passed. */
  readonly signal: AbortSignal
  /** It is sent with others through a batch interface, whose answers take hours and need no place at the target. */
  readonly isGathered: boolean
}

export type AttemptOutcome = 'COMPLETE' | 'INCOMPLETE' | 'FAILED' | 'ABORTED'

/** What an attempt came to. Failed before anything was sent or generated: usage of zeros. */
export interface Settlement {
  readonly outcome: AttemptOutcome
  readonly usage: Usage
  readonly costUsd: number
}

/** Leave to make one attempt. */
export interface Admission {
  /** It lies at the provider in a batch: whoever asks for its answer later needs to know where. */
  sent?(place: BatchPlace): void
  /** Called exactly once per admission, whatever happens, also after an abort. The router waits for it. */
  settle(settlement: Settlement): Promise<void> | void
}

export interface RouteOptions {
  /** Name of a configured strategy; the configuration's default otherwise. */
  readonly strategy?: string
  /** Names of the only targets to consider. */
  readonly targets?: readonly string[]
  /** What is to be done, for declared quality: `summarize`, `classify` ... */
  readonly task?: string
  /** Whoever has the same key gets the same side of an A/B split. */
  readonly key?: string
  /** Overall, waits included. */
  readonly deadlineMs?: number
  /** Whether another target may take over in the middle of an answer. Without it a broken answer ends INCOMPLETE. */
  readonly isContinuable?: boolean
  /** Whether it may wait for hours: targets with a batch interface get it together with others. */
  readonly isPatient?: boolean
  readonly signal?: AbortSignal
  /**
   * Awaited before each attempt. A rejection passes the target over; when none is left the first rejection is thrown as it came.
   */
  readonly admit?: (intent: Intent) => Promise<Admission>
}

/** One target in an order, with the reason in a few words. */
export interface RankedTarget {
  readonly target: Target
  /** E.g. "0.00042 USD expected, cheapest of 3". */
  readonly why: string
  readonly estimateUsd: number
}

export interface ExcludedTarget {
  readonly target: Target
  /** E.g. "cannot take images", "price unknown", "cools down until 12:00:05". */
  readonly why: string
}

/** Where a request would go, and why. */
export interface Route {
  readonly strategy: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly order: readonly RankedTarget[]
  readonly excluded: readonly ExcludedTarget[]
}

export interface Attempt {
  readonly target: Target
  readonly outcome: AttemptOutcome | 'REFUSED'
  readonly code: ProviderErrorCode | null
  readonly message: string | null
  readonly durationMs: number
}

/** How a routed answer ended. INCOMPLETE: it broke in the middle; ABORTED: the caller stopped it. */
export type RoutedFinishReason = FinishReason | 'INCOMPLETE' | 'ABORTED'

/**
 * What the router adds to a provider's parts: `started` names who answers, before its first part (again, when another target
 * continues); `finish` is always the last one and holds real usage and cost over all attempts.
 */
export type RoutedPart =
  | { readonly type: 'started'; readonly target: Target }
  | Exclude<Part, { type: 'finish' }>
  | {
      readonly type: 'finish'
      readonly reason: RoutedFinishReason
      readonly target: Target
      readonly usage: Usage
      readonly costUsd: number
      readonly attempts: readonly Attempt[]
      /** Why it is INCOMPLETE. */
      readonly problem: { readonly code: ProviderErrorCode; readonly message: string } | null
      /** From asking to the first token. */
      readonly firstTokenMs: number
    }

/**
 * Rejects, before the first token only, with an InklingError: LLM_NO_TARGET, LLM_UNAVAILABLE, LLM_REQUEST_REJECTED,
 * DEADLINE_EXCEEDED, CANCELLED, or what `admit` threw. `return()` aborts the provider and settles. To be iterated once.
 */
export interface RoutedStream extends AsyncIterable<RoutedPart> {
  readonly route: Route
}

export interface RoutedEmbeddings extends Embeddings {
  readonly target: Target
  readonly costUsd: number
}

/** An answer that was collected after the process that asked for it had gone. */
export interface Collected {
  readonly parts: readonly Part[]
  readonly target: Target
  /** NaN where the provider reported no usage. */
  readonly costUsd: number
}

export type BreakerState = 'CLOSED' | 'OPEN' | 'HALF_OPEN'

/** What has been observed of one target in this process. */
export interface TargetStatus {
  readonly target: Target
  readonly isHealthy: boolean
  readonly breaker: BreakerState
  /** Until when a Retry-After keeps it out; null when it does not. */
  readonly coolsUntil: Date | null
  /** Smoothed over recent answers; null before the first. */
  readonly firstTokenMs: number | null
  readonly tokensPerSecond: number | null
  readonly requests: number
  readonly failures: number
  readonly lastFailure: { readonly code: ProviderErrorCode; readonly at: Date } | null
}

export interface Router {
  /** Throws LLM_NO_TARGET at once where nothing could ever answer. Calls nobody before it is iterated. */
  stream(request: LlmRequest, options?: RouteOptions): RoutedStream
  /** Where the request would go now. Calls nobody. */
  explain(request: LlmRequest, options?: RouteOptions): Route
  embed(texts: readonly string[], options?: RouteOptions): Promise<RoutedEmbeddings>
  targets(): readonly TargetStatus[]
  /**
   * What came of a request that an earlier process had sent in a batch, and what it cost. Throws ProviderError where it was not
   * answered, LLM_NO_TARGET where the target is no longer configured.
   */
  collect(target: string, place: BatchPlace, signal: AbortSignal): Promise<Collected>
  /** From now on batches that nobody waits for are not cancelled: another process collects them. */
  leaveBatches(): void
  /** Names of the strategies that `RouteOptions.strategy` may take; the first is the default. */
  readonly strategies: readonly string[]
}
