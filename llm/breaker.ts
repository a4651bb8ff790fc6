import { CircuitState, ConsecutiveBreaker, circuitBreaker, handleAll } from 'cockatiel'
import type { BreakerState } from './route.ts'

/** Keeps requests away from a target that keeps failing, and lets one at a time find out whether it is back. */
export interface Breaker {
  readonly state: BreakerState
  /** When it may be tried again; null while it is closed. */
  readonly restsUntil: number | null
  /** Whether a request may go there now. */
  isOpenTo(now: number): boolean
  begin(): Trial
  onChange(listener: (state: BreakerState) => void): void
}

/** What one attempt tells the breaker. */
export interface Trial {
  /** Proof enough that a target is back. */
  firstToken(): void
  end(verdict: 'SUCCESS' | 'FAILURE' | 'NONE'): void
}

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number
  /** How long it then stays open. */
  readonly restMs: number
}

const states: Readonly<Record<CircuitState, BreakerState>> = {
  [CircuitState.Closed]: 'CLOSED',
  [CircuitState.Open]: 'OPEN',
  [CircuitState.HalfOpen]: 'HALF_OPEN',
  [CircuitState.Isolated]: 'OPEN',
}

export function createBreaker({ failures, restMs }: BreakerOptions): Breaker {
  const policy = circuitBreaker(handleAll, { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(failures) })
  let restsUntil = 0
  policy.onBreak(() => {
    restsUntil = Date.now() + restMs
  })
  // Everything but the first trial of an open breaker is recorded at its end: its stream may break at any time, and whoever comes
  // meanwhile need not wait for that.
  const record = (isSuccess: boolean) => {
    policy.execute(() => (isSuccess ? Promise.resolve() : Promise.reject(new Error('failed')))).catch(() => {})
  }
  return {
    get state() {
      return states[policy.state]
    },
    get restsUntil() {
      return policy.state === CircuitState.Closed ? null : restsUntil
    },
    isOpenTo: (now) =>
      policy.state === CircuitState.Closed || (policy.state === CircuitState.Open && now >= restsUntil),
    onChange: (listener) => void policy.onStateChange((state) => listener(states[state])),
    begin() {
      if (policy.state === CircuitState.Closed)
        return {
          firstToken() {},
          end: (verdict) => void (verdict !== 'NONE' && record(verdict === 'SUCCESS')),
        }
      let decide: ((isSuccess: boolean) => void) | null = null
      policy
        .execute(
          () =>
            new Promise<void>((resolve, reject) => {
              decide = (isSuccess) => (isSuccess ? resolve() : reject(new Error('failed')))
            }),
        )
        .catch(() => {}) // still resting: somebody else was quicker
      return {
        firstToken() {
          decide?.(true)
          decide = null
        },
        end(verdict) {
          if (decide) decide(verdict === 'SUCCESS')
          else if (verdict === 'FAILURE') record(false)
          decide = null
        },
      }
    },
  }
}
