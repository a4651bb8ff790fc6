/** Looks again and again at what may be due; one look after the other. */
export interface Looking<Found> {
  /** Looks now. */
  look(): Promise<Found>
  /** Resolves once the last look is over. */
  stop(): Promise<void>
}

/** look: never rejects, as nobody waits for those of the timer. */
export function lookEvery<Found>(everyMs: number, look: () => Promise<Found>): Looking<Found> {
  let looking: Promise<unknown> = Promise.resolve()
  function next(): Promise<Found> {
    const found = looking.then(look)
    looking = found
    return found
  }
  const timer = setInterval(() => void next(), everyMs)
  timer.unref()
  return {
    look: next,
    async stop() {
      clearInterval(timer)
      await looking
    },
  }
}
