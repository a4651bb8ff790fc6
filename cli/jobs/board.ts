import { createPacer, type Progress, progressLine } from '../progress-line.ts'

const REDRAW_MS = 80
/** Where nobody watches, a line of a job every few seconds says as much as a bar. */
const LINE_MS = 5000

export interface Screen {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface Board {
  row(title: string): BoardRow
  /** Leaves the last picture and lets others write again. May be called twice. */
  stop(): void
}

export interface BoardRow {
  progress(done: number, total: number, unit: string | null, message: string): void
  /** A word instead of a bar: it waits, is retried, is over. */
  says(text: string): void
}

interface Drawn {
  text: string | null
  progress: Omit<Progress, 'seconds'> | null
  linedAt: number
  lined: string
}

/** Bars of several jobs below one another for a person, plain lines for a log. On stderr: stdout is for what a command prints. */
export function createBoard(screen: Screen = process.stderr): Board {
  const startedAt = performance.now()
  const isLive = screen.isTTY === true
  const rows: { readonly title: string; readonly drawn: Drawn }[] = []
  let height = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null
  let isStopped = false

  function lineOf({ title, drawn }: (typeof rows)[number], columns: number): string {
    const seconds = (performance.now() - startedAt) / 1000
    if (drawn.progress && drawn.text === null) return progressLine({ ...drawn.progress, seconds }, columns)
    const line = `${title}  ${drawn.text ?? ''}`
    return columns === 0 ? line : line.slice(0, columns - 1)
  }
  function paint(): void {
    drawnAt = performance.now()
    const columns = screen.columns ?? 80
    const picture = rows.map((row) => `\u001b[K${lineOf(row, columns)}\n`).join('')
    screen.write(`${height > 0 ? `\u001b[${height}A` : ''}\r${picture}`)
    height = rows.length
  }
  function redraw(row: (typeof rows)[number], isWord: boolean): void {
    if (isStopped) return
    if (!isLive) {
      const [now, { drawn }] = [performance.now(), row]
      if (isWord ? drawn.lined === drawn.text : now - drawn.linedAt < LINE_MS) return
      drawn.linedAt = now
      drawn.lined = drawn.text ?? ''
      screen.write(`${lineOf(row, 0)}\n`)
      return
    }
    const wait = Math.max(0, drawnAt + REDRAW_MS - performance.now())
    timer ??= setTimeout(() => {
      timer = null
      if (!isStopped) paint()
    }, wait)
  }

  return {
    row(title) {
      const drawn: Drawn = { text: 'waiting', progress: null, linedAt: Number.NEGATIVE_INFINITY, lined: '' }
      const row = { title, drawn }
      const pacer = createPacer()
      rows.push(row)
      redraw(row, true)
      return {
        progress(done, total, unit, message) {
          drawn.text = null
          drawn.progress = { title, done, total, unit, message, pace: pacer.note(done, total, performance.now()) }
          redraw(row, false)
        },
        says(text) {
          drawn.text = text
          redraw(row, true)
        },
      }
    },
    stop() {
      if (timer) clearTimeout(timer)
      if (isLive && !isStopped) paint()
      isStopped = true
    },
  }
}
