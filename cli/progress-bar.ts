const WIDTH = 28
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
  let last: { done: number; total: number; message: string } | null = null
  let isStopped = false

  function draw(now: number, isLast: boolean): void {
    const { done, total, message } = last!
    const share = total > 0 ? Math.min(1, done / total) : null
    const percent = share === null ? String(done) : `${Math.floor(100 * share)} %`
    const seconds = `${((now - startedAt) / 1000).toFixed(1)} s`
    drawnAt = now
    if (!isLive) {
      screen.write(`${title}  ${percent}  ${message}  ${seconds}\n`)
      return
    }
    const filled = Math.round(WIDTH * (share ?? 0))
    const bar = share === null ? '' : `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} `
    const line = `${title}  ${bar}${percent}  ${message}  ${seconds}`
    screen.write(`\r\u001b[K${line.slice(0, Math.max(20, (screen.columns ?? 80) - 1))}${isLast ? '\n' : ''}`)
  }

  return {
    update(done, total, message) {
      last = { done, total, message }
      const now = performance.now()
      if (!isStopped && now - drawnAt >= (isLive ? REDRAW_MS : LINE_MS)) draw(now, false)
    },
    stop() {
      if (!isStopped && last) draw(performance.now(), true)
      isStopped = true
    },
  }
}
