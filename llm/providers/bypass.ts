import type { LanguageModelV4StreamPart } from '@ai-sdk/provider'
import { type Frame, type TextEvent, written } from './frames.ts'

type Read = ReadableStreamReadResult<LanguageModelV4StreamPart>

/**
 * A way for text round the package that understands a provider, whose streams and schemas cost ten times what all else does.
 * The package itself shows what it makes of an event: while it held nothing it was given that one alone, and made one piece of text of
 * it. Events that follow directly and differ in their text alone become text here, as long as the package holds nothing; all else goes
 * through it.
 */
export class Bypass {
  #package: ReadableStreamDefaultReader<LanguageModelV4StreamPart> | null = null
  /** Who waits for the next part. */
  #waiting: { resolve(read: Read): void; reject(error: unknown): void } | null = null
  /** Whether the package is asked for a part and has not answered. */
  #isAsked = false
  /** What the package answered while nobody waited, text having come round it. */
  #kept: Promise<Read> | null = null
  /** What the package was given alone, and what it has made since. */
  #shown: TextEvent | null = null
  #made: LanguageModelV4StreamPart[] = []
  #known: { readonly event: TextEvent; readonly type: 'text-delta' | 'reasoning-delta' } | null = null

  /** Reads what the package makes. */
  open(stream: ReadableStream<LanguageModelV4StreamPart>): void {
    this.#package = stream.getReader()
  }

  /** The next part, whichever way it came. To be asked for one after the other. */
  next(): Promise<Read> {
    if (this.#kept) {
      const kept = this.#kept
      this.#kept = null
      return kept
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      if (!this.#isAsked) this.#ask()
    })
  }

  /** Ends the call: nobody reads on. */
  cancel(): void {
    this.#package?.cancel().catch(() => {})
  }

  /** Gives what came to the reader or, by `enqueue`, to the package; in its order. To be called at most once in a turn of the event loop. */
  pass(frames: readonly Frame[], enqueue: (events: string) => void): void {
    // The package works in microtasks: if it has been asked and has not answered by now, it holds nothing.
    const isEmpty = this.#waiting !== null && this.#isAsked
    if (isEmpty) this.#learn()
    let through = ''
    for (const frame of frames) if (!isEmpty || through !== '' || !this.#give(frame)) through += written(frame)
    if (through === '') return
    const [first, ...more] = frames
    this.#known = null
    this.#made = []
    this.#shown = isEmpty && more.length === 0 && typeof first === 'object' ? first : null
    enqueue(through)
  }

  #ask(): void {
    this.#isAsked = true
    this.#package!.read().then(
      (read) => {
        this.#isAsked = false
        if (this.#shown && read.value) this.#made.push(read.value)
        if (this.#waiting) this.#waiting.resolve(read)
        else this.#kept = Promise.resolve(read)
        this.#waiting = null
      },
      (error) => {
        this.#isAsked = false
        if (this.#waiting) this.#waiting.reject(error)
        else {
          this.#kept = Promise.reject(error)
          this.#kept.catch(() => {}) // it is told to whoever asks next
        }
        this.#waiting = null
      },
    )
  }

  #learn(): void {
    const [made, ...others] = this.#made
    if (this.#shown && made && others.length === 0 && (made.type === 'text-delta' || made.type === 'reasoning-delta'))
      if (made.delta !== '' && made.delta === textOf(this.#shown)) this.#known = { event: this.#shown, type: made.type }
    this.#shown = null
  }

  /** False where it has to go through the package. */
  #give(frame: Frame): boolean {
    if (!this.#known || !this.#waiting || typeof frame === 'string') return false
    const { event, type } = this.#known
    if (frame.before !== event.before || frame.after !== event.after) return false
    const delta = textOf(frame)
    if (delta === null) return false
    this.#waiting.resolve({ done: false, value: { type, id: '', delta } })
    this.#waiting = null
    return true
  }
}

/** Null where it is no JSON: the package will say so. */
function textOf({ text }: TextEvent): string | null {
  try {
    return JSON.parse(`"${text}"`)
  } catch {
    return null
  }
}
