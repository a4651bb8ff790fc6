import { performance } from 'node:perf_hooks'

/** How long text is joined before it goes out: short while this thread is idle, longer while it is busy, so that it keeps up. */
export interface Pace {
  joinMs(): number
}

const LOOK_MS = 500
const WIDEST_MS = 400
/** Share of the time in which the thread works, above and below which the window changes. */
const BUSY = 0.5
const IDLE = 0.25

/** Looks at the event loop when asked, at most twice a second; without traffic nothing runs. */
export function createPace(shortestMs = 25): Pace {
  let windowMs = shortestMs
  let lookedAt = performance.now()
  let before = performance.eventLoopUtilization()
  return {
    joinMs() {
      const now = performance.now()
      if (now - lookedAt >= LOOK_MS) {
        const { utilization } = performance.eventLoopUtilization(before)
        before = performance.eventLoopUtilization()
        lookedAt = now
        if (utilization > BUSY) windowMs = Math.min(windowMs * 1.5, WIDEST_MS)
        else if (utilization < IDLE) windowMs = Math.max(windowMs / 1.5, shortestMs)
      }
      return windowMs
    },
  }
}
