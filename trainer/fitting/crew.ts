import { Worker } from 'node:worker_threads'
import { TrainerError } from '../errors.ts'
import type { FitResult, FitTask, SharedRows } from './fit.ts'
import type { ThreadAnswer } from './thread.ts'

/** Threads that fit. Tasks start in the order they are given. */
export interface Crew {
  run(task: FitTask, onShare?: (share: number) => void): Promise<FitResult>
  close(): Promise<void>
}

interface Waiting {
  readonly task: FitTask
  readonly onShare: ((share: number) => void) | undefined
  readonly resolve: (result: FitResult) => void
  readonly reject: (error: Error) => void
}

/** A source file stays `.ts` beside its neighbours, or `.js` after a build. */
export function siblingModule(name: string, from: string): URL {
  return new URL(`./${name}${from.endsWith('.ts') ? '.ts' : '.js'}`, from)
}

export function createCrew(shared: SharedRows, threads: number): Crew {
  const queue: Waiting[] = []
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const running = new Map<Worker, Waiting>()

  function startNext(): void {
    while (queue.length > 0 && (idle.length > 0 || all.size < threads)) {
      const worker = idle.pop() ?? hire()
      const next = queue.shift()!
      running.set(worker, next)
      worker.postMessage({ id: 0, task: next.task })
    }
  }

  function hire(): Worker {
    const worker = new Worker(siblingModule('thread', import.meta.url), { workerData: shared, env: {} })
    all.add(worker)
    worker.on('message', (answer: ThreadAnswer) => {
      const own = running.get(worker)
      if (!own) return
      if (answer.kind === 'round') {
        own.onShare?.(answer.share)
        return
      }
      running.delete(worker)
      idle.push(worker)
      if (answer.kind === 'done') own.resolve(answer.result)
      else own.reject(failure(answer.message, answer.stack))
      startNext()
    })
    worker.on('error', (error) => leave(worker, error))
    worker.on('exit', (code) => leave(worker, new Error(`A fitting thread ended with code ${code}`)))
    return worker
  }

  function leave(worker: Worker, error: Error): void {
    all.delete(worker)
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
    const own = running.get(worker)
    running.delete(worker)
    own?.reject(failure(error.message, error.stack))
    startNext()
  }

  return {
    run: (task, onShare) =>
      new Promise((resolve, reject) => {
        queue.push({ task, onShare, resolve, reject })
        startNext()
      }),
    async close() {
      queue.length = 0
      running.clear()
      await Promise.all([...all].map((worker) => worker.terminate()))
    },
  }
}

function failure(message: string, stack: string | undefined): TrainerError {
  const cause = new Error(message)
  if (stack !== undefined) cause.stack = stack
  return new TrainerError(
    'TRAINING_FAILED',
    `A fit failed: ${message}`,
    'Please report this with the settings and the shape of the rows.',
    { cause },
  )
}
