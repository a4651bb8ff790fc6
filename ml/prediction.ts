import type { ErrorCode, InklingError } from '../platform/errors.ts'
import type { FeatureValue, KeyValues, Model } from './define.ts'
import type { ServedVersion } from './served-version.ts'

export const riskLevels = ['LOW', 'MEDIUM', 'HIGH'] as const
export type RiskLevel = (typeof riskLevels)[number]

/** Where a probability comes from: the model now, a score that was stored earlier, or the rule of the model file. */
export const sources = ['MODEL', 'STORED', 'RULE'] as const
export type Source = (typeof sources)[number]

/** A probability about one entity at one moment, wherever it comes from. */
export interface Estimate {
  readonly model: Model
  readonly key: KeyValues
  readonly asOf: Date
  readonly source: Source
  /** 0..1; calibrated, unless a rule gave it. */
  readonly probability: number
  /** An interval that holds the probability, 0..1. */
  readonly low: number
  readonly high: number
  /** 1 - (high - low). */
  readonly confidence: number
  readonly riskLevel: RiskLevel
  /** The version that answered; null for a rule. */
  readonly versionId: string | null
  /** When a stored score was computed; null for what was computed now. */
  readonly scoredAt: Date | null
}

/** What one version says now: an estimate with everything that it was computed from. */
export interface Prediction extends Estimate {
  readonly source: 'MODEL'
  readonly version: ServedVersion
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
export type Answer = Estimate | Absence

export function isPrediction(answer: Answer): answer is Prediction {
  return 'row' in answer
}

export function isEstimate(answer: Answer): answer is Estimate {
  return 'probability' in answer
}

export function absenceOf(error: InklingError): Absence {
  return { code: error.code, message: error.message, hint: error.hint }
}

export function riskLevelOf(probability: number, bands: Model['bands']): RiskLevel {
  if (probability >= bands.HIGH) return 'HIGH'
  return probability >= bands.MEDIUM ? 'MEDIUM' : 'LOW'
}
