import type { Model } from '../define.ts'
import { describeGain, metricOf } from '../gates.ts'
import type { Evidence } from './evidence.ts'

/** When a version that passed its gates serves. */
export const promotions = ['always', 'never', 'if-better', 'after-approval'] as const
export type Promotion = (typeof promotions)[number]

/** What becomes of a trained version, and why. */
export interface Decision {
  readonly state: 'REGISTERED' | 'REJECTED' | 'PENDING'
  readonly isPromoted: boolean
  readonly why: string
}

/** A proper score: neither ranking alone nor luck with one threshold makes it better. */
const BETTER_BY = 'logLoss'

/** Decides by gates first, then by the policy. isJudgedUnseen: no row that judged the version can have taught it. */
export function decide(
  model: Model,
  promotion: Promotion,
  given: { readonly reasons: readonly string[]; readonly isJudgedUnseen: boolean; readonly evidence: Evidence },
): Decision {
  const { reasons, isJudgedUnseen, evidence } = given
  if (reasons.length > 0) return { state: 'REJECTED', isPromoted: false, why: 'it failed a gate' }
  const stays = (why: string): Decision => ({ state: 'REGISTERED', isPromoted: false, why })
  if (promotion === 'never') return stays('nobody asked for it to be promoted')
  if (!isJudgedUnseen) return stays('no newer rows have judged it')
  if (promotion === 'after-approval') return { state: 'PENDING', isPromoted: false, why: 'it waits for approval' }
  const serves = (why: string): Decision => ({ state: 'REGISTERED', isPromoted: true, why })
  if (promotion === 'always') return serves('trained, verified and through its gates')
  const { champion, incomparable } = evidence
  if (incomparable) return serves(incomparable)
  if (!champion) return serves('nothing served before it')
  const { metric = BETTER_BY, atLeast = 0 } = model.better ?? {}
  const gain = champion.gains[metricOf(metric)]
  const rows = `on ${champion.rows} rows${champion.isUnseen ? '' : ', some of which taught the champion'}`
  if (!gain) return stays(`${metric} ${rows} is not enough data to compare with version ${champion.number}`)
  const says = `${metric} ${describeGain(gain)} than version ${champion.number} ${rows}`
  return gain.low >= atLeast ? serves(says) : stays(`${says}; not surely at least ${atLeast}`)
}
