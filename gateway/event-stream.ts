import { takeTurn } from './turn.ts'

/**
 * Events that can be ended from outside while the consumer waits. A native async generator cannot: its `return()` queues
 * behind the `next()` that is still waiting, which on a quiet subscription is forever.
 */
export class EventStream<Event, Source = Event> implements AsyncIterableIterator<Event> {
  readonly #source: AsyncIterator<Source>
  readonly #map: (value: Source) => Event | Promise<Event>
  readonly #onEnd: () => void
  readonly #waiting = new Set<(result: IteratorResult<Event>) => void>()
  #isEnded = false
  #last: Event[] = []

  /** `map` turns each value into an event; `onEnd` runs once, however the stream ends. */
  constructor(
    source: AsyncIterable<Source>,
    map: (value: Source) => Event | Promise<Event> = (value) => value as unknown as Event,
    onEnd: () => void = () => {},
  ) {
    this.#source = source[Symbol.asyncIterator]()
    this.#map = map
    this.#onEnd = onEnd
  }

  next(): Promise<IteratorResult<Event>> {
    if (this.#isEnded) return Promise.resolve(this.#lastResult())
    return new Promise((resolve, reject) => {
      this.#waiting.add(resolve)
      this.#pull().then(
        (result) => {
          this.#waiting.delete(resolve)
          if (result.done) this.#finish()
          resolve(result)
        },
        (error) => {
          this.#waiting.delete(resolve)
          this.end()
          reject(error)
        },
      )
    })
  }

  /** Completes for the consumer at once, after `last` where there is one, and tells the source to stop without waiting for it. */
  end(last?: Event): void {
    if (this.#isEnded) return
    if (last !== undefined) this.#last.push(last)
    this.#finish()
    Promise.resolve(this.#source.return?.()).catch(() => {}) // a source that fails to stop has nobody left to tell
  }

  return(): Promise<IteratorResult<Event>> {
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }

  throw(): Promise<IteratorResult<Event>> {
    return this.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async #pull(): Promise<IteratorResult<Event>> {
    const turn = takeTurn()
    if (turn) await turn
    const { done, value } = await this.#source.next()
    return done ? { done: true, value: undefined } : { done: false, value: await this.#map(value) }
  }

  #lastResult(): IteratorResult<Event> {
    const last = this.#last.pop()
    return last === undefined ? { done: true, value: undefined } : { done: false, value: last }
  }

  #finish(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    for (const resolve of this.#waiting) resolve(this.#lastResult())
    this.#waiting.clear()
    this.#onEnd()
  }
}

export function isAsyncIterable<T>(value: unknown): value is AsyncIterable<T> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
