import { type Part, type Provider, ProviderError, type ProviderRequest } from './provider.ts'

export interface ReadingOptions {
  readonly firstTokenMs: number
  readonly stallMs: number
}

/** One provider's stream with a watch over it. */
export interface Reading {
  /**
   * The next part. Rejects with TIMEOUT before and STALLED after the first one when nothing comes in time, with ABORTED as soon as
   * the signal does, whatever the provider does meanwhile.
   */
  next(): Promise<IteratorResult<Part>>
  /** Milliseconds spent waiting for the provider since the first part; a slow reader's time does not count. */
  readonly waitedMs: number
  /** Ends the call. */
  close(): void
}

export function openReading(
  provider: Provider,
  request: ProviderRequest,
  { firstTokenMs, stallMs }: ReadingOptions,
  signal: AbortSignal,
): Reading {
  const stop = new AbortController()
  let failure: ProviderError | null = null
  const iterator = open()
  let waiting: ((error: ProviderError) => void) | null = null
  let askedAt = 0
  let waitedMs = 0
  let hasBegun = false

  function open(): AsyncIterator<Part> {
    try {
      return provider.stream(request, stop.signal)[Symbol.asyncIterator]()
    } catch (error) {
      return { next: () => Promise.reject(error) }
    }
  }
  const fail = (error: ProviderError) => {
    failure ??= error
    stop.abort(failure)
    waiting?.(failure)
  }
  const abort = () => fail(new ProviderError('ABORTED', 'The call was stopped.', { cause: signal.reason }))
  // One timer for the whole stream, started anew with each part: making one per part would cost more than passing the part on.
  const watch = (ms: number, error: () => ProviderError) => setTimeout(() => waiting && fail(error()), ms)
  let timer = watch(firstTokenMs, () => new ProviderError('TIMEOUT', `No first token came within ${firstTokenMs} ms.`))
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })

  return {
    next: () =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        waiting = reject
        askedAt = performance.now()
        timer.refresh()
        iterator.next().then(
          (result) => {
            waiting = null
            if (hasBegun) waitedMs += performance.now() - askedAt
            else {
              hasBegun = true
              clearTimeout(timer)
              timer = watch(stallMs, () => new ProviderError('STALLED', `The stream fell silent for ${stallMs} ms.`))
            }
            resolve(result)
          },
          (error: unknown) => {
            waiting = null
            reject(failure ?? error)
          },
        )
      }),
    get waitedMs() {
      return waitedMs
    },
    close() {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      failure ??= new ProviderError('ABORTED', 'The call is over.')
      stop.abort(failure)
      iterator.return?.()?.catch?.(() => {})
    },
  }
}
