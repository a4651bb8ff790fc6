import { InklingError, messageOf } from '../platform/errors.ts'
import { planRoute } from './plan.ts'
import type { Screen } from './privacy/screen.ts'
import { type Embeddings, ProviderError } from './provider.ts'
import type { Admission, RoutedEmbeddings, RouteOptions } from './route.ts'
import type { Patience } from './router.ts'
import type { Strategy } from './strategies/strategy.ts'
import type { TargetState } from './target-state.ts'
import type { TokenCounter } from './tokens.ts'

export interface EmbeddingOptions {
  readonly states: readonly TargetState[]
  readonly texts: readonly string[]
  readonly strategy: { readonly name: string; readonly rank: Strategy }
  readonly options: RouteOptions
  readonly patience: Patience
  readonly counter: TokenCounter
  readonly screen: Screen | null
}

/**
 * Asks the first available target that embeds. Vectors of different LLMs cannot be compared, so nobody stands in for one that
 * fails: name the target where several embed.
 */
export async function embed(asking: EmbeddingOptions): Promise<RoutedEmbeddings> {
  const { states, strategy, options, patience, counter, screen } = asking
  const texts = screen ? (await screen.texts(asking.texts)).texts : asking.texts
  const embedders = states.filter(({ target }) => target.capabilities.embeddings && target.provider.embed)
  let inputTokens = 0
  for (const text of texts) inputTokens += await counter.count(text)
  const needs = { needsTools: false, needsImages: false, needsJson: false }
  const demand = { ...needs, inputTokens, outputTokens: 0, targets: options.targets ?? null, task: null, key: '' }
  // A context holds each text by itself: the longest is what counts, and the provider refuses what does not fit.
  const open = embedders.map((state) => ({
    ...state,
    target: {
      ...state.target,
      contextTokens: Number.POSITIVE_INFINITY,
      capabilities: { ...state.target.capabilities, text: true },
    },
  }))
  const { order, excluded } = planRoute(open, demand, strategy, Date.now())
  const ranked = order[0]
  if (!ranked) {
    const whys = excluded.map(({ target, why }) => `${target.name} ${why}`).join('; ')
    throw new InklingError(
      excluded.some(({ why }) => why.startsWith('rests until')) ? 'LLM_UNAVAILABLE' : 'LLM_NO_TARGET',
      whys ? `No target can embed this: ${whys}.` : 'No target is configured that embeds texts.',
      'Declare a target with capabilities: { embeddings: true } in llm.config.yaml.',
    )
  }
  const state = embedders.find(({ target }) => target.name === ranked.target.name)!
  const { target } = state
  const deadline = AbortSignal.timeout(options.deadlineMs ?? patience.deadlineMs)
  const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline
  const intent = { target, inputTokens, outputTokens: 0, estimateUsd: ranked.estimateUsd, signal, isGathered: false }
  const admission: Admission | null = (await options.admit?.(intent)) ?? null
  const trial = state.breaker.begin()
  const startedAt = performance.now()
  let answer: Embeddings
  try {
    answer = await target.provider.embed!(texts, target.llm, signal)
  } catch (error) {
    const failure = error instanceof ProviderError ? error : new ProviderError('BAD_REPLY', messageOf(error))
    trial.end(failure.isOfTarget && failure.code !== 'RATE_LIMITED' ? 'FAILURE' : 'NONE')
    if (failure.code !== 'ABORTED') state.failed(failure, Date.now())
    const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, isEstimated: false }
    await admission?.settle({ outcome: failure.code === 'ABORTED' ? 'ABORTED' : 'FAILED', usage, costUsd: 0 })
    throw embeddingError(failure, deadline.aborted)
  }
  trial.end('SUCCESS')
  const firstTokenMs = performance.now() - startedAt
  state.statistics.answered({ firstTokenMs, tokensPerSecond: null, cachedShare: 0, at: Date.now() })
  const isReported = answer.inputTokens > 0 && answer.inputTokens < inputTokens * 4 + 2000
  const usage = {
    inputTokens: isReported ? answer.inputTokens : inputTokens,
    cachedInputTokens: 0,
    outputTokens: 0,
    isEstimated: !isReported,
  }
  const costUsd = target.price!.costUsd(usage, Date.now())
  await admission?.settle({ outcome: 'COMPLETE', usage, costUsd })
  return { vectors: answer.vectors, inputTokens: usage.inputTokens, target, costUsd }
}

function embeddingError(failure: ProviderError, isLate: boolean): InklingError {
  const code = isLate
    ? 'DEADLINE_EXCEEDED'
    : failure.code === 'ABORTED'
      ? 'CANCELLED'
      : failure.code === 'REJECTED'
        ? 'LLM_REQUEST_REJECTED'
        : 'LLM_UNAVAILABLE'
  return new InklingError(
    code,
    `No embeddings: ${failure.message}`,
    'Try again; `providers` shows how each target does.',
    {
      cause: failure,
    },
  )
}
