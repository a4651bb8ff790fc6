import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { countRefusal } from './meter.ts'

/** How many questions a viewer may ask within a minute. */
export interface ViewerRates {
  /** Throws RATE_LIMITED. */
  take(viewer: Viewer): Promise<void>
}

/** Counted in this process: behind several, a viewer may ask as many times more often. Money is counted in the database. */
export function createViewerRates(perMinute: number): ViewerRates {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: 60 })
  return {
    async take({ tenant, id }) {
      try {
        await limiter.consume(JSON.stringify([tenant, id]))
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused
        countRefusal('rate')
        throw new InklingError(
          'RATE_LIMITED',
          `More than ${perMinute} questions were asked within a minute.`,
          `Ask again in ${Math.ceil(refused.msBeforeNext / 1_000)} s.`,
        )
      }
    },
  }
}
