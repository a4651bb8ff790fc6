import type { RoutedPart } from './route.ts'

/** One call that several identical questions wait for. It ends when the last of them has gone. */
export interface SharedCall {
  /** All parts from the first on. `return()` leaves the call. */
  join(signal: AbortSignal): AsyncIterableIterator<RoutedPart>
}

/** start: makes the call, once, at the first join; its signal aborts when everybody has left. */
export function createSharedCall(
  start: (signal: AbortSignal) => AsyncIterable<RoutedPart>,
  onEnd: () => void,
): SharedCall {
  const parts: RoutedPart[] = []
  const controller = new AbortController()
  const waiting = new Set<() => void>()
  let count = 0
  let isRunning = false
  let failure: { readonly error: unknown } | null = null
  let isOver = false

  const wakeAll = () => {
    for (const wake of waiting) wake()
    waiting.clear()
  }
  async function run(): Promise<void> {
    try {
      for await (const part of start(controller.signal)) {
        parts.push(part)
        wakeAll()
      }
    } catch (error) {
      failure = { error }
    } finally {
      isOver = true
      onEnd()
      wakeAll()
    }
  }
  return {
    async *join(signal) {
      count++
      let hasLeft = false
      const leave = () => {
        if (hasLeft) return
        hasLeft = true
        count--
        if (count === 0) {
          onEnd()
          controller.abort()
        }
        wakeAll()
      }
      signal.addEventListener('abort', leave, { once: true })
      if (!isRunning) {
        isRunning = true
        void run()
      }
      try {
        for (let index = 0; ; ) {
          if (index < parts.length) yield parts[index++]!
          else if (failure) throw failure.error
          else if (isOver || (hasLeft && count > 0)) return
          else await new Promise<void>((resolve) => waiting.add(resolve))
        }
      } finally {
        signal.removeEventListener('abort', leave)
        leave()
      }
    },
  }
}
