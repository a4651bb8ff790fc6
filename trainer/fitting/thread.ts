import { parentPort, workerData } from 'node:worker_threads'
import { createArena } from '../trees/histogram.ts'
import { type FitTask, fit, type SharedRows } from './fit.ts'

/** What a fitting thread is told, and what it answers. */
export interface ThreadTask {
  readonly id: number
  readonly task: FitTask
}

export type ThreadAnswer =
  | { readonly kind: 'round'; readonly id: number; readonly share: number }
  | { readonly kind: 'done'; readonly id: number; readonly result: ReturnType<typeof fit> }
  | { readonly kind: 'failed'; readonly id: number; readonly message: string; readonly stack: string | undefined }

const shared = workerData as SharedRows
const arena = createArena()
const port = parentPort!
const say = (answer: ThreadAnswer): void => port.postMessage(answer)

port.on('message', ({ id, task }: ThreadTask) => {
  let last = performance.now()
  try {
    const result = fit(arena, shared, task, (done, total) => {
      const now = performance.now()
      if (now - last < 100) return
      last = now
      say({ kind: 'round', id, share: done / total })
    })
    say({ kind: 'done', id, result })
  } catch (error) {
    const cause = error instanceof Error ? error : new Error(String(error))
    say({ kind: 'failed', id, message: cause.message, stack: cause.stack })
  }
})
