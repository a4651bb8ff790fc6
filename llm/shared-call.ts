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
  let iterator: AsyncIterator<RoutedPart> | null = null
  let isAsked = false
  let failure: { readonly error: unknown } | null = null
  let isOver = false

  const wakeAll = () => {
    for (const wake of waiting) wake()
    waiting.clear()
  }
  const end = () => {
    isOver = true
    onEnd()
  }
  /** The next part is made when somebody has taken all there are: who reads nothing holds the call back, unless others read on. */
  async function pull(): Promise<void> {
    if (isAsked || isOver) return
    isAsked = true
    try {
      iterator ??= start(controller.signal)[Symbol.asyncIterator]()
      const { done, value } = await iterator.next()
      if (done) end()
      else parts.push(value)
    } catch (error) {
      failure = { error }
      end()
    } finally {
      isAsked = false
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
      try {
        for (let index = 0; ; ) {
          if (index < parts.length) yield parts[index++]!
          else if (failure) throw failure.error
          else if (isOver || (hasLeft && count > 0)) return
          else {
            void pull()
            await new Promise<void>((resolve) => waiting.add(resolve))
          }
        }
      } finally {
        signal.removeEventListener('abort', leave)
        leave()
        // Nobody asks for what comes after this: the call is told to settle.
        if (count === 0 && !isOver) iterator?.return?.()?.catch(() => {})
      }
    },
  }
}
