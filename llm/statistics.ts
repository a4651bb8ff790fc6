import type { ProviderErrorCode } from './provider.ts'

/** What has been seen of one target in this process. Averages forget: each new answer weighs a fifth. */
export interface Observed {
  readonly requests: number
  readonly failures: number
  /** Null before the first answer. */
  readonly firstTokenMs: number | null
  readonly tokensPerSecond: number | null
  /** Share of input tokens that came from the provider's prompt cache, 0..1. */
  readonly cachedShare: number
  /** When the last answer was seen; 0 before the first. */
  readonly seenAt: number
  readonly lastFailure: { readonly code: ProviderErrorCode; readonly at: Date } | null
}

export interface Statistics extends Observed {
  answered(answer: {
    readonly firstTokenMs: number
    readonly tokensPerSecond: number | null
    readonly cachedShare: number
    readonly at: number
  }): void
  failed(code: ProviderErrorCode, at: number): void
}

const WEIGHT = 0.2

export function createStatistics(): Statistics {
  const smooth = (before: number | null, now: number) => (before === null ? now : before + WEIGHT * (now - before))
  const seen = {
    requests: 0,
    failures: 0,
    firstTokenMs: null as number | null,
    tokensPerSecond: null as number | null,
    cachedShare: 0,
    seenAt: 0,
    lastFailure: null as Observed['lastFailure'],
    answered({ firstTokenMs, tokensPerSecond, cachedShare, at }: Parameters<Statistics['answered']>[0]) {
      seen.requests++
      seen.firstTokenMs = smooth(seen.firstTokenMs, firstTokenMs)
      if (tokensPerSecond !== null) seen.tokensPerSecond = smooth(seen.tokensPerSecond, tokensPerSecond)
      seen.cachedShare = smooth(seen.seenAt === 0 ? null : seen.cachedShare, cachedShare)
      seen.seenAt = at
    },
    failed(code: ProviderErrorCode, at: number) {
      seen.requests++
      seen.failures++
      seen.lastFailure = { code, at: new Date(at) }
    },
  }
  return seen
}
