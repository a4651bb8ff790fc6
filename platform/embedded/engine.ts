import { Worker } from 'node:worker_threads'

/** One PGlite in a worker thread. Rounds of the wire protocol are answered strictly in order. */
export interface EmbeddedEngine {
  /** Sends one round and hands back the answer piece by piece. */
  run(round: Uint8Array, onPiece: (piece: Buffer) => void): Promise<void>
  /** The whole database as a tar archive, which a later engine can start from. */
  dump(): Promise<Uint8Array<ArrayBuffer>>
  close(): Promise<void>
}

interface Call {
  readonly onPiece?: (piece: Buffer) => void
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
}
interface Answer {
  readonly error?: string
  readonly dump?: Uint8Array<ArrayBuffer>
}

export async function startEngine(options: { folder?: string; template?: Uint8Array }): Promise<EmbeddedEngine> {
  // No environment: under `node --watch` a thread that inherits it waits for a parent to report its imports to.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: options, execArgv: [], env: {} })
  const calls: Call[] = []
  let stopped: Error | null = null

  function call(message: unknown, onPiece?: (piece: Buffer) => void): Promise<Answer> {
    if (stopped) return Promise.reject(stopped)
    return new Promise((resolve, reject) => {
      calls.push({ resolve, reject, ...(onPiece ? { onPiece } : {}) })
      if (message !== null) worker.postMessage(message)
    })
  }
  function stop(error: Error): void {
    stopped ??= error
    for (const pending of calls.splice(0)) pending.reject(error)
  }
  worker.on('message', (message: Uint8Array | Answer) => {
    if (message instanceof Uint8Array)
      return calls[0]?.onPiece?.(Buffer.from(message.buffer, message.byteOffset, message.byteLength))
    const pending = calls.shift()
    if (message.error === undefined) pending?.resolve(message)
    else pending?.reject(new Error(message.error))
  })
  worker.on('error', stop)
  worker.on('exit', () => stop(new Error('The embedded database has stopped.')))

  await call(null) // the thread says once that it is ready
  return {
    async run(round, onPiece) {
      await call(Uint8Array.from(round), onPiece)
    },
    async dump() {
      return (await call('dump')).dump!
    },
    async close() {
      await call('close')
      await worker.terminate()
    },
  }
}
