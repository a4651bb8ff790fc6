import { Worker } from 'node:worker_threads'
import { InklingError } from '../../platform/errors.ts'

/** What the thread scores or explains with; the bytes travel once, the id names them afterwards. */
export interface ThreadModel {
  readonly id: string
  readonly bytes: Uint8Array
}

/** A worker thread for large batches, so that they never hold up the event loop. Started when first needed, and again after a crash. */
export interface InferenceThread {
  /** model: ONNX. Throws INFERENCE_OVERLOADED when too many rows wait. */
  score(model: ThreadModel, rows: Float32Array, n: number, width: number): Promise<Float32Array>
  /** model: a serialised explainer. Signed shares, shape (n, width). Throws INFERENCE_OVERLOADED. */
  explain(model: ThreadModel, rows: Float32Array, n: number): Promise<Float64Array>
  unload(id: string): Promise<void>
  close(): Promise<void>
}

/** Rows that may wait at once: about a second of work for a forest of 100 trees. */
const MOST_WAITING = 500_000

interface Answer {
  readonly call: number
  readonly scores?: Float32Array
  readonly shares?: Float64Array
  readonly error?: string
}

interface Pending {
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}

export function createInferenceThread(): InferenceThread {
  const pending = new Map<number, Pending>()
  let loaded = new Map<string, Promise<Answer>>()
  let worker: Worker | null = null
  let calls = 0
  let waiting = 0

  function fail(failed: Worker, error: Error): void {
    if (worker !== failed) return
    worker = null
    loaded = new Map()
    for (const { reject } of pending.values()) reject(error)
    pending.clear()
  }
  function start(): Worker {
    const started = new Worker(new URL('./thread-worker.ts', import.meta.url), { execArgv: [], env: {} })
    started.on('message', (answer: Answer) => {
      const asked = pending.get(answer.call)
      if (!asked) return
      pending.delete(answer.call)
      if (answer.error === undefined) asked.resolve(answer)
      else asked.reject(new Error(answer.error))
      if (pending.size === 0) started.unref()
    })
    started.on('error', (error) => fail(started, error))
    started.on('exit', () => fail(started, new Error('The inference thread has stopped.')))
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
  function load(type: 'load' | 'loadExplainer', { id, bytes }: ThreadModel): Promise<Answer> {
    let loading = loaded.get(id)
    if (!loading) {
      loading = call({ type, id, bytes })
      loaded.set(id, loading)
      loading.catch(() => loaded.delete(id))
    }
    return loading
  }
  async function work<T>(n: number, run: () => Promise<T>): Promise<T> {
    if (waiting > 0 && waiting + n > MOST_WAITING)
      throw new InklingError(
        'INFERENCE_OVERLOADED',
        `${waiting} rows wait to be scored; ${n} more are too many.`,
        'Ask again in a moment, or for fewer rows.',
      )
    waiting += n
    try {
      return await run()
    } finally {
      waiting -= n
    }
  }

  return {
    score: (model, rows, n, width) =>
      work(n, async () => {
        await load('load', model)
        return (await call({ type: 'score', id: model.id, rows, n, width })).scores!
      }),
    explain: (model, rows, n) =>
      work(n, async () => {
        await load('loadExplainer', model)
        return (await call({ type: 'explain', id: model.id, rows, n })).shares!
      }),
    async unload(id) {
      const loading = loaded.get(id)
      if (!loading) return
      loaded.delete(id)
      await loading.catch(() => {}) // what never loaded needs no unloading; the worker ignores it
      if (worker) await call({ type: 'unload', id })
    },
    async close() {
      await worker?.terminate()
    },
  }
}
