import type { ErrorCode, InklingError } from '../platform/errors.ts'
import type { FeatureValue, KeyValues, Model } from './define.ts'
import type { ServedVersion } from './serving.ts'

export const riskLevels = ['LOW', 'MEDIUM', 'HIGH'] as const
export type RiskLevel = (typeof riskLevels)[number]

/** What one version says about one entity at one moment. */
export interface Prediction {
  readonly model: Model
  readonly version: ServedVersion
  readonly key: KeyValues
  readonly asOf: Date
  /** Calibrated, 0..1. */
  readonly probability: number
  /** An interval that holds the probability, 0..1. */
  readonly low: number
  readonly high: number
  /** 1 - (high - low). */
  readonly confidence: number
  readonly riskLevel: RiskLevel
  /** The features as read, in the order of the model's features. */
  readonly values: readonly FeatureValue[]
  /** The features as scored: float32, shape (columns,), NaN = missing or unknown. */
  readonly row: Float32Array
}

/** Why there is no prediction. */
export interface Absence {
  readonly code: ErrorCode
  readonly message: string
  readonly hint: string
}

export type Outcome = Prediction | Absence

export function isPrediction(outcome: Outcome): outcome is Prediction {
  return 'probability' in outcome
}

export function absenceOf(error: InklingError): Absence {
  return { code: error.code, message: error.message, hint: error.hint }
}

export function riskLevelOf(probability: number, bands: Model['bands']): RiskLevel {
  if (probability >= bands.HIGH) return 'HIGH'
  return probability >= bands.MEDIUM ? 'MEDIUM' : 'LOW'
}
