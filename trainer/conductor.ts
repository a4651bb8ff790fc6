import { parentPort, workerData } from 'node:worker_threads'
import type { Artefact } from './artefact.ts'
import type { Dataset } from './dataset.ts'
import { TrainerError, type TrainerErrorCode } from './errors.ts'
import type { Progress, TrainOptions } from './options.ts'
import { runStudy } from './study.ts'
import { checkDataset } from './validation.ts'

/** What the thread that leads a training is given and says. */
export interface ConductorInput {
  readonly dataset: Dataset
  readonly options: TrainOptions
  readonly threads: number
}

export type ConductorWord =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly artefact: Artefact }
  | {
      readonly kind: 'failed'
      readonly code: TrainerErrorCode
      readonly message: string
      readonly hint: string
      readonly stack: string | undefined
    }

const { dataset, options, threads } = workerData as ConductorInput
const port = parentPort!
const say = (word: ConductorWord): void => port.postMessage(word)

try {
  checkDataset(dataset, options)
  let last = 0
  const artefact = await runStudy(dataset, options, threads, (progress) => {
    const now = performance.now()
    if (now - last < 100 && progress.done < progress.total) return
    last = now
    say({ kind: 'progress', progress })
  })
  say({ kind: 'done', artefact })
} catch (error) {
  const known =
    error instanceof TrainerError
      ? error
      : new TrainerError(
          'TRAINING_FAILED',
          error instanceof Error ? error.message : String(error),
          'Please report this with the settings and the shape of the rows.',
        )
  const stack = error instanceof Error ? error.stack : undefined
  say({ kind: 'failed', code: known.code, message: known.message, hint: known.hint, stack })
}
