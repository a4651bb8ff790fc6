/** An iterator that can be ended from outside while it waits, which a generator cannot. */
export interface EndableIterator<T> extends AsyncIterableIterator<T> {
  next(): Promise<IteratorResult<T>>
  return(): Promise<IteratorResult<T>>
}

export interface Pull<T> {
  /** The next items, waiting for them; an empty list ends the stream. Must settle soon after the signal aborts. */
  next(signal: AbortSignal): Promise<readonly T[]>
  /** Called whenever the reader asks. */
  asked?(): void
  /** Called once, when the stream is over for whatever reason. */
  end(): void
}

/** Items as they are asked for: nothing is read ahead of the reader, so a slow reader costs one batch. */
export function createStream<T>(pull: Pull<T>, signal?: AbortSignal): EndableIterator<T> {
  const stop = new AbortController()
  let batch: T[] = []
  let isOver = false
  let turn: Promise<unknown> = Promise.resolve()
  const finish = () => {
    if (isOver) return
    isOver = true
    batch = []
    stop.abort()
    signal?.removeEventListener('abort', finish)
    pull.end()
  }
  if (signal?.aborted) finish()
  else signal?.addEventListener('abort', finish, { once: true })

  async function next(): Promise<IteratorResult<T>> {
    if (batch.length === 0 && !isOver) {
      try {
        batch = [...(await pull.next(stop.signal))]
      } catch (error) {
        finish()
        throw error
      }
      if (batch.length === 0) finish()
    }
    return batch.length > 0 && !isOver ? { done: false, value: batch.shift()! } : { done: true, value: undefined }
  }
  return {
    next() {
      pull.asked?.()
      const answer = turn.then(next)
      turn = answer.catch(() => {})
      return answer
    },
    async return() {
      finish()
      return { done: true, value: undefined }
    },
    async throw(error) {
      finish()
      throw error
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

/** Resolves when called by the signal or by `wake`, whichever is first. */
export function createBell(): { wait(signal: AbortSignal): Promise<void>; ring(): void } {
  const waiting = new Set<() => void>()
  return {
    wait(signal) {
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        const end = () => {
          waiting.delete(end)
          signal.removeEventListener('abort', end)
          resolve()
        }
        waiting.add(end)
        signal.addEventListener('abort', end, { once: true })
      })
    },
    ring() {
      for (const end of [...waiting]) end()
    },
  }
}
