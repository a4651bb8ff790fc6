import { randomUUID } from 'node:crypto'
import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import { countRefusal } from './meter.ts'
import type { Usage } from './provider.ts'

export type BudgetScope = 'GLOBAL' | 'TEAM' | 'VIEWER' | 'PROMPT'
export type BudgetPeriod = 'HOUR' | 'DAY' | 'MONTH'

/** A limit on what answers may cost within an hour, day or month of UTC. A team is a tenant; GLOBAL is the whole installation. */
export interface Budget {
  readonly id: string
  readonly scope: BudgetScope
  /** A viewer's id or a prompt's name; '' holds for each of them that has no budget of its own. Always '' for GLOBAL and TEAM. */
  readonly subject: string
  readonly period: BudgetPeriod
  readonly limitUsd: number
  readonly changedAt: Date
}

/** What a budget holds now, for one subject. */
export interface BudgetWindow {
  readonly subject: string
  readonly startsAt: Date
  readonly reservedUsd: number
  readonly spentUsd: number
}

/** On whose account a call is made. */
export interface Account {
  readonly viewer: Viewer
  /** Name of the prompt; '' for a question without one. */
  readonly prompt: string
  readonly completionId: string
}

/** Money set aside for one call. */
export interface Reservation {
  readonly id: string
  /** Charges what was really used, once; later calls change nothing. A cost of NaN charges the estimate. */
  settle(costUsd: number, usage: Omit<Usage, 'isEstimated'>, outcome: string): Promise<void>
}

export interface Budgets {
  /** Sets the estimate aside in every budget that applies, or in none. Throws BUDGET_EXCEEDED, or BAD_USER_INPUT for an estimate that is none. */
  reserve(account: Account, target: string, estimateUsd: number, seconds?: number): Promise<Reservation>
  /** A reservation that an earlier process made; one that is settled already is charged no more. */
  reservation(id: string): Promise<Reservation>
  /** Makes, changes or (limitUsd: null) removes a budget. Throws BAD_USER_INPUT or FORBIDDEN. */
  set(
    wanted: Pick<Budget, 'scope' | 'period'> & { subject?: string | undefined; limitUsd: number | null },
    viewer: Viewer,
  ): Promise<Budget | null>
  /** The budgets that a viewer's tenant has, and for the operator's tenant the global ones. */
  list(viewer: Viewer): Promise<Budget[]>
  /** By budget: what it holds in the period of a moment, the fullest subjects first. */
  windows(budgetIds: readonly string[], at: Date): Promise<Map<string, BudgetWindow[]>>
  /** Gives back what abandoned reservations hold; also done before anything is refused. */
  expire(): Promise<number>
}

/** The tenant whose administrators run the installation. */
const OPERATOR = 'default'
/** More than any answer costs: an estimate beyond it is a mistake in a price or in maxTokens. */
const MOST_USD = 1_000
const MOST_LIMIT = 100_000_000
const SUBJECTS_SHOWN = 20

/** reservationSeconds: when a reservation whose process died is given back. clock: tests move it. */
export function createBudgets(options: {
  readonly database: Database
  readonly reservationSeconds?: number
  readonly clock?: () => Date
}): Budgets {
  const { database, reservationSeconds = 900, clock = () => new Date() } = options

  async function tryReserve(id: string, account: Account, target: string, amount: string, seconds: number) {
    const { viewer, prompt, completionId } = account
    const at = clock()
    const { rows } = await database.query<{ refused: Refused | null }>(
      'SELECT inkling.reserve_budget($1, $2, $3, $4, $5, $6, $7, $8, $9) AS refused',
      [id, amount, viewer.id, viewer.tenant, prompt, completionId, target, at, later(at, seconds)],
    )
    return rows[0]!.refused
  }
  let expiring: Promise<number> | null = null
  /** One look at a time serves everybody who was refused meanwhile. */
  function expire(): Promise<number> {
    expiring ??= expireAll().finally(() => {
      expiring = null
    })
    return expiring
  }
  async function expireAll(): Promise<number> {
    let count = 0
    for (;;) {
      const { rows } = await database.query<{ n: number }>('SELECT inkling.expire_budget($1) AS n', [clock()])
      if (rows[0]!.n === 0) return count
      count += rows[0]!.n
    }
  }
  /** estimateUsd: charged where no cost can be true. */
  const reservation = (id: string, estimateUsd: number): Reservation => ({
    id,
    async settle(costUsd, { inputTokens, cachedInputTokens, outputTokens }, outcome) {
      const paid = Number.isFinite(costUsd) ? Math.max(costUsd, 0) : estimateUsd
      await database.query('SELECT inkling.settle_budget($1, $2, $3, $4, $5, $6, $7)', [
        id,
        paid.toFixed(9),
        whole(inputTokens),
        whole(cachedInputTokens),
        whole(outputTokens),
        outcome,
        clock(),
      ])
    },
  })
  return {
    expire,
    async reservation(id) {
      const { rows } = await database.query<{ amountUsd: string }>(
        'SELECT "amountUsd" FROM inkling."BudgetReservation" WHERE id = $1',
        [id],
      )
      return reservation(id, Number(rows[0]?.amountUsd ?? 0))
    },
    async reserve(account, target, estimateUsd, seconds = reservationSeconds) {
      if (!(estimateUsd >= 0 && estimateUsd <= MOST_USD)) {
        countRefusal('estimate')
        throw new InklingError(
          'BAD_USER_INPUT',
          `An estimate of ${estimateUsd} USD for one answer is refused.`,
          `It lies between 0 and ${MOST_USD} USD: lower maxTokens, or correct the price in the configuration.`,
        )
      }
      const id = randomUUID()
      // Rounded up: what is set aside is never less than the estimate.
      const amount = (Math.ceil(estimateUsd * 1e9) / 1e9).toFixed(9)
      let refused = await tryReserve(id, account, target, amount, seconds)
      if (refused && (await expire()) > 0) refused = await tryReserve(id, account, target, amount, seconds)
      if (refused) {
        countRefusal('budget')
        throw exceeded(refused, estimateUsd)
      }
      return reservation(id, estimateUsd)
    },
    async set({ scope, period, subject = '', limitUsd }, viewer) {
      const tenant = tenantOf(scope, viewer)
      if (subject !== '' && (scope === 'GLOBAL' || scope === 'TEAM'))
        throw badInput('Only VIEWER and PROMPT take a subject.')
      if (subject.length > 200) throw badInput('A subject has 200 characters at most.')
      if (limitUsd === null) {
        await database.query(
          'DELETE FROM inkling."Budget" WHERE tenant = $1 AND scope::text = $2 AND subject = $3 AND period::text = $4',
          [tenant, scope, subject, period],
        )
        return null
      }
      if (!(limitUsd >= 0 && limitUsd <= MOST_LIMIT)) throw badInput(`A limit lies between 0 and ${MOST_LIMIT} USD.`)
      const { rows } = await database.query<Row>(
        `INSERT INTO inkling."Budget" (tenant, scope, subject, period, "limitUsd", "createdBy", "changedAt")
         VALUES ($1, $2::text::inkling."BudgetScope", $3, $4::text::inkling."BudgetPeriod", $5, $6, $7)
         ON CONFLICT (tenant, scope, subject, period)
         DO UPDATE SET "limitUsd" = EXCLUDED."limitUsd", "createdBy" = EXCLUDED."createdBy", "changedAt" = EXCLUDED."changedAt"
         RETURNING *`,
        [tenant, scope, subject, period, limitUsd.toFixed(9), viewer.id, clock()],
      )
      return budgetOf(rows[0]!)
    },
    async list(viewer) {
      const { rows } = await database.query<Row>(
        `SELECT * FROM inkling."Budget" WHERE tenant = $1 ORDER BY scope, subject, period LIMIT 1000`,
        [viewer.tenant],
      )
      return rows.map(budgetOf)
    },
    async windows(budgetIds, at) {
      const { rows } = await database.query<WindowRow>(
        `SELECT w.* FROM inkling."Budget" b CROSS JOIN LATERAL (
           SELECT * FROM inkling."BudgetWindow" w
            WHERE w."budgetId" = b.id AND w."startsAt" = date_trunc(lower(b.period::text), $2::timestamptz, 'UTC')
            ORDER BY w."reservedUsd" + w."spentUsd" DESC, w.subject LIMIT ${SUBJECTS_SHOWN}) w
          WHERE b.id = ANY($1::uuid[])`,
        [budgetIds, at],
      )
      const windows = rows.map((row) => ({
        budgetId: row.budgetId,
        subject: row.subject,
        startsAt: row.startsAt,
        reservedUsd: Number(row.reservedUsd),
        spentUsd: Number(row.spentUsd),
      }))
      return Map.groupBy(windows, ({ budgetId }) => budgetId)
    },
  }
}

interface Refused {
  readonly scope: BudgetScope
  readonly period: BudgetPeriod
  readonly subject: string
  readonly limitUsd: number
  readonly leftUsd: number
}

interface Row {
  readonly id: string
  readonly scope: BudgetScope
  readonly subject: string
  readonly period: BudgetPeriod
  readonly limitUsd: string
  readonly changedAt: Date
}

interface WindowRow {
  readonly budgetId: string
  readonly subject: string
  readonly startsAt: Date
  readonly reservedUsd: string
  readonly spentUsd: string
}

function budgetOf({ id, scope, subject, period, limitUsd, changedAt }: Row): Budget {
  return { id, scope, subject, period, limitUsd: Number(limitUsd), changedAt }
}

/** What is left of a budget that others share is theirs to know: a viewer learns it of its own only. */
function exceeded({ scope, period, leftUsd, limitUsd }: Refused, estimateUsd: number): InklingError {
  const own = scope === 'VIEWER' ? ` ${round(leftUsd)} of ${round(limitUsd)} USD are left.` : ''
  return new InklingError(
    'BUDGET_EXCEEDED',
    `The ${scope.toLowerCase()} budget of this ${period.toLowerCase()} has no room for about ${round(estimateUsd)} USD.${own}`,
    `Wait for the next ${period.toLowerCase()}, ask for fewer tokens, or have the budget raised with setBudget.`,
  )
}

function tenantOf(scope: BudgetScope, viewer: Viewer): string {
  if (scope !== 'GLOBAL' || viewer.tenant === OPERATOR) return viewer.tenant
  throw new InklingError(
    'FORBIDDEN',
    'The global budget belongs to whoever runs the installation.',
    'Set a TEAM budget for your own tenant.',
  )
}

function badInput(message: string): InklingError {
  return new InklingError('BAD_USER_INPUT', message, 'Correct the input.')
}

function later(at: Date, seconds: number): Date {
  return new Date(at.getTime() + seconds * 1_000)
}

/** Counts come from providers, who are not to be believed. */
function whole(tokens: number): number {
  return Number.isFinite(tokens) ? Math.min(Math.max(Math.round(tokens), 0), 2 ** 31 - 1) : 0
}

function round(usd: number): string {
  return String(Number(usd.toPrecision(3)))
}
