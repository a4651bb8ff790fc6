import type { Registry } from '../registry/registry.ts'
import { type Explainer, parseExplainer } from '../trainer/explainer.ts'
import { createEncoder, type Encoder } from './encoding.ts'
import { createShares, type Shares } from './explain/shares.ts'
import { createPredictor, type Predictor } from './inference/predictor.ts'
import type { InferenceThread } from './inference/thread.ts'
import type { ModelVersion } from './model-version.ts'

/** How many of the rows that a version was asked about it answered; the others were out of the model's policy. Since the process began. */
export interface Coverage {
  asked: number
  answered: number
}

/** A version that is loaded, proven on its golden rows and ready to score. */
export interface ServedVersion {
  readonly version: ModelVersion
  readonly encoder: Encoder
  readonly predictor: Predictor
  readonly explainer: Explainer
  readonly shares: Shares
  readonly coverage: Coverage
}

/** Reads a version's bytes and proves them. Throws NOT_FOUND or ARTEFACT_INVALID. */
export async function loadVersion(
  registry: Registry,
  thread: InferenceThread,
  id: string,
  coverage: Coverage,
): Promise<ServedVersion> {
  const version = await registry.version<ModelVersion['contents']>(id)
  const { columns, golden } = version.contents
  const [onnx, bytes] = await Promise.all([registry.artefact(version, 'onnx'), registry.artefact(version, 'explainer')])
  const predictor = await createPredictor({ id, onnx, width: columns.length, golden, thread })
  const explainer = parseExplainer(bytes)
  const shares = createShares({ id, explainer, bytes, thread })
  return { version, encoder: createEncoder(columns), predictor, explainer, shares, coverage }
}

/** Gives its memory back. Whoever still holds it goes on: predictor and shares load again what they need. */
export async function rest({ predictor, shares }: ServedVersion): Promise<void> {
  await predictor.dispose()
  await shares.dispose()
}
