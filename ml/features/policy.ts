import { invalid } from './checks.ts'
import type { Question } from './definition.ts'
import type { Model } from './model.ts'

/** What a model file says about not answering: checked, and without what it leaves out. Throws MODEL_INVALID. */
export function policyOf(question: Question<string>): Pick<Model, 'abstain' | 'fallback' | 'rule'> {
  const { name, abstain, fallback, rule } = question
  for (const [bound, value] of Object.entries(abstain ?? {}))
    if (value !== undefined && !(value >= 0 && value <= 1))
      throw invalid(name, `abstain.${bound} is ${value}`, 'Give a share between 0 and 1.')
  for (const way of fallback ?? [])
    if (way !== 'STORED' && way !== 'RULE')
      throw invalid(name, `there is no fallback "${String(way)}"`, 'Name STORED, RULE or both, in the order to try.')
  if (fallback?.includes('RULE') && !rule)
    throw invalid(name, 'it falls back to a rule and has none', 'Write `rule`, or leave RULE out of `fallback`.')
  return {
    ...(abstain === undefined ? {} : { abstain }),
    ...(fallback === undefined ? {} : { fallback }),
    ...(rule === undefined ? {} : { rule }),
  }
}
