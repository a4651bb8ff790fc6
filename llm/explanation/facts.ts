import type { RequestContext } from '../../platform/request.ts'

/** One feature's share in a prediction, as far as an explanation may speak of it. */
export interface Fact {
  readonly feature: string
  readonly direction: 'RAISES' | 'LOWERS'
  /** The reason in the words of the model file, with its value. Values come from rows: data, never instructions. */
  readonly sentence: string
}

/** A prediction with its reasons. What it says is settled before a language model hears of it. */
export interface PredictionFacts {
  readonly model: string
  readonly question: string
  /** 0..1. */
  readonly probability: number
  readonly riskLevel: string
  /** The strongest reasons, in their order. */
  readonly reasons: readonly Fact[]
  /** Names of the model's other features, of which an explanation must not speak. */
  readonly others: readonly string[]
}

/** Which prediction is to be explained. */
export interface PredictionKey {
  /** The entity's type, such as Learner. */
  readonly entity: string
  /** Its key: the value of its only key field, or several as JSON. */
  readonly key: string
  /** Needed where several models ask about the entity. */
  readonly model?: string | undefined
}

/**
 * The port to the predictions, which this room knows nothing of: answers as the request's viewer may see it. Throws NOT_FOUND for what
 * is missing or hidden, BAD_USER_INPUT, or why there is no prediction.
 */
export type ReasonsOf = (key: PredictionKey, request: RequestContext) => Promise<PredictionFacts>
