import { type Attributes, type Counter, type Histogram, type MeterProvider, metrics } from '@opentelemetry/api'
import type { Usage } from './provider.ts'
import type { RoutedFinishReason } from './route.ts'
import type { Target } from './target.ts'

interface Instruments {
  readonly requests: Counter
  readonly cost: Counter
  readonly fallbacks: Counter
  readonly attempts: Counter
  readonly breakers: Counter
  readonly tokens: Histogram
  readonly firstToken: Histogram
  readonly rate: Histogram
  readonly duration: Histogram
  readonly refusals: Counter
  readonly cache: Counter
  readonly waits: Histogram
  readonly completions: Counter
}

let provider: MeterProvider | null = null
let instruments: Instruments | null = null

/** Unlike tracers, meters made before an SDK is registered stay deaf for ever: they are made again when one appears. */
function current(): Instruments {
  const now = metrics.getMeterProvider()
  if (instruments && now === provider) return instruments
  provider = now
  const meter = now.getMeter('inkling')
  instruments = {
    requests: meter.createCounter('inkling.llm.requests', {
      description: 'Answers by how they ended.',
      unit: '{request}',
    }),
    cost: meter.createCounter('inkling.llm.cost', { description: 'What answers cost.', unit: 'USD' }),
    fallbacks: meter.createCounter('inkling.llm.fallbacks', {
      description: 'Answers that came from another target than the first choice.',
      unit: '{request}',
    }),
    attempts: meter.createCounter('inkling.llm.attempts', {
      description: 'Calls of targets by their outcome.',
      unit: '{attempt}',
    }),
    breakers: meter.createCounter('inkling.llm.breaker.changes', {
      description: 'Circuit breakers by the state they went into.',
      unit: '{change}',
    }),
    tokens: meter.createHistogram('gen_ai.client.token.usage', {
      description: 'Input and output tokens of an answer.',
      unit: '{token}',
    }),
    firstToken: meter.createHistogram('inkling.llm.first_token', {
      description: 'From asking to the first token.',
      unit: 's',
    }),
    rate: meter.createHistogram('inkling.llm.rate', {
      description: 'Tokens a second after the first.',
      unit: '{token}/s',
    }),
    duration: meter.createHistogram('gen_ai.client.operation.duration', {
      description: 'From asking to the end.',
      unit: 's',
    }),
    refusals: meter.createCounter('inkling.llm.refusals', {
      description: 'Calls that were not made: no money, no room in the queue, too many requests.',
      unit: '{call}',
    }),
    cache: meter.createCounter('inkling.llm.cache.lookups', {
      description: 'Looks into the cache of answers, by kind and result.',
      unit: '{lookup}',
    }),
    waits: meter.createHistogram('inkling.llm.queue.wait', {
      description: 'How long calls waited for a place at their target.',
      unit: 'ms',
    }),
    completions: meter.createCounter('inkling.llm.completions', {
      description: 'Completions that ended, by where their answer came from and how they ended.',
      unit: '{completion}',
    }),
  }
  return instruments
}

function attributesOf({ name, provider: { name: providerName }, llm }: Target): Attributes {
  return { 'inkling.llm.target': name, 'gen_ai.provider.name': providerName, 'gen_ai.request.model': llm }
}

export function recordAttempt(target: Target, outcome: string, code: string | null): void {
  current().attempts.add(1, {
    ...attributesOf(target),
    'inkling.outcome': outcome,
    ...(code && { 'error.type': code }),
  })
}

export function recordBreaker(target: Target, state: string): void {
  current().breakers.add(1, { ...attributesOf(target), 'inkling.state': state })
}

/** One answer, at its end. */
export function recordAnswer(answer: {
  readonly target: Target
  readonly reason: RoutedFinishReason
  readonly usage: Usage
  readonly costUsd: number
  readonly firstTokenMs: number
  readonly tokensPerSecond: number | null
  readonly durationMs: number
  readonly isFallback: boolean
}): void {
  const to = current()
  const attributes = attributesOf(answer.target)
  to.requests.add(1, { ...attributes, 'inkling.reason': answer.reason })
  to.cost.add(answer.costUsd, attributes)
  if (answer.isFallback) to.fallbacks.add(1, attributes)
  to.tokens.record(answer.usage.inputTokens, { ...attributes, 'gen_ai.token.type': 'input' })
  to.tokens.record(answer.usage.outputTokens, { ...attributes, 'gen_ai.token.type': 'output' })
  to.firstToken.record(answer.firstTokenMs / 1000, attributes)
  if (answer.tokensPerSecond !== null) to.rate.record(answer.tokensPerSecond, attributes)
  to.duration.record(answer.durationMs / 1000, attributes)
}

/** A request that nobody answered. */
export function recordUnanswered(code: string): void {
  current().requests.add(1, { 'inkling.reason': 'UNANSWERED', 'error.type': code })
}

export function countRefusal(why: 'budget' | 'estimate' | 'queue' | 'deadline' | 'rate'): void {
  current().refusals.add(1, { 'inkling.why': why })
}

export function countLookup(kind: 'exact' | 'semantic', isHit: boolean): void {
  current().cache.add(1, { 'inkling.kind': kind, 'inkling.hit': isHit })
}

export function recordWait(target: string, priority: string, ms: number): void {
  current().waits.record(ms, { 'inkling.target': target, 'inkling.priority': priority })
}

export function countCompletion(source: string, end: string): void {
  current().completions.add(1, { 'inkling.source': source, 'inkling.end': end })
}
