import { InklingError, messageOf } from '../platform/errors.ts'
import type { Artefact } from '../trainer/artefact.ts'
import type { Dataset } from '../trainer/dataset.ts'
import { TrainerError } from '../trainer/errors.ts'
import { type TrainHooks, type TrainOptions, train } from '../trainer/index.ts'
import { createPredictor } from './inference/predictor.ts'
import { createInferenceThread } from './inference/thread.ts'

/** The trainer, whose refusals get the model's name and a code of this product. */
export async function fitModel(
  model: string,
  dataset: Dataset,
  options: TrainOptions,
  hooks: TrainHooks,
): Promise<Artefact> {
  try {
    return await train(dataset, options, hooks)
  } catch (error) {
    throw error instanceof TrainerError ? named(model, error) : error
  }
}

function named(model: string, error: TrainerError): InklingError {
  const message = `${model}: ${error.message}`
  if (error.code === 'ABORTED') return new InklingError('CANCELLED', message, error.hint, { cause: error })
  if (error.code === 'LEAK' || error.code === 'ONE_CLASS' || error.code === 'NOT_ENOUGH_ROWS')
    return new InklingError(error.code, message, error.hint, { cause: error })
  if (error.code === 'NO_ROWS') return new InklingError('NOT_ENOUGH_ROWS', message, error.hint, { cause: error })
  if (error.code === 'CANNOT_CONTINUE') return new InklingError('BAD_USER_INPUT', message, error.hint, { cause: error })
  return new InklingError('TRAINING_FAILED', message, error.hint, { cause: error })
}

/** Lets the predictor that will serve the artefact reproduce its golden rows. Throws TRAINING_FAILED. */
export async function proveGoldenRows(model: string, { onnx, columns, golden }: Artefact): Promise<void> {
  const thread = createInferenceThread()
  try {
    const predictor = await createPredictor({ id: `new ${model}`, onnx, width: columns.length, golden, thread })
    await predictor.dispose()
  } catch (error) {
    throw new InklingError('TRAINING_FAILED', messageOf(error), 'This is a fault of the trainer: please report it.', {
      cause: error,
    })
  } finally {
    await thread.close()
  }
}
