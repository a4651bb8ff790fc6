import { invalid } from './checks.ts'
import type { Question } from './definition.ts'
import type { Model } from './model.ts'
import { hoursOf } from './reading.ts'

const HOUR_MS = 3_600_000

/** What a model file says about not answering, or not computing: checked, and without what it leaves out. Throws MODEL_INVALID. */
export function policyOf(question: Question<string>): Pick<Model, 'abstain' | 'fallback' | 'rule' | 'freshForMs'> {
  const { name, abstain, fallback, rule, freshFor } = question
  const freshForMs = freshFor && hoursOf(freshFor) * HOUR_MS
  for (const [bound, value] of Object.entries(abstain ?? {}))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw invalid(name, `abstain.${bound} is ${value}`, 'Give a share between 0 and 1.')
  for (const way of fallback ?? [])
    if (way !== 'STORED' && way !== 'RULE')
      throw invalid(name, `there is no fallback "${String(way)}"`, 'Name STORED, RULE or both, in the order to try.')
  if (fallback?.includes('RULE') && !rule)
    throw invalid(name, 'it falls back to a rule and has none', 'Write `rule`, or leave RULE out of `fallback`.')
  if (freshForMs !== undefined && !(freshForMs > 0 && Number.isFinite(freshForMs)))
    throw invalid(name, `its scores are fresh for ${freshForMs} ms`, 'Give a time above 0: { minutes: 15 }.')
  return {
    ...(freshForMs === undefined ? {} : { freshForMs }),
    ...(abstain === undefined ? {} : { abstain }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(rule === undefined ? {} : { rule }),
  }
}
