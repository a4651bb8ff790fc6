/** How long streams may run before timers and sockets get their turn, in milliseconds. */
const TURN_MS = 10

let beganAt: number | null = null

/**
 * A source that is always ready keeps its consumer in microtasks, where no socket is read and no timer fires. Resolves at once
 * while the present turn of the event loop is young, else in the next one.
 */
export function takeTurn(): Promise<void> | void {
  if (beganAt === null) {
    beganAt = performance.now()
    setImmediate(() => {
      beganAt = null
    })
  } else if (performance.now() - beganAt > TURN_MS) return new Promise((resolve) => setImmediate(resolve))
}
