import { availableParallelism } from 'node:os'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Artefact } from './artefact.ts'
import type { ConductorInput, ConductorWord } from './conductor.ts'
import type { Dataset } from './dataset.ts'
import { TrainerError } from './errors.ts'
import { siblingModule } from './fitting/crew.ts'
import type { TrainHooks, TrainOptions } from './options.ts'

const MOST_THREADS = 4
/** Cells that are worth another thread: starting one costs as long as fitting some ten thousand cells. */
const CELLS_PER_THREAD = 50_000

/**
 * Rows in, a judged and calibrated model out. All work is done on threads of its own: the caller's event loop stays free, an
 * abort ends them at once. Same rows, seed and candidates give the same ONNX bytes whatever the number of threads; 'full'
 * looks at the clock, and `Artefact.choice` repeats what it decided. Rejects with a TrainerError.
 */
export async function train(dataset: Dataset, options: TrainOptions = {}, hooks: TrainHooks = {}): Promise<Artefact> {
  const { signal, onProgress } = hooks
  if (signal?.aborted) throw aborted()
  const input: ConductorInput = {
    dataset: await shareDataset(dataset, signal),
    options,
    threads: Math.max(1, Math.floor(options.threads ?? threadsFor(dataset, options))),
  }
  const worker = new Worker(siblingModule('conductor', import.meta.url), { workerData: input, env: {} })
  return new Promise<Artefact>((resolve, reject) => {
    let isOver = false
    const end = (settle: () => void) => {
      if (isOver) return
      isOver = true
      signal?.removeEventListener('abort', onAbort)
      worker.terminate().catch(() => {})
      settle()
    }
    const onAbort = () => end(() => reject(aborted()))
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    worker.on('message', (word: ConductorWord) => {
      if (isOver) return
      if (word.kind === 'progress') onProgress?.(word.progress)
      else if (word.kind === 'done') {
        onProgress?.({ done: 100, total: 100, message: 'done' })
        end(() => resolve(word.artefact))
      } else {
        const cause = new Error(word.message)
        if (word.stack !== undefined) cause.stack = word.stack
        end(() => reject(new TrainerError(word.code, word.message, word.hint, { cause })))
      }
    })
    const failed = (cause: Error) =>
      end(() =>
        reject(
          new TrainerError('TRAINING_FAILED', `The training thread died: ${cause.message}`, 'Give it more memory.', {
            cause,
          }),
        ),
      )
    worker.on('error', failed)
    worker.on('exit', (code) => failed(new Error(`it ended with code ${code}`)))
  })
}

/** A search under the clock finds more with every thread; a few fits of few rows are done before another one has started. */
function threadsFor({ x }: Dataset, { candidates = 'full' }: TrainOptions): number {
  const most = Math.min(MOST_THREADS, availableParallelism())
  return candidates === 'full' ? most : Math.min(most, 1 + Math.floor(x.length / CELLS_PER_THREAD))
}

function aborted(): TrainerError {
  return new TrainerError('ABORTED', 'The training was aborted', 'Start it again when you like.')
}

/** Bytes copied between two turns of the event loop: a few milliseconds. */
const TURN_BYTES = 8 << 20

/** The same dataset with its arrays on shared memory; those that stand there already are not copied. */
async function shareDataset(dataset: Dataset, signal: AbortSignal | undefined): Promise<Dataset> {
  const share = async <T extends Float32Array | Float64Array | Int32Array>(values: T): Promise<T> => {
    if (values.buffer instanceof SharedArrayBuffer) return values
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    const shared = new SharedArrayBuffer(bytes.length)
    const target = new Uint8Array(shared)
    for (let at = 0; at < bytes.length; at += TURN_BYTES) {
      target.set(bytes.subarray(at, at + TURN_BYTES), at)
      if (at + TURN_BYTES < bytes.length) await nextTurn()
      if (signal?.aborted) throw aborted()
    }
    const Kind = values.constructor as new (buffer: SharedArrayBuffer) => T
    return new Kind(shared)
  }
  const { groups, times, weights } = dataset
  return {
    ...dataset,
    x: await share(dataset.x),
    y: await share(dataset.y),
    ...(groups ? { groups: await share(groups) } : {}),
    ...(times ? { times: await share(times) } : {}),
    ...(weights ? { weights: await share(weights) } : {}),
  }
}
