import type { LlmRequest } from './provider.ts'
import type { ExcludedTarget, RankedTarget, Route } from './route.ts'
import type { Candidate, Strategy, StrategyContext } from './strategies/strategy.ts'
import type { Price, Target } from './target.ts'
import type { TargetState } from './target-state.ts'

/** Vocabularies differ: what is reserved for input allows for a quarter more than we counted. */
const INPUT_MARGIN = 1.25
/** Answers are mostly far shorter than they may be; strategies compare targets by an answer of this length. */
const EXPECTED_TOKENS = 300

/** A request as far as choosing targets goes. */
export interface Demand {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly needsTools: boolean
  readonly needsImages: boolean
  readonly needsJson: boolean
  readonly targets: readonly string[] | null
  readonly task: string | null
  readonly key: string
}

export interface Plan extends Route {
  readonly order: readonly (RankedTarget & { readonly state: TargetState })[]
  /** When the first of those that are only resting may be asked; null when none is. */
  readonly availableAt: number | null
}

export function needsOf({ messages, tools, responseFormat }: LlmRequest) {
  return {
    needsTools: (tools?.length ?? 0) > 0,
    needsImages: messages.some(({ content }) => content.some(({ type }) => type === 'image')),
    needsJson: responseFormat !== undefined,
  }
}

/** Capabilities first, then who is available, then the strategy's order. */
export function planRoute(
  states: readonly TargetState[],
  demand: Demand,
  { name, rank }: { readonly name: string; readonly rank: Strategy },
  now: number,
): Plan {
  const excluded: ExcludedTarget[] = []
  const candidates: (Candidate & { readonly state: TargetState; readonly price: Price })[] = []
  let availableAt: number | null = null
  const expectedTokens = Math.min(demand.outputTokens, EXPECTED_TOKENS)
  for (const state of states) {
    const { target, statistics } = state
    const why = unsuitable(target, demand)
    const at = why === null ? state.availableAt(now) : null
    if (why !== null) excluded.push({ target, why })
    else if (at !== null) {
      availableAt = Math.min(availableAt ?? at, at)
      excluded.push({ target, why: `rests until ${new Date(at).toISOString()}` })
    } else {
      const price = target.price!
      const expectedUsd = price.costUsd(
        {
          inputTokens: demand.inputTokens,
          cachedInputTokens: Math.floor(demand.inputTokens * statistics.cachedShare),
          outputTokens: expectedTokens,
        },
        now,
      )
      candidates.push({ target, expectedUsd, observed: statistics, state, price })
    }
  }
  const context: StrategyContext = { task: demand.task, key: demand.key, expectedTokens, now }
  const order = rank(candidates, context).map(({ candidate, why }) => {
    const { target, state, price } = candidate as (typeof candidates)[number]
    return {
      target,
      state,
      get why() {
        return why()
      },
      estimateUsd: estimateUsd(price, demand, now),
    }
  })
  const { inputTokens, outputTokens } = demand
  return { strategy: name, inputTokens, outputTokens, order, excluded, availableAt }
}

/** The most that an attempt is expected to cost. */
function estimateUsd(price: Price, { inputTokens, outputTokens }: Demand, now: number): number {
  const input = Math.ceil(inputTokens * INPUT_MARGIN)
  return price.costUsd({ inputTokens: input, cachedInputTokens: 0, outputTokens }, now)
}

function unsuitable(target: Target, demand: Demand): string | null {
  const { capabilities, contextTokens } = target
  if (demand.targets && !demand.targets.includes(target.name)) return 'not among the targets asked for'
  if (!capabilities.text) return 'answers no prompts'
  if (demand.needsTools && !capabilities.tools) return 'cannot call tools'
  if (demand.needsImages && !capabilities.images) return 'cannot take images'
  if (demand.needsJson && !capabilities.json) return 'cannot answer in JSON'
  if (target.price === null) return 'its price is unknown: declare one in the configuration'
  if (demand.inputTokens + demand.outputTokens > contextTokens)
    return `its context of ${contextTokens} tokens is too small for ${demand.inputTokens} + ${demand.outputTokens}`
  return null
}
