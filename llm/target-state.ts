import { type Breaker, type BreakerOptions, createBreaker } from './breaker.ts'
import type { ProviderError } from './provider.ts'
import type { TargetStatus } from './route.ts'
import { createStatistics, type Statistics } from './statistics.ts'
import type { Target } from './target.ts'

/** After a 429 that does not say how long. */
const COOLS_MS = 2000
/** A wrong key or name stays wrong until somebody mends it; asking now and then is enough. */
const MISCONFIGURED_MS = 30_000

/** What one process knows about a target. */
export interface TargetState {
  readonly target: Target
  readonly statistics: Statistics
  readonly breaker: Breaker
  /** When it may be asked again; null: now. */
  availableAt(now: number): number | null
  failed(error: ProviderError, now: number): void
  status(now: number): TargetStatus
}

export function createTargetState(target: Target, breakerOptions: BreakerOptions): TargetState {
  const statistics = createStatistics()
  const breaker = createBreaker(breakerOptions)
  let coolsUntil = 0
  return {
    target,
    statistics,
    breaker,
    availableAt(now) {
      if (coolsUntil > now) return coolsUntil
      // The last resort when somebody else tries whether it is back: look again a little later.
      return breaker.isOpenTo(now) ? null : Math.max(breaker.restsUntil ?? now, now + 50)
    },
    failed({ code, retryAfterMs }, now) {
      statistics.failed(code, now)
      const isMisconfigured = code === 'UNAUTHORIZED' || code === 'UNKNOWN_LLM' || code === 'ADDRESS_REFUSED'
      const coolsMs = retryAfterMs ?? (code === 'RATE_LIMITED' ? COOLS_MS : isMisconfigured ? MISCONFIGURED_MS : 0)
      coolsUntil = Math.max(coolsUntil, now + coolsMs)
    },
    status(now) {
      const { firstTokenMs, tokensPerSecond, requests, failures, lastFailure } = statistics
      return {
        target,
        isHealthy: coolsUntil <= now && breaker.state === 'CLOSED',
        breaker: breaker.state,
        coolsUntil: coolsUntil > now ? new Date(coolsUntil) : null,
        firstTokenMs,
        tokensPerSecond,
        requests,
        failures,
        lastFailure,
      }
    },
  }
}
