import type {
  CompletionEvent,
  CompletionFailed,
  CompletionFinished,
  CompletionStarted,
  CompletionTerminal,
  PlacedCall,
  ToolCall,
} from './completion.ts'

export interface TranscriptOptions {
  readonly id: string
  /** How long later text may wait to be joined, in milliseconds; asked anew each time. */
  joinMs(): number
  /** Told whenever the number of readers changes. */
  onReaders?(count: number): void
  /** A reader that has not asked for so long, although there was something to read, is let go. */
  readonly slowReaderMs?: number
}

type Draft<Event extends { id: string; sequence: number }> = Omit<Event, 'id' | 'sequence' | 'type'>
type Entry = { readonly at: number } & (
  | { readonly text: string }
  | { readonly event: Exclude<CompletionEvent, { type: 'TOKENS' | 'CUT' }> }
)

/** Text that the furthest reader may be behind before the provider is paused, in UTF-16 units; also once it has left, until it comes back. */
const MOST_AHEAD = 16 * 1024
/** Text given to a reader in one event. */
const MOST_JOINED = 16 * 1024
const SLOW_READER_MS = 30_000

/** An iterator whose return() ends it at once, also while somebody waits for its next event. */
export interface CompletionReader extends AsyncIterableIterator<CompletionEvent> {
  return(): Promise<IteratorResult<CompletionEvent>>
}

/** One answer as it comes: written once, read by as many as like, from wherever they left off. Nothing is queued for a reader. */
export class Transcript {
  readonly #options: TranscriptOptions
  readonly #entries: Entry[] = []
  readonly #readers = new Set<Reader>()
  #written = 0
  /** How far the furthest of those who have left had come. */
  #leftAt = 0
  #pending = ''
  #timer: NodeJS.Timeout | null = null
  #flushedAt = Number.NEGATIVE_INFINITY
  #isHurried = false
  #room: (() => void) | null = null
  #started: CompletionStarted | null = null
  #end: CompletionTerminal | null = null

  constructor(options: TranscriptOptions) {
    this.#options = options
  }

  get started(): CompletionStarted | null {
    return this.#started
  }

  /** The last event, once there is one. */
  get end(): CompletionTerminal | null {
    return this.#end
  }

  get text(): string {
    return this.#entries.map((entry) => ('text' in entry ? entry.text : '')).join('') + this.#pending
  }

  get toolCalls(): PlacedCall[] {
    return this.#entries.flatMap((entry) =>
      'event' in entry && entry.event.type === 'TOOL' ? [{ ...entry.event.call, sequence: entry.event.sequence }] : [],
    )
  }

  /** How far it has come, what waits to be joined included. */
  get length(): number {
    return this.#written + this.#pending.length
  }

  /** Only the first counts: that another target went on with the answer is told at its end. */
  start(draft: Draft<CompletionStarted>): void {
    if (this.#started) return
    this.#started = { type: 'STARTED', id: this.#options.id, sequence: 1, ...draft }
    this.#append({ at: 0, event: this.#started }, 1)
  }

  addText(text: string): void {
    if (text === '') return
    this.#pending += text
    if (this.#timer) return
    // The first token goes out at once, and so does one that comes later than others would be waited for.
    const waitMs = this.#flushedAt + this.#options.joinMs() - performance.now()
    if (waitMs <= 0) this.#flush()
    else this.#timer = setTimeout(() => this.#flush(), waitMs)
  }

  addCall(call: ToolCall): void {
    this.#flush(true)
    this.#append(
      { at: this.#written, event: { type: 'TOOL', id: this.#options.id, sequence: this.#written + 1, call } },
      1,
    )
  }

  finish(draft: Draft<CompletionFinished>): void {
    this.#close({ type: 'FINISHED', ...this.#place(), ...draft })
  }

  fail(draft: Draft<CompletionFailed>): void {
    this.#close({ type: 'FAILED', ...this.#place(), ...draft })
  }

  /** Resolves once a reader is near enough for more; null: one is, or nobody is waited for. */
  room(): Promise<void> | null {
    if (this.#hasRoom()) return null
    return new Promise((resolve) => {
      this.#room = resolve
    })
  }

  /** From now on nobody waits for readers: the answer is to stop, or comes in one piece. */
  hurry(): void {
    this.#isHurried = true
    this.#openRoom()
  }

  /** Everything after a sequence, then live. */
  read(after = 0): CompletionReader {
    const reader = new Reader(this, after)
    if (!this.#end) this.#readers.add(reader)
    this.#changed()
    return reader
  }

  /** The next event after a position, text joined; null when there is none yet. */
  after(position: number): CompletionEvent | null {
    let index = this.#find(position)
    const first = this.#entries[index]
    if (!first) return null
    if ('event' in first) return first.event
    const pieces = [first.text.slice(position - first.at)]
    let size = pieces[0]!.length
    for (
      let next = this.#entries[++index];
      next && 'text' in next && size < MOST_JOINED;
      next = this.#entries[++index]
    ) {
      pieces.push(next.text)
      size += next.text.length
    }
    return { type: 'TOKENS', id: this.#options.id, sequence: position + size, text: pieces.join('') }
  }

  get slowReaderMs(): number {
    return this.#options.slowReaderMs ?? SLOW_READER_MS
  }

  get id(): string {
    return this.#options.id
  }

  leave(reader: Reader): void {
    if (!this.#readers.delete(reader)) return
    this.#leftAt = Math.max(this.#leftAt, reader.position)
    this.#changed()
  }

  /** A reader has come further. */
  moved(): void {
    if (this.#room && this.#hasRoom()) this.#openRoom()
  }

  #place() {
    this.#flush(true)
    return { id: this.#options.id, sequence: this.#written + 1 }
  }

  #close(event: CompletionTerminal): void {
    if (this.#end) return
    this.#end = event
    this.#append({ at: this.#written, event }, 1)
    this.#openRoom()
  }

  /** Half a character waits for its other half, unless nothing follows. */
  #flush(isLast = false): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#pending === '') return
    this.#flushedAt = performance.now()
    const isHalf = /[\ud800-\udbff]$/.test(this.#pending)
    const cut = isHalf && !isLast ? this.#pending.length - 1 : this.#pending.length
    const text = this.#pending.slice(0, cut).toWellFormed()
    this.#pending = this.#pending.slice(cut)
    if (text !== '') this.#append({ at: this.#written, text }, text.length)
  }

  #append(entry: Entry, length: number): void {
    this.#entries.push(entry)
    this.#written += length
    for (const reader of this.#readers) reader.wake()
  }

  /** Readers are mostly at the end, so that is where the search begins. */
  #find(position: number): number {
    let index = this.#entries.length
    while (index > 0 && this.#entries[index - 1]!.at >= position) index--
    const before = this.#entries[index - 1]
    return before && 'text' in before && before.at + before.text.length > position ? index - 1 : index
  }

  #hasRoom(): boolean {
    if (this.#end || this.#isHurried) return true
    if (this.#readers.size === 0) return this.#written - this.#leftAt <= MOST_AHEAD
    for (const reader of this.#readers) if (this.#written - reader.position <= MOST_AHEAD) return true
    return false
  }

  #openRoom(): void {
    this.#room?.()
    this.#room = null
  }

  #changed(): void {
    this.moved()
    this.#options.onReaders?.(this.#readers.size)
  }
}

class Reader implements CompletionReader {
  readonly #transcript: Transcript
  readonly #waiting: ((result: IteratorResult<CompletionEvent>) => void)[] = []
  #slow: NodeJS.Timeout | null = null
  #state: 'open' | 'cut' | 'over' = 'open'
  position: number

  constructor(transcript: Transcript, position: number) {
    this.#transcript = transcript
    this.position = position
  }

  next(): Promise<IteratorResult<CompletionEvent>> {
    this.#asked()
    if (this.#state === 'cut') {
      this.#finish()
      return Promise.resolve({
        done: false,
        value: { type: 'CUT', id: this.#transcript.id, sequence: this.position },
      })
    }
    const event = this.#state === 'open' && this.#waiting.length === 0 ? this.#take() : null
    if (event) {
      if (this.#transcript.length > this.position) this.#expect()
      return Promise.resolve({ done: false, value: event })
    }
    if (this.#state === 'over') return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<CompletionEvent>> {
    this.#finish()
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(): Promise<IteratorResult<CompletionEvent>> {
    return this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** There is more. Whoever does not come for it in time is let go. */
  wake(): void {
    while (this.#waiting.length > 0) {
      const resolve = this.#waiting.shift()!
      const event = this.#take()
      if (event) resolve({ done: false, value: event })
      else if (this.#state === 'over') resolve({ done: true, value: undefined })
      else {
        this.#waiting.unshift(resolve)
        return
      }
    }
    this.#expect()
  }

  #expect(): void {
    if (this.#state !== 'open') return
    this.#slow ??= setTimeout(() => {
      this.#state = 'cut'
      this.#transcript.leave(this)
    }, this.#transcript.slowReaderMs).unref()
  }

  #take(): CompletionEvent | null {
    const event = this.#transcript.after(this.position)
    if (!event) {
      if (this.#transcript.end) this.#finish()
      return null
    }
    this.position = event.sequence
    if (event.type === 'FINISHED' || event.type === 'FAILED') this.#finish()
    else this.#transcript.moved()
    return event
  }

  #asked(): void {
    if (this.#slow) clearTimeout(this.#slow)
    this.#slow = null
  }

  #finish(): void {
    if (this.#state === 'over') return
    this.#state = 'over'
    this.#asked()
    this.#transcript.leave(this)
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }
}
