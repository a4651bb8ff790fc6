import type { Version } from '../registry/version.ts'
import type { Artefact } from '../trainer/artefact.ts'
import type { ReliabilityBin } from '../trainer/metrics.ts'
import type { FeatureSpec } from './define.ts'
import type { GateResult } from './gates.ts'
import type { Origin } from './origin.ts'
import type { ChampionComparison } from './rollout/evidence.ts'

/** The registry's kind of a model's versions, and of the runs that make them. */
export const MODEL_KIND = 'model'
export { CHALLENGER, CHAMPION, SHADOW } from '../registry/alias-names.ts'

/** What a model version keeps beside its bytes (ONNX and explainer): enough to serve it and to judge it. */
export interface ModelContents extends Omit<Artefact, 'onnx' | 'explainer' | 'heldOut'> {
  readonly entity: string
  readonly question: string
  readonly features: readonly FeatureSpec[]
  /** Labelled rows trained on, those of the positive class, and those left out as not applicable. */
  readonly rows: number
  readonly positives: number
  readonly notApplicable: number
  readonly window: { readonly from: string; readonly to: string }
  /** Shares of the hold-out's probabilities by step of log-odds: what served ones are held against. Absent in versions made before it was kept. */
  readonly scoreShares?: readonly number[]
  /** The receipt's sha256 of rows, definition and code; the whole of it is the artefact `receipt`. */
  readonly receipt: { readonly rows: string; readonly definition: string; readonly code: string }
  /** What every demand of the model file came to; absent in versions from before there were such. */
  readonly gates?: readonly GateResult[]
  /** Beside the champion of that time, on the same rows; null when there was none. */
  readonly comparison?: ChampionComparison | null
  /** What was said and what happened on the main hold-out; versions of before 2026-11-25 lack it. */
  readonly reliability?: readonly ReliabilityBin[]
  /** Absent when it was trained here. */
  readonly origin?: Origin
}

export type ModelVersion = Version<ModelContents>
