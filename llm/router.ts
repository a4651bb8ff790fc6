import { randomUUID } from 'node:crypto'
import { InklingError } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import type { BreakerOptions } from './breaker.ts'
import { embed } from './embedding.ts'
import { createGatherer } from './gatherer.ts'
import { recordBreaker } from './meter.ts'
import { type Demand, needsOf, type Plan, planRoute } from './plan.ts'
import type { Screen } from './privacy/screen.ts'
import type { LlmRequest } from './provider.ts'
import type { RouteOptions, Router } from './route.ts'
import { answer } from './routing.ts'
import { stoppable } from './stoppable.ts'
import { plainStrategies } from './strategies/index.ts'
import type { Strategy } from './strategies/strategy.ts'
import type { Target } from './target.ts'
import { createTargetState } from './target-state.ts'
import { chargedInput, createTokenCounter, type TokenCounter } from './tokens.ts'

/** How long the router waits for what, and how often it tries. */
export interface Patience {
  readonly firstTokenMs: number
  readonly stallMs: number
  readonly deadlineMs: number
  /** Times that the order is gone through before giving up. */
  readonly rounds: number
  readonly breaker: BreakerOptions
}

export const defaultPatience: Patience = {
  firstTokenMs: 30_000,
  stallMs: 20_000,
  deadlineMs: 300_000,
  rounds: 3,
  breaker: { failures: 5, restMs: 10_000 },
}

/** What an answer may have where the request does not say: a bound makes its cost one. */
export const DEFAULT_MAX_TOKENS = 2048

export interface RouterOptions {
  readonly targets: readonly Target[]
  /** Besides the plain ones. */
  readonly strategies?: Readonly<Record<string, Strategy>>
  readonly defaultStrategy?: string
  readonly patience?: Partial<Patience>
  readonly defaultMaxTokens?: number
  readonly log: Log
  readonly counter?: TokenCounter
  /** Looks through every prompt and text before it leaves. */
  readonly screen?: Screen
}

/** A router over targets. Loads no provider package before its first call; the token vocabulary only where something costs money. */
export function createRouter(options: RouterOptions): Router {
  const { log, screen = null, defaultMaxTokens = DEFAULT_MAX_TOKENS } = options
  const patience = { ...defaultPatience, ...options.patience }
  const counter = options.counter ?? createTokenCounter({ isExact: options.targets.some(costsMoney) })
  const strategies = new Map(Object.entries({ ...plainStrategies, ...options.strategies }))
  const gatherer = createGatherer(log)
  const defaultStrategy = options.defaultStrategy ?? 'priority'
  const states = options.targets.map((target) => createTargetState(target, patience.breaker))
  for (const { target, breaker } of states)
    breaker.onChange((state) => {
      recordBreaker(target, state)
      log.info({ target: target.name, state }, 'a circuit breaker changed')
    })

  function strategyOf(name = defaultStrategy) {
    const rank = strategies.get(name)
    if (rank) return { name, rank }
    throw new InklingError(
      'BAD_USER_INPUT',
      `There is no strategy ${name}.`,
      `Choose one of ${[...strategies.keys()].join(', ')}.`,
    )
  }
  function demandOf(request: LlmRequest, { targets, task, key }: RouteOptions): Demand {
    const { text, besides } = chargedInput(request)
    return {
      ...needsOf(request),
      inputTokens: counter.countAtOnce(text) + besides,
      outputTokens: request.maxTokens ?? defaultMaxTokens,
      targets: targets ?? null,
      task: task ?? null,
      key: key ?? randomUUID(),
    }
  }
  const explain = (request: LlmRequest, options: RouteOptions): Plan =>
    planRoute(states, demandOf(request, options), strategyOf(options.strategy), Date.now())

  return {
    strategies: [defaultStrategy, ...[...strategies.keys()].filter((name) => name !== defaultStrategy)],
    targets: () => states.map((state) => state.status(Date.now())),
    explain: (request, options = {}) => explain(request, options),
    stream(request, options = {}) {
      const strategy = strategyOf(options.strategy)
      const demand = demandOf(request, options)
      const route = planRoute(states, demand, strategy, Date.now())
      if (route.order.length === 0 && route.availableAt === null) throw noTarget(route)
      const bounded = { ...request, maxTokens: demand.outputTokens }
      const parts = stoppable((left) =>
        answer({
          states,
          request: bounded,
          demand,
          strategy,
          options,
          patience,
          counter,
          log,
          screen,
          gatherer,
          left,
          planned: route,
        }),
      )
      return { route, [Symbol.asyncIterator]: () => parts[Symbol.asyncIterator]() }
    },
    async collect(name, place, signal) {
      const target = states.find((state) => state.target.name === name)?.target
      if (!target?.batch || !target.price) throw goneTarget(name)
      const outcome = await gatherer.collect(target, place, signal)
      if ('error' in outcome) throw outcome.error
      const finish = outcome.parts.find((part) => part.type === 'finish')
      const usage = finish?.usage ?? null
      const paid = usage ? target.price.costUsd(usage, Date.now()) * (1 - target.batch.discount) : Number.NaN
      return { parts: outcome.parts, target, costUsd: paid }
    },
    leaveBatches: () => gatherer.leave(),
    embed: (texts, options = {}) =>
      embed({ states, texts, strategy: strategyOf(options.strategy), options, patience, counter, screen }),
  }
}

function costsMoney({ price }: Target): boolean {
  const million = 1_000_000
  const usage = { inputTokens: million, cachedInputTokens: 0, outputTokens: million }
  return price !== null && price.costUsd(usage, Date.now()) > 0
}

function goneTarget(name: string): InklingError {
  return new InklingError(
    'LLM_NO_TARGET',
    `The target ${name} sends no batches any more.`,
    'Its answers can be collected once llm.config.yaml declares it again.',
  )
}

/** Nobody could ever answer: says why for each target. */
export function noTarget({ excluded }: Plan): InklingError {
  const whys = excluded.map(({ target, why }) => `${target.name} ${why}`)
  return new InklingError(
    'LLM_NO_TARGET',
    whys.length > 0 ? `No target can answer this: ${whys.join('; ')}.` : 'No targets are configured.',
    'explainRoute shows what each target lacks; targets are declared in llm.config.yaml.',
  )
}
