import { Worker } from 'node:worker_threads'

/** A worker thread that scores large batches, so that they never hold up the event loop. Started when first needed. */
export interface InferenceThread {
  load(id: string, onnx: Uint8Array): Promise<void>
  score(id: string, rows: Float32Array, n: number, width: number): Promise<Float32Array>
  unload(id: string): Promise<void>
  close(): Promise<void>
}

interface Answer {
  readonly call: number
  readonly scores?: Float32Array
  readonly error?: string
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

export function createInferenceThread(): InferenceThread {
  const pending = new Map<number, Pending>()
  let worker: Worker | null = null
  let calls = 0

  function fail(error: Error): void {
    worker = null
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  function start(): Worker {
    const started = new Worker(new URL('./thread-worker.ts', import.meta.url), { execArgv: [] })
    started.on('message', (answer: Answer) => {
      const { resolve, reject } = pending.get(answer.call)!
      pending.delete(answer.call)
      if (answer.error === undefined) resolve(answer)
      else reject(new Error(answer.error))
      if (pending.size === 0) started.unref()
    })
    started.on('error', fail)
    started.on('exit', () => fail(new Error('The inference thread has stopped.')))
    return started
  }
  function call(message: object): Promise<Answer> {
    worker ??= start()
    worker.ref()
    const number = calls++
    return new Promise((resolve, reject) => {
      pending.set(number, { resolve, reject })
      worker?.postMessage({ ...message, call: number })
    })
  }

  return {
    async load(id, onnx) {
      await call({ type: 'load', id, onnx })
    },
    async score(id, rows, n, width) {
      return (await call({ type: 'score', id, rows, n, width })).scores!
    },
    async unload(id) {
      if (worker) await call({ type: 'unload', id })
    },
    async close() {
      await worker?.terminate()
    },
  }
}
