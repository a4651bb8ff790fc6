/**
 * Promises that are kept after so many milliseconds. Everything that asks in one turn of the event loop shares a timer: a
 * thousand rows with a time budget need one.
 */
export function deadlines(): (ms: number) => Promise<void> {
  const timers = new Map<number, Promise<void>>()
  return (ms) => {
    let timer = timers.get(ms)
    if (!timer) {
      timer = new Promise((resolve) => setTimeout(resolve, ms).unref())
      timers.set(ms, timer)
      setImmediate(() => timers.delete(ms))
    }
    return timer
  }
}
