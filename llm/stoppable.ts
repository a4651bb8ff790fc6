import { InklingError } from '../platform/errors.ts'

/**
 * An iterable over what a generator makes. A native generator cannot be left while it waits: `return()` is queued behind the
 * pending `next()`. Here it aborts the signal first, so that the wait ends. To be iterated once.
 */
export function stoppable<T>(start: (signal: AbortSignal) => AsyncGenerator<T, void>): AsyncIterable<T> {
  let isStarted = false
  return {
    [Symbol.asyncIterator]() {
      if (isStarted)
        throw new InklingError('INTERNAL', 'This stream has been read already.', 'Ask again: a stream is read once.')
      isStarted = true
      const stop = new AbortController()
      const generator = start(stop.signal)
      return {
        next: () => generator.next(),
        async return() {
          stop.abort()
          await generator.return()
          return { done: true, value: undefined }
        },
      }
    },
  }
}
