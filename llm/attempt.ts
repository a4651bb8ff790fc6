import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { BATCH_MS, type Gatherer } from './gatherer.ts'
import { recordAttempt } from './meter.ts'
import { createOutputMeter } from './output-meter.ts'
import { type FinishReason, type LlmRequest, type Part, ProviderError, type Usage } from './provider.ts'
import { openReading, type ReadingOptions } from './reading.ts'
import type { Admission, AttemptOutcome, RoutedPart } from './route.ts'
import type { TargetState } from './target-state.ts'
import type { TokenCounter } from './tokens.ts'

const nothing: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, isEstimated: false }

export interface AttemptOptions extends ReadingOptions {
  /** Sends it together with others; null: by itself. */
  readonly gatherer: Gatherer | null
  readonly state: TargetState
  readonly request: LlmRequest & { readonly maxTokens: number }
  readonly inputTokens: number
  readonly counter: TokenCounter
  readonly admission: Admission | null
  /** Whether another target may go on with what this one wrote. */
  readonly isContinuable: boolean
  readonly signal: AbortSignal
  readonly log: Log
}

/** How one attempt ended. */
export interface AttemptEnd {
  readonly outcome: AttemptOutcome
  readonly reason: FinishReason | null
  readonly error: ProviderError | null
  readonly usage: Usage
  readonly costUsd: number
  /** What it wrote, of an answer that may be continued. */
  text(): string
  readonly hasCalledTools: boolean
  /** When its first part came, on the clock of `performance`; null when none did. */
  readonly firstAt: number | null
  readonly tokensPerSecond: number | null
  readonly durationMs: number
}

type Delivered = Exclude<RoutedPart, { type: 'finish' }>

/**
 * Calls one target and passes its parts on. Settles the admission exactly once, also when whoever reads leaves in the middle, and
 * tells breaker and statistics how it went.
 */
export async function* attempt(options: AttemptOptions): AsyncGenerator<Delivered, AttemptEnd> {
  const { state, request, inputTokens, counter, admission, gatherer, signal, log } = options
  const { target, statistics, breaker } = state
  const startedAt = performance.now()
  const meter = createOutputMeter(request, inputTokens, counter, options.isContinuable)
  // A batch of yesterday says nothing about how a target does now.
  const trial = gatherer ? null : breaker.begin()
  let isSent = false
  const provider = gatherer
    ? gatherer.providerOf(target, (place) => {
        isSent = true
        admission?.sent?.(place)
      })
    : target.provider
  const patience = gatherer ? { firstTokenMs: BATCH_MS, stallMs: BATCH_MS } : options
  const reading = openReading(provider, { ...request, llm: target.llm }, patience, signal)
  let firstAt: number | null = null
  let hasCalledTools = false
  let finish: (Part & { type: 'finish' }) | null = null
  let end: AttemptEnd | null = null

  const close = async (outcome: AttemptOutcome, error: ProviderError | null): Promise<AttemptEnd> => {
    reading.close()
    const usage = usageAt(outcome, error)
    const at = Date.now()
    const costUsd = target.price!.costUsd(usage, at) * (gatherer ? 1 - target.batch!.discount : 1)
    const waitedMs = reading.waitedMs
    const tokensPerSecond = usage.outputTokens > 1 && waitedMs > 1 ? (usage.outputTokens / waitedMs) * 1000 : null
    if (outcome === 'COMPLETE' && !gatherer) {
      const cachedShare = usage.inputTokens > 0 ? usage.cachedInputTokens / usage.inputTokens : 0
      const firstTokenMs = (firstAt ?? performance.now()) - startedAt
      statistics.answered({ firstTokenMs, tokensPerSecond, cachedShare, at })
    } else if (error && outcome !== 'ABORTED') state.failed(error, at)
    const isTargets = error?.isOfTarget && error.code !== 'RATE_LIMITED' // a limit is no illness; it cools down instead
    trial?.end(outcome === 'COMPLETE' ? 'SUCCESS' : isTargets && outcome !== 'ABORTED' ? 'FAILURE' : 'NONE')
    recordAttempt(target, outcome, error?.code ?? null)
    end = {
      outcome,
      reason: finish?.reason ?? null,
      error,
      usage,
      costUsd,
      text: meter.text,
      hasCalledTools,
      firstAt,
      tokensPerSecond,
      durationMs: performance.now() - startedAt,
    }
    try {
      await admission?.settle({ outcome, usage, costUsd })
    } catch (settling) {
      log.error({ target: target.name, costUsd, error: messageOf(settling) }, 'an answer could not be settled')
    }
    return end
  }
  function usageAt(outcome: AttemptOutcome, error: ProviderError | null): Usage {
    if (outcome === 'COMPLETE') return meter.settled(finish?.usage ?? null)
    // A batch goes on without one of its requests, and the provider charges for the answer.
    if (isSent && outcome === 'ABORTED') return { ...meter.counted(), outputTokens: request.maxTokens }
    // A refused request costs nothing; one that was being worked on may have cost its input.
    const isRefused = firstAt === null && error?.code !== 'TIMEOUT' && error?.code !== 'ABORTED'
    return isRefused ? nothing : meter.counted()
  }

  try {
    for (;;) {
      const { done, value: part } = await reading.next()
      if (done) throw new ProviderError('TRUNCATED', 'The stream ended without saying that it was complete.')
      if (part.type === 'finish') {
        finish = part
        break
      }
      if (firstAt === null) {
        firstAt = performance.now()
        trial?.firstToken()
        yield { type: 'started', target }
      }
      if (part.type === 'toolCall') hasCalledTools = true
      const isWithinBounds = meter.add(part.type === 'toolCall' ? part.argumentsJson : part.text)
      yield part
      if (!isWithinBounds) {
        finish = { type: 'finish', reason: 'LENGTH', usage: null }
        log.warn({ target: target.name, maxTokens: request.maxTokens }, 'an answer ran past its bound and was cut')
        break
      }
    }
    if (firstAt === null) {
      trial?.firstToken()
      yield { type: 'started', target }
    }
    return await close('COMPLETE', null)
  } catch (thrown) {
    const error =
      thrown instanceof ProviderError ? thrown : new ProviderError('BAD_REPLY', messageOf(thrown), { cause: thrown })
    const outcome = error.code === 'ABORTED' ? 'ABORTED' : firstAt === null ? 'FAILED' : 'INCOMPLETE'
    if (outcome !== 'ABORTED')
      log.warn({ target: target.name, code: error.code, status: error.status, outcome }, 'a target failed')
    return await close(outcome, error)
  } finally {
    // Whoever reads has left at one of the yields.
    if (!end) await close('ABORTED', new ProviderError('ABORTED', 'The reader left.'))
  }
}
