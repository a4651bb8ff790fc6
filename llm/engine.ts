import type { Database } from '../platform/database.ts'
import type { Log } from '../platform/log.ts'
import type { Viewer } from '../platform/viewer.ts'
import { type Budgets, createBudgets } from './budget.ts'
import { createCache } from './cache.ts'
import type { CompletionInput } from './completion.ts'
import { checkInput } from './completion-input.ts'
import { type Completions, createCompletions } from './completions.ts'
import { type EmbedInput, embedTexts } from './embedding-calls.ts'
import { createQueue, type Queue } from './queue.ts'
import type { Route, RoutedEmbeddings, Router } from './route.ts'
import { readUsage, type UsageDimension, type UsageGroup } from './usage.ts'
import { createViewerRates, type ViewerRates } from './viewer-rates.ts'

export interface LlmOptions {
  readonly database: Database
  readonly log: Log
  /** Opens the router on first use: configuration is read, and providers' packages are loaded, only by who asks something. */
  openRouter(): Promise<OpenedRouter>
  /** Questions that a viewer may ask within a minute. */
  readonly perMinute: number
  /** How long an answer goes on without a reader. */
  readonly graceMs: number
  /** How long an answer at temperature 0 may be given again; 0 keeps none. */
  readonly cacheSeconds: number
  /** Targets of the router that embed questions for the semantic cache; off without. */
  readonly semantic?: { readonly target: string; readonly threshold: number }
  readonly keptMs?: number
  readonly slowReaderMs?: number
}

export interface OpenedRouter {
  readonly router: Router
  /** Ends idle connections. */
  close?(): void
}

/** The llm engine of one process. */
export interface Llm {
  readonly completions: Completions
  readonly budgets: Budgets
  readonly queue: Queue
  readonly rates: ViewerRates
  router(): Promise<Router>
  /** Where a question would go. Throws BAD_USER_INPUT. Calls nobody. */
  explain(input: CompletionInput, viewer: Viewer): Promise<Route>
  embed(input: EmbedInput, viewer: Viewer, signal?: AbortSignal): Promise<RoutedEmbeddings>
  usage(
    viewer: Viewer,
    question: { readonly groupBy: readonly UsageDimension[]; readonly from: Date; readonly to: Date },
  ): Promise<UsageGroup[]>
  /** Stops what runs and waits until it is settled and written. */
  close(): Promise<void>
}

export function createLlm(options: LlmOptions): Llm {
  const { database, log, perMinute, cacheSeconds, semantic, openRouter, ...limits } = options
  let opening: Promise<OpenedRouter> | null = null
  const router = async () => {
    opening ??= openRouter().catch((error) => {
      opening = null // a fault of the configuration may be mended meanwhile
      throw error
    })
    return (await opening).router
  }
  const budgets = createBudgets({ database })
  const queue = createQueue()
  const rates = createViewerRates(perMinute)
  const cache = createCache({
    ttlSeconds: cacheSeconds,
    log,
    ...(semantic
      ? {
          semantic: {
            threshold: semantic.threshold,
            async embed(text: string, viewer: Viewer, signal: AbortSignal) {
              const asked = { texts: [text], targets: [semantic.target] }
              const { vectors } = await embedTexts({ router, queue, budgets, log }, asked, viewer, signal)
              return vectors[0]!
            },
          },
        }
      : {}),
  })
  const completions = createCompletions({ ...limits, database, log, rates, router, queue, budgets, cache })
  return {
    completions,
    budgets,
    queue,
    rates,
    router,
    async explain(input, viewer) {
      checkInput(input)
      const { strategy, targets, task, deadlineMs, isContinuable } = input
      const wanted = { strategy, targets, task, deadlineMs, isContinuable, key: viewer.id }
      const given = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined))
      return (await router()).explain(input.request, given)
    },
    async embed(input, viewer, signal) {
      await rates.take(viewer)
      return embedTexts({ router, queue, budgets, log }, input, viewer, signal)
    },
    usage: (viewer, question) => readUsage(database, viewer, question),
    async close() {
      await completions.close()
      const opened = await opening?.catch(() => null) // one that failed has nothing to close
      opened?.close?.()
    },
  }
}
