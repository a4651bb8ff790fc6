import { contributions, type Explainer } from '../../trainer/explainer.ts'
import type { InferenceThread } from '../inference/thread.ts'

/** Up to here (about 0.2 ms a row for 100 trees of 31 leaves) explaining never holds up the event loop noticeably. */
const INLINE_ROWS = 32

/** Computes signed shares of the log-odds, off the event loop when there are many rows. */
export interface Shares {
  /** What the shares of a row add up from, in log-odds. */
  readonly base: number
  /** Shape (n, width) row-major. rows: float32, shape (n, width). */
  explain(rows: Float32Array, n: number): Promise<Float64Array>
  dispose(): Promise<void>
}

let created = 0

/** bytes: the explainer as it was stored, which the thread parses for itself. */
export function createShares(options: {
  readonly id: string
  readonly explainer: Explainer
  readonly bytes: Uint8Array
  readonly thread: InferenceThread
}): Shares {
  const { explainer, bytes, thread } = options
  const onThread = { id: `explainer ${options.id}#${created++}`, bytes }
  let base: number | null = null
  return {
    get base() {
      base ??= contributions(explainer, new Float32Array(0), 0).base
      return base
    },
    explain: async (rows, n) =>
      n <= INLINE_ROWS ? contributions(explainer, rows, n).values : thread.explain(onThread, rows, n),
    dispose: () => thread.unload(onThread.id).catch(() => {}), // a thread that is gone holds nothing
  }
}
