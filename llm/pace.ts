import { performance } from 'node:perf_hooks'

/** How long text is joined before it goes out: short while little is to do, longer while there is much, so that this thread keeps up. */
export interface Pace {
  /** To be asked once for each event. */
  joinMs(): number
}

const LOOK_MS = 500
const WIDEST_MS = 400
/** Share of the time in which the thread works, above and below which the window changes. */
const BUSY = 0.5
const IDLE = 0.25
/** Events a second, of all streams together, beyond which they are joined for longer: a quarter of a core. The rest is for those who ask. */
const MOST_EVENTS = 1_250
const STEP = 1.5

/** Looks at the event loop when asked, at most twice a second; without traffic nothing runs. */
export function createPace(shortestMs = 25): Pace {
  let windowMs = shortestMs
  let lookedAt = performance.now()
  let before = performance.eventLoopUtilization()
  let events = 0
  return {
    joinMs() {
      const now = performance.now()
      events++
      if (now - lookedAt >= LOOK_MS) {
        const { utilization } = performance.eventLoopUtilization(before)
        const perSecond = (events / (now - lookedAt)) * 1_000
        before = performance.eventLoopUtilization()
        lookedAt = now
        events = 0
        if (utilization > BUSY || perSecond > MOST_EVENTS) windowMs = Math.min(windowMs * STEP, WIDEST_MS)
        else if (utilization < IDLE && perSecond * STEP < MOST_EVENTS) windowMs = Math.max(windowMs / STEP, shortestMs)
      }
      return windowMs
    },
  }
}
