const WIDTH = 28
const NARROWEST = 20
/** A pace that was measured over less than this says nothing. */
const SOONEST_MS = 1000

export interface Progress {
  readonly title: string
  readonly done: number
  /** 0: how much there is to do is not known. */
  readonly total: number
  /** What is counted, such as rows; its rate is shown. */
  readonly unit?: string | null
  readonly message: string
  readonly seconds: number
  readonly pace: Pace | null
}

export interface Pace {
  readonly perSecond: number
  /** Until it is done; null where the total is not known. */
  readonly secondsLeft: number | null
}

/** Measures how fast `done` grows. It begins anew when `done` falls back, as it does with another stage or attempt. */
export function createPacer(): { note(done: number, total: number, now: number): Pace | null } {
  let first: { done: number; total: number; now: number } | null = null
  let last = 0
  return {
    note(done, total, now) {
      if (first === null || done < last || total !== first.total) first = { done, total, now }
      last = done
      const [made, spentMs] = [done - first.done, now - first.now]
      if (made <= 0 || spentMs < SOONEST_MS) return null
      const perSecond = (made / spentMs) * 1000
      return { perSecond, secondsLeft: total > 0 ? Math.max(0, (total - done) / perSecond) : null }
    },
  }
}

/** A bar for a person: share, rate and time left. columns: cut there; 0 for a log, which gets no bar. */
export function progressLine(progress: Progress, columns: number): string {
  const { title, done, total, unit, message, seconds, pace } = progress
  const share = total > 0 ? Math.min(1, done / total) : null
  const filled = Math.round(WIDTH * (share ?? 0))
  const parts = [
    title,
    share === null || columns === 0
      ? percentOf(share, done)
      : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${percentOf(share, done)}`,
    pace && unit ? `${rateOf(pace.perSecond)} ${unit}/s` : '',
    pace?.secondsLeft != null && done < total ? `${durationOf(pace.secondsLeft)} left` : '',
    message,
    `${seconds.toFixed(1)} s`,
  ]
  const line = parts.filter((part) => part !== '').join('  ')
  return columns === 0 ? line : line.slice(0, Math.max(NARROWEST, columns - 1))
}

function percentOf(share: number | null, done: number): string {
  return share === null ? String(done) : `${Math.floor(100 * share)} %`
}

function rateOf(perSecond: number): string {
  return perSecond >= 10 ? Math.round(perSecond).toLocaleString('en') : perSecond.toPrecision(2)
}

export function durationOf(seconds: number): string {
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
