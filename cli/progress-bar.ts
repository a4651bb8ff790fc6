import { createPacer, type Pace, progressLine } from './progress-line.ts'

const REDRAW_MS = 80
/** Where nobody watches, a line every few seconds says as much as a bar. */
const LINE_MS = 5_000

export interface ProgressBar {
  /** total 0: how much there is to do is not known. */
  update(done: number, total: number, message: string): void
  /** Leaves one last line and lets others write again. May be called twice. */
  stop(): void
}

interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Draws on stderr, so that stdout stays for what a command prints: a bar for a person, plain lines for a log. */
export function createProgressBar(title: string, screen: Screen = process.stderr): ProgressBar {
  const startedAt = performance.now()
  const isLive = screen.isTTY === true
  let drawnAt = Number.NEGATIVE_INFINITY
  const pacer = createPacer()
  let last: { done: number; total: number; message: string; pace: Pace | null } | null = null
  let isStopped = false

  function draw(now: number, isLast: boolean): void {
    drawnAt = now
    const progress = { title, ...last!, seconds: (now - startedAt) / 1000 }
    if (!isLive) screen.write(`${progressLine(progress, 0)}\n`)
    else screen.write(`\r\u001b[K${progressLine(progress, screen.columns ?? 80)}${isLast ? '\n' : ''}`)
  }

  return {
    update(done, total, message) {
      const now = performance.now()
      last = { done, total, message, pace: pacer.note(done, total, now) }
      if (!isStopped && now - drawnAt >= (isLive ? REDRAW_MS : LINE_MS)) draw(now, false)
    },
    stop() {
      if (!isStopped && last) draw(performance.now(), true)
      isStopped = true
    },
  }
}
