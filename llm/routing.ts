import { setTimeout as sleep } from 'node:timers/promises'
import { InklingError, isInklingError, messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { type AttemptEnd, attempt } from './attempt.ts'
import { BATCH_MS, type Gatherer, isGathered } from './gatherer.ts'
import { recordAnswer, recordUnanswered } from './meter.ts'
import { type Demand, type Plan, planRoute } from './plan.ts'
import type { Screen } from './privacy/screen.ts'
import { type LlmRequest, type Message, ProviderError, type Usage } from './provider.ts'
import type { Admission, Attempt, Intent, RoutedFinishReason, RoutedPart, RouteOptions } from './route.ts'
import type { Patience } from './router.ts'
import type { Strategy } from './strategies/strategy.ts'
import type { Target } from './target.ts'
import type { TargetState } from './target-state.ts'
import { chargedInput, type TokenCounter } from './tokens.ts'

export interface Asking {
  readonly states: readonly TargetState[]
  readonly request: LlmRequest & { readonly maxTokens: number }
  readonly demand: Demand
  readonly strategy: { readonly name: string; readonly rank: Strategy }
  readonly options: RouteOptions
  readonly patience: Patience
  readonly counter: TokenCounter
  readonly log: Log
  readonly screen: Screen | null
  readonly gatherer: Gatherer
  /** Aborts when the reader leaves. */
  readonly left: AbortSignal
  /** The order as it was when the request came. */
  readonly planned: Plan
}

const nothing: Usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, isEstimated: false }

/** Before the second round; doubles with each, and half of it is chance, so that many who failed together do not return together. */
const BACKOFF_MS = 250

/**
 * The one retry loop. Goes through the order until somebody answers: whoever fails before the first token is passed over, after a
 * round without an answer it waits for the first that may be asked again. After the first token nobody takes over, unless the
 * caller asked for that: the answer ends INCOMPLETE.
 */
export async function* answer(asking: Asking): AsyncGenerator<RoutedPart, void> {
  const { states, strategy, options, patience, counter, log, left, planned } = asking
  const startedAt = performance.now()
  const deadlineMs = options.deadlineMs ?? (options.isPatient ? BATCH_MS : patience.deadlineMs)
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), deadlineMs)
  const signal = AbortSignal.any([left, deadline.signal, ...(options.signal ? [options.signal] : [])])

  let { request, demand } = asking
  const attempts: Attempt[] = []
  const givenUp = new Set<Target>()
  let refusal: unknown = null
  let failure: ProviderError | null = null
  /** Of what broke in the middle and is continued. */
  let broken: AttemptEnd | null = null
  let firstAt: number | null = null
  let usage = nothing
  let costUsd = 0

  function finish(target: Target, reason: RoutedFinishReason, end: AttemptEnd): RoutedPart {
    const problem = reason === 'INCOMPLETE' && end.error ? { code: end.error.code, message: end.error.message } : null
    const firstTokenMs = (firstAt ?? performance.now()) - startedAt
    const durationMs = performance.now() - startedAt
    const { tokensPerSecond } = end
    const isFallback = attempts.length > 1
    recordAnswer({ target, reason, usage, costUsd, firstTokenMs, tokensPerSecond, durationMs, isFallback })
    return { type: 'finish', reason, target, usage, costUsd, attempts, problem, firstTokenMs }
  }
  const missed = () => new ProviderError('TIMEOUT', `The answer was not complete within ${deadlineMs} ms.`)

  try {
    const { request: screened, findings } = (await asking.screen?.request(request)) ?? { request, findings: [] }
    if (findings.length > 0) log.warn({ findings }, 'a prompt was masked') // rules and counts, never what was found
    request = { ...screened, maxTokens: request.maxTokens }
    const { text, besides } = chargedInput(request)
    demand = { ...demand, inputTokens: (await counter.count(text)) + besides }
    let plan = planned
    for (let round = 0; ; round++) {
      if (round > 0 || demand.inputTokens !== planned.inputTokens)
        plan = planRoute(states, demand, strategy, Date.now())
      for (const { target, state } of plan.order) {
        if (givenUp.has(target) || state.availableAt(Date.now()) !== null) continue
        if (signal.aborted) break
        const fromAt = performance.now()
        const note = (outcome: Attempt['outcome'], code: Attempt['code'], message: string | null) =>
          attempts.push({ target, outcome, code, message, durationMs: performance.now() - fromAt })
        // The order was made for other tokens where the request has grown meanwhile: it may cost more now, or fit no longer.
        const [ranked] = planRoute([state], demand, strategy, Date.now()).order
        if (!ranked) continue
        const { inputTokens, outputTokens } = demand
        const gatherer = options.isPatient && isGathered(target, request) ? asking.gatherer : null
        let admission: Admission | null = null
        try {
          const intent = {
            target,
            inputTokens,
            outputTokens,
            estimateUsd: ranked.estimateUsd,
            signal,
            isGathered: gatherer !== null,
          }
          if (options.admit) admission = await admitted(options.admit, intent)
        } catch (error) {
          if (signal.aborted) break
          refusal ??= error
          givenUp.add(target)
          note('REFUSED', null, messageOf(error))
          continue
        }
        const end = yield* attempt({
          ...patience,
          state,
          request,
          inputTokens,
          counter,
          admission,
          gatherer,
          isContinuable: options.isContinuable ?? false,
          signal,
          log,
        })
        note(end.outcome, end.error?.code ?? null, end.error?.message ?? null)
        firstAt ??= end.firstAt
        usage = sum(usage, end.usage)
        costUsd += end.costUsd
        if (end.reason) return yield finish(target, end.reason, end)
        failure = end.error
        if (signal.aborted) {
          if (firstAt === null) break
          if (!deadline.signal.aborted) return yield finish(target, 'ABORTED', end)
          return yield finish(target, 'INCOMPLETE', { ...end, error: missed() })
        }
        if (!end.error?.isRetryable) givenUp.add(target)
        if (end.outcome !== 'INCOMPLETE') continue
        if (!options.isContinuable || end.hasCalledTools || attempts.length >= 2 * states.length)
          return yield finish(target, 'INCOMPLETE', end)
        broken = end
        const next = continued(request, end, counter)
        if (!next) return yield finish(target, 'LENGTH', end)
        request = next
        demand = { ...demand, inputTokens: demand.inputTokens + end.usage.outputTokens, outputTokens: next.maxTokens }
      }
      if (broken && (signal.aborted || round + 1 >= patience.rounds)) {
        const error = deadline.signal.aborted ? missed() : failure
        return yield finish(attempts.at(-1)!.target, 'INCOMPLETE', { ...broken, error })
      }
      if (signal.aborted) throw deadline.signal.aborted ? tooLate(deadlineMs, attempts) : stopped()
      const open = states.filter(({ target }) => !givenUp.has(target) && isSuitable(target, plan))
      if (open.length === 0) throw refusal ?? rejected(failure) ?? unavailable(attempts, null)
      const readyAt = Math.min(...open.map((state) => state.availableAt(Date.now()) ?? 0))
      const waitMs = Math.max(readyAt - Date.now(), BACKOFF_MS * 2 ** round * (0.5 + Math.random() / 2))
      if (round + 1 >= patience.rounds || performance.now() - startedAt + waitMs > deadlineMs)
        throw refusal ?? unavailable(attempts, readyAt)
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
  } catch (error) {
    recordUnanswered(isInklingError(error) ? error.code : 'INTERNAL')
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Waits for leave, but not longer than the request may last: leave that comes too late is handed back. */
function admitted(admit: NonNullable<RouteOptions['admit']>, intent: Intent): Promise<Admission> {
  const { signal } = intent
  return new Promise((resolve, reject) => {
    const abort = () => reject(stopped())
    signal.addEventListener('abort', abort, { once: true })
    admit(intent)
      .then(async (admission) => {
        if (!signal.aborted) return resolve(admission)
        await admission.settle({ outcome: 'ABORTED', usage: nothing, costUsd: 0 })
        abort()
      })
      .catch(reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Whether a target that is out of the order only rests. */
function isSuitable(target: Target, { order, excluded }: Plan): boolean {
  return (
    order.some((ranked) => ranked.target === target) ||
    excluded.some((out) => out.target === target && out.why.startsWith('rests until'))
  )
}

/** The request for the rest of an answer; null where nothing more may come. */
function continued(request: Asking['request'], end: AttemptEnd, counter: TokenCounter): Asking['request'] | null {
  const maxTokens = request.maxTokens - counter.countAtOnce(end.text())
  if (maxTokens <= 0) return null
  const messages: Message[] = [
    ...request.messages,
    { role: 'assistant', content: [{ type: 'text', text: end.text() }] },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Continue exactly where your answer breaks off. Repeat nothing, explain nothing.' },
      ],
    },
  ]
  return { ...request, messages, maxTokens }
}

function sum(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    cachedInputTokens: a.cachedInputTokens + b.cachedInputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    isEstimated: a.isEstimated || b.isEstimated,
  }
}

function listed(attempts: readonly Attempt[]): string {
  return attempts.map(({ target, code, message }) => `${target.name}: ${code ?? 'refused'} (${message})`).join('; ')
}

function unavailable(attempts: readonly Attempt[], readyAt: number | null): InklingError {
  const wait = readyAt === null || readyAt <= Date.now() ? '' : ` after ${new Date(readyAt).toISOString()}`
  return new InklingError(
    'LLM_UNAVAILABLE',
    attempts.length > 0 ? `Nobody answered: ${listed(attempts)}.` : 'Every target that could answer rests.',
    `Try again${wait}; \`providers\` shows how each target does.`,
  )
}

function rejected(failure: ProviderError | null): InklingError | null {
  if (failure?.code !== 'REJECTED') return null
  return new InklingError(
    'LLM_REQUEST_REJECTED',
    `The request is not accepted: ${failure.message}`,
    'Change what is asked; trying again will not help.',
    { cause: failure },
  )
}

function tooLate(deadlineMs: number, attempts: readonly Attempt[]): InklingError {
  return new InklingError(
    'DEADLINE_EXCEEDED',
    `No answer began within ${deadlineMs} ms${attempts.length > 0 ? `: ${listed(attempts)}` : ''}.`,
    'Allow more time, or ask a faster target.',
  )
}

function stopped(): InklingError {
  return new InklingError(
    'CANCELLED',
    'The request was stopped before an answer began.',
    'Ask again where it is wanted.',
  )
}
