import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../platform/log.ts'
import type { Account, Budgets, Reservation } from './budget.ts'
import { BATCH_MS, type BatchPlace } from './gatherer.ts'
import type { Priority, Queue } from './queue.ts'
import type { Admission, Intent, Settlement } from './route.ts'

/** What another process needs to collect an answer and to settle it. */
export interface SentBatch extends BatchPlace {
  readonly target: string
  readonly reservationId: string
}

/** Whoever can have an answer collected after this process. */
export interface Keeper {
  sent(sent: SentBatch): void
  /** Whether somebody else will collect, and settle, what was sent. */
  isLeft(): boolean
}

/** Money for a batch stays set aside until its answers have expired. */
const BATCH_SECONDS = BATCH_MS / 1_000 + 3_600

/** What every attempt passes: first a place in the target's queue, then money, so that nothing is set aside for who only waits. */
export function createAdmission(
  { queue, budgets, log }: { readonly queue: Queue; readonly budgets: Budgets; readonly log: Log },
  account: Account,
  priority: Priority,
  keeper?: Keeper,
): (intent: Intent) => Promise<Admission> {
  return async ({ target, inputTokens, outputTokens, estimateUsd, signal, isGathered }) => {
    const ticket = {
      target: target.name,
      limits: target.limits,
      tenant: account.viewer.tenant,
      priority,
      tokens: inputTokens + outputTokens,
      signal,
    }
    // A provider's batch interface has limits of its own, and answers when it likes.
    const place = isGathered ? null : await queue.enter(ticket)
    let reservation: Reservation
    try {
      reservation = await budgets.reserve(account, target.name, estimateUsd, isGathered ? BATCH_SECONDS : undefined)
    } catch (error) {
      place?.leave(0)
      throw error
    }
    return {
      sent: (at) => keeper?.sent({ ...at, target: target.name, reservationId: reservation.id }),
      async settle(settlement) {
        if (settlement.outcome === 'ABORTED' && keeper?.isLeft()) return
        place?.leave(settlement.usage.inputTokens + settlement.usage.outputTokens)
        await settle(reservation, settlement, account, log)
      },
    }
  }
}

const RETRY_MS = [50, 500, 2_000]

/** A database that is away for a moment must not lose what was spent; one that stays away leaves the reservation to expire. */
export async function settle(
  reservation: Reservation,
  { costUsd, usage, outcome }: Settlement,
  { completionId }: Account,
  log: Log,
): Promise<void> {
  for (const wait of [...RETRY_MS, null]) {
    try {
      return await reservation.settle(costUsd, usage, outcome)
    } catch (error) {
      if (wait === null) log.error({ event: 'spending not settled', completionId, costUsd, error: String(error) })
      else await sleep(wait)
    }
  }
}
