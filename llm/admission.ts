import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../platform/log.ts'
import type { Account, Budgets, Reservation } from './budget.ts'
import type { Priority, Queue } from './queue.ts'
import type { Admission, Intent, Settlement } from './route.ts'

/** What every attempt passes: first a place in the target's queue, then money, so that nothing is set aside for who only waits. */
export function createAdmission(
  { queue, budgets, log }: { readonly queue: Queue; readonly budgets: Budgets; readonly log: Log },
  account: Account,
  priority: Priority,
): (intent: Intent) => Promise<Admission> {
  return async ({ target, inputTokens, outputTokens, estimateUsd, signal }) => {
    const place = await queue.enter({
      target: target.name,
      limits: target.limits,
      tenant: account.viewer.tenant,
      priority,
      tokens: inputTokens + outputTokens,
      signal,
    })
    let reservation: Reservation
    try {
      reservation = await budgets.reserve(account, target.name, estimateUsd)
    } catch (error) {
      place.leave(0)
      throw error
    }
    return {
      async settle(settlement) {
        place.leave(settlement.usage.inputTokens + settlement.usage.outputTokens)
        await settle(reservation, settlement, account, log)
      },
    }
  }
}

const RETRY_MS = [50, 500, 2_000]

/** A database that is away for a moment must not lose what was spent; one that stays away leaves the reservation to expire. */
async function settle(
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
