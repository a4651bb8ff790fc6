import type { ExcludedTarget, RankedTarget, Route, TargetStatus } from '../../llm/route.ts'
import { refusedAsInput } from '../../schema/forward-page.ts'
import { type InputRefs, questionOf } from './input.ts'
import type { LlmBuilder } from './subgraph.ts'

interface ProviderStatus {
  readonly name: string
  readonly label: string | null
  readonly targets: readonly (TargetStatus & { readonly running: number; readonly waiting: number })[]
}

/** Registers who could answer, how they are doing, and where a question would go. */
export function registerRouting(builder: LlmBuilder, { CompletionInputRef }: InputRefs): void {
  const BreakerRef = builder.enumType('BreakerState', {
    description: 'Whether calls are let through to a target.',
    values: {
      CLOSED: { description: 'They are.' },
      OPEN: { description: 'They are not: it failed again and again.' },
      HALF_OPEN: { description: 'One is, to see whether it is well again.' },
    } as const,
  })
  const TargetRef = builder.objectRef<ProviderStatus['targets'][number]>('LlmTarget').implement({
    description: 'A provider, an LLM and a price: one place where a question can go. Figures are of this process.',
    fields: (t) => ({
      name: t.string({ description: 'Its name in the configuration.', resolve: ({ target }) => target.name }),
      llm: t.string({ description: "The LLM's name as the provider knows it.", resolve: ({ target }) => target.llm }),
      tags: t.stringList({ description: 'local or remote, and more.', resolve: ({ target }) => [...target.tags] }),
      hasPrice: t.boolean({
        description: 'Whether its price is known. Without one nothing is sent there.',
        resolve: ({ target }) => target.price !== null,
      }),
      contextTokens: t.int({
        description: 'Input and output tokens together.',
        resolve: ({ target }) => target.contextTokens,
      }),
      takesTools: t.boolean({
        description: 'Whether it can ask for tools.',
        resolve: ({ target }) => target.capabilities.tools,
      }),
      takesImages: t.boolean({
        description: 'Whether it sees pictures.',
        resolve: ({ target }) => target.capabilities.images,
      }),
      writesJson: t.boolean({
        description: 'Whether it keeps to a JSON schema.',
        resolve: ({ target }) => target.capabilities.json,
      }),
      isHealthy: t.exposeBoolean('isHealthy', { description: 'Whether it would be asked now.' }),
      breaker: t.expose('breaker', { type: BreakerRef, description: 'Whether calls are let through.' }),
      coolsUntil: t.expose('coolsUntil', {
        type: 'DateTime',
        nullable: true,
        description: 'Until when it asked to be left alone.',
      }),
      firstTokenMs: t.exposeFloat('firstTokenMs', {
        nullable: true,
        description: 'Observed; null before its first answer.',
      }),
      tokensPerSecond: t.exposeFloat('tokensPerSecond', {
        nullable: true,
        description: 'Observed; null before its first answer.',
      }),
      requests: t.exposeInt('requests', { description: 'Calls since the start.' }),
      failures: t.exposeInt('failures', { description: 'How many of them failed.' }),
      lastFailure: t.string({
        nullable: true,
        description: 'Code of the latest failure.',
        resolve: ({ lastFailure }) => lastFailure?.code ?? null,
      }),
      running: t.exposeInt('running', { description: 'Calls under way.' }),
      waiting: t.exposeInt('waiting', { description: 'Calls that wait for their turn.' }),
    }),
  })
  const ProviderRef = builder.objectRef<ProviderStatus>('LlmProvider').implement({
    description: 'Whoever answers: one account at one address.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name in the configuration.' }),
      label: t.exposeString('label', {
        nullable: true,
        description: 'BUILTIN_NOT_AN_LLM where it is no language model.',
      }),
      targets: t.field({ type: [TargetRef], description: 'Its LLMs.', resolve: ({ targets }) => [...targets] }),
    }),
  })
  const RankedRef = builder.objectRef<RankedTarget>('RankedTarget').implement({
    description: 'A target in the order in which they would be asked.',
    fields: (t) => ({
      target: t.string({ description: 'Its name.', resolve: ({ target }) => target.name }),
      why: t.exposeString('why', { description: 'Why it stands there.' }),
      estimateUsd: t.exposeFloat('estimateUsd', { description: 'The most that the answer is expected to cost there.' }),
    }),
  })
  const ExcludedRef = builder.objectRef<ExcludedTarget>('ExcludedTarget').implement({
    description: 'A target that would not be asked.',
    fields: (t) => ({
      target: t.string({ description: 'Its name.', resolve: ({ target }) => target.name }),
      why: t.exposeString('why', { description: 'Why not.' }),
    }),
  })
  const RouteRef = builder.objectRef<Route>('LlmRoute').implement({
    description: 'Where a question would go now, and why.',
    fields: (t) => ({
      strategy: t.exposeString('strategy', { description: 'How the targets were ordered.' }),
      inputTokens: t.exposeInt('inputTokens', { description: 'Of the question, counted.' }),
      outputTokens: t.exposeInt('outputTokens', { description: 'The most that may come back.' }),
      order: t.field({
        type: [RankedRef],
        description: 'Asked in this order until one answers.',
        resolve: ({ order }) => [...order],
      }),
      excluded: t.field({ type: [ExcludedRef], description: 'Not asked.', resolve: ({ excluded }) => [...excluded] }),
    }),
  })

  builder.queryFields((t) => ({
    providers: t.field({
      type: [ProviderRef],
      scopes: ['llm:read'],
      description: 'Who could answer, and how they are doing.',
      resolve: async (_root, _args, { llm }) => {
        const queues = new Map(llm.queue.status().map((line) => [line.target, line]))
        const targets = (await llm.router()).targets().map((status) => {
          const { running = 0, waiting = 0 } = queues.get(status.target.name) ?? {}
          return { ...status, running, waiting }
        })
        return [...Map.groupBy(targets, ({ target }) => target.provider)].map(([{ name, label }, own]) => ({
          name,
          label,
          targets: own,
        }))
      },
    }),
    explainRoute: t.field({
      type: RouteRef,
      scopes: ['llm:use'],
      description: 'Where a question would go now, why, and what it would cost at most. Calls nobody.',
      args: { input: t.arg({ type: CompletionInputRef, required: true, description: 'The question.' }) },
      resolve: (_root, { input }, { llm, viewer }) => refusedAsInput(() => llm.explain(questionOf(input), viewer)),
    }),
  }))
}
