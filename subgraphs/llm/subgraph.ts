import type { Llm } from '../../llm/engine.ts'
import type { ReasonsOf } from '../../llm/explanation/facts.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'
import { createBuilder } from '../../schema/builder.ts'
import { registerErrors } from '../../schema/errors.ts'
import { toSubgraph } from '../../schema/federation.ts'
import { registerBudgets } from './budgets.ts'
import { registerCompletions } from './completions.ts'
import { registerEvents } from './events.ts'
import { registerExplanations } from './explanations.ts'
import { registerInput } from './input.ts'
import { registerRouting } from './routing.ts'

/** What the llm subgraph stands on. */
export interface LlmEngines {
  readonly llm: Llm
  readonly reasonsOf: ReasonsOf
}

export interface LlmContext extends RequestContext, LlmEngines {}

export type LlmBuilder = ReturnType<typeof createLlmBuilder>

function createLlmBuilder() {
  return createBuilder<{ Context: LlmContext; PrismaTypes: object }>()
}

const failures = [
  'InvalidInputError',
  'NotFoundError',
  'ForbiddenError',
  'ConflictError',
  'RateLimitedError',
  'BudgetExceededError',
  'UnavailableError',
] as const

/** Completions of LLMs: asked, streamed, stopped, paid for; and where they would go. */
export function createLlmSubgraph(engines: LlmEngines): Subgraph {
  const builder = createLlmBuilder()
  const resultOf = registerErrors(builder, failures)
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  const input = registerInput(builder)
  const parts = registerCompletions(builder, input, resultOf)
  registerEvents(builder, input, parts)
  registerExplanations(builder, parts)
  registerRouting(builder, input)
  registerBudgets(builder, resultOf)
  return toSubgraph('llm', builder.toSchema(), (request): LlmContext => ({ ...request, ...engines }))
}
