import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../platform/errors.ts'
import type { Log } from '../platform/log.ts'
import { type BatchItem, type BatchOutcome, type LlmRequest, type Provider, ProviderError } from './provider.ts'
import type { Target } from './target.ts'

/** Batches are answered within a day, or expire. */
export const BATCH_MS = 25 * 3_600_000
const CANCEL_MS = 10_000
/** Of all answers of a batch together: they come back in one reply, of which 16 MiB are read. */
const MOST_TOKENS = 1_500_000

/** Where a request lies at its provider, for whoever asks for its answer later. */
export interface BatchPlace {
  readonly batchId: string
  readonly itemId: string
}

/** Gathers requests that may wait, and sends those to one target together. */
export interface Gatherer {
  /** The target's provider for one such request: streams its answer when its batch is over. onSent: once it has been handed over. */
  providerOf(target: Target, onSent: (place: BatchPlace) => void): Provider
  /** The answer of a request that an earlier process handed over. Throws ProviderError. */
  collect(target: Target, place: BatchPlace, signal: AbortSignal): Promise<BatchOutcome>
  /** From now on batches that nobody waits for go on at the provider, for another process to collect. */
  leave(): void
}

interface Waiting extends BatchItem {
  readonly signal: AbortSignal
  readonly onSent: (place: BatchPlace) => void
  readonly settle: (outcome: BatchOutcome) => void
}

/** Whether a request that may wait is sent together with others. What not every batch interface takes goes by itself. */
export function isGathered({ batch, provider }: Target, { stop, seed, responseFormat }: LlmRequest): boolean {
  return batch !== null && provider.batches !== undefined && !stop?.length && seed === undefined && !responseFormat
}

export function createGatherer(log: Log): Gatherer {
  const gathering = new Map<Target, { items: Waiting[]; timer: NodeJS.Timeout }>()
  let isLeft = false

  function gather(target: Target, item: Waiting): void {
    const { gatherMs, most } = target.batch!
    const present = gathering.get(target)
    const items = present?.items ?? []
    if (!present) gathering.set(target, { items, timer: setTimeout(() => send(target), gatherMs) })
    items.push(item)
    const tokens = items.reduce((sum, { request }) => sum + (request.maxTokens ?? 0), 0)
    if (items.length >= most || tokens >= MOST_TOKENS) send(target)
  }

  function send(target: Target): void {
    const { items, timer } = gathering.get(target)!
    clearTimeout(timer)
    gathering.delete(target)
    const present = items.filter(({ signal }) => !signal.aborted)
    if (present.length > 0) void run(target, present)
  }

  /** One batch from its start to the last of its answers. Ends at once when nobody waits for any of them. */
  async function run(target: Target, items: readonly Waiting[]): Promise<void> {
    const batches = target.provider.batches!
    const stop = new AbortController()
    const look = () => items.every(({ signal }) => signal.aborted) && stop.abort()
    for (const { signal } of items) signal.addEventListener('abort', look, { once: true })
    let batchId: string | null = null
    try {
      batchId = await batches.start(items, stop.signal)
      log.info({ event: 'a batch was sent', target: target.name, batchId, requests: items.length })
      for (const item of items) item.onSent({ batchId, itemId: item.id })
      const outcomes = await results(target, batchId, stop.signal)
      log.info({ event: 'a batch came back', target: target.name, batchId, answers: outcomes.size })
      for (const { id, settle } of items) settle(outcomes.get(id) ?? { error: missing() })
    } catch (thrown) {
      const error = thrown instanceof ProviderError ? thrown : new ProviderError('BAD_REPLY', messageOf(thrown))
      for (const { settle } of items) settle({ error })
      if (stop.signal.aborted && batchId !== null && !isLeft) await cancel(target, batchId)
    } finally {
      for (const { signal } of items) signal.removeEventListener('abort', look)
    }
  }

  /** Asks until all is over. A provider that is away for a while has lost nothing. */
  async function results(target: Target, batchId: string, signal: AbortSignal) {
    for (;;) {
      try {
        const outcomes = await target.provider.batches!.results(batchId, signal)
        if (outcomes) return outcomes
      } catch (error) {
        if (!(error instanceof ProviderError && error.isRetryable)) throw error
        log.warn({ event: 'a batch could not be looked at', target: target.name, batchId, code: error.code })
      }
      await sleep(target.batch!.pollMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) throw new ProviderError('ABORTED', 'Nobody waits for the batch any more.')
    }
  }

  async function cancel(target: Target, batchId: string): Promise<void> {
    try {
      await target.provider.batches!.cancel(batchId, AbortSignal.timeout(CANCEL_MS))
      log.info({ event: 'a batch was cancelled', target: target.name, batchId })
    } catch (error) {
      log.warn({ event: 'a batch could not be cancelled', target: target.name, batchId, error: messageOf(error) })
    }
  }

  return {
    providerOf: (target, onSent) => ({
      ...target.provider,
      async *stream(request, signal) {
        const outcome = await new Promise<BatchOutcome>((settle) => {
          const gone = () => settle({ error: new ProviderError('ABORTED', 'The call was stopped.') })
          if (signal.aborted) return gone()
          signal.addEventListener('abort', gone, { once: true })
          gather(target, { id: randomUUID(), request, signal, onSent, settle })
        })
        if ('error' in outcome) throw outcome.error
        yield* outcome.parts
      },
    }),
    async collect(target, { batchId, itemId }, signal) {
      return (await results(target, batchId, signal)).get(itemId) ?? { error: missing() }
    },
    leave() {
      isLeft = true
    },
  }
}

function missing(): ProviderError {
  return new ProviderError('OVERLOADED', 'The batch ended without an answer to this request.')
}
