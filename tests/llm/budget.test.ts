import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Budgets, createBudgets } from '../../llm/budget.ts'
import { readUsage } from '../../llm/usage.ts'
import type { Database } from '../../platform/database.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { openTestDatabase } from '../harness.ts'

const noTokens = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 }
const viewerOf = (id: string, tenant = 'default'): Viewer => ({ id, tenant, scopes: ['admin'] })
const account = (viewer: Viewer, prompt = '') => ({ viewer, prompt, completionId: 'c' })

let database: Database
let budgets: Budgets
let now = new Date('2026-11-20T12:30:00Z')
beforeAll(async () => {
  database = await openTestDatabase()
  budgets = createBudgets({ database, clock: () => now })
})
afterAll(() => database.close())

async function windowOf(budgetId: string, subject = '') {
  return (await budgets.windows([budgetId], now)).get(budgetId)?.find((window) => window.subject === subject)
}

describe('budgets', () => {
  it('let ten of a thousand parallel calls through when there is money for ten', async () => {
    const viewer = viewerOf('racer', 'race')
    const budget = await budgets.set({ scope: 'TEAM', period: 'DAY', limitUsd: 0.1 }, viewer)
    let most = 0
    const calls = await Promise.all(
      Array.from({ length: 1000 }, async () => {
        try {
          const reservation = await budgets.reserve(account(viewer), 'small', 0.01)
          most = Math.max(most, (await windowOf(budget!.id))!.reservedUsd)
          return reservation
        } catch (error) {
          expect(error).toMatchObject({ code: 'BUDGET_EXCEEDED' })
          return null
        }
      }),
    )
    const admitted = calls.filter((call) => call !== null)
    expect(admitted).toHaveLength(10)
    expect(most).toBeLessThanOrEqual(0.1)
    await Promise.all(
      admitted.map((call) => call.settle(0.004, { ...noTokens, inputTokens: 5, outputTokens: 7 }, 'COMPLETE')),
    )
    expect(await windowOf(budget!.id)).toMatchObject({ reservedUsd: 0, spentUsd: 0.04 })
  })

  it('never spend more than the limit at any prefix of the ledger, while calls of every price reserve and settle', async () => {
    const viewer = viewerOf('mixed', 'mixed')
    const limit = 0.05
    await budgets.set({ scope: 'TEAM', period: 'HOUR', limitUsd: limit }, viewer)
    await budgets.set({ scope: 'VIEWER', period: 'DAY', limitUsd: limit }, viewer)
    await Promise.all(
      Array.from({ length: 120 }, async (_, index) => {
        const estimate = (index % 7) / 1000
        const call = await budgets.reserve(account(viewer), 'small', estimate).catch(() => null)
        await call?.settle(estimate * ((index % 3) / 2), noTokens, 'COMPLETE')
      }),
    )
    const { rows } = await database.query<{ entry: string; amountUsd: string; reservationId: string }>(
      `SELECT * FROM inkling."BudgetLedger" WHERE tenant = 'mixed' ORDER BY sequence`,
    )
    let spent = 0
    for (const { entry, amountUsd } of rows) {
      if (entry === 'SETTLED') spent += Number(amountUsd)
      expect(spent).toBeLessThanOrEqual(limit + 1e-9)
    }
    expect(spent).toBeGreaterThan(0)
  })

  it('reserve in all budgets that apply or in none', async () => {
    const viewer = viewerOf('ann', 'pair')
    const wide = await budgets.set({ scope: 'TEAM', period: 'MONTH', limitUsd: 10 }, viewer)
    await budgets.set({ scope: 'VIEWER', subject: 'ann', period: 'HOUR', limitUsd: 0.5 }, viewer)
    await expect(budgets.reserve(account(viewer), 'small', 1)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    expect((await windowOf(wide!.id))?.reservedUsd ?? 0).toBe(0)
  })

  it('hold a viewer whom nobody has seen before to the budget of each viewer', async () => {
    const viewer = viewerOf('admin', 'each')
    await budgets.set({ scope: 'VIEWER', period: 'DAY', limitUsd: 1 }, viewer)
    await budgets.set({ scope: 'VIEWER', subject: 'rich', period: 'DAY', limitUsd: 5 }, viewer)
    await expect(budgets.reserve(account(viewerOf('new', 'each')), 'small', 2)).rejects.toThrow('1 of 1 USD are left')
    await budgets.reserve(account(viewerOf('rich', 'each')), 'small', 2)
    await budgets.reserve(account(viewerOf('new', 'another tenant')), 'small', 2)
  })

  it('count a prompt, and the whole installation, apart', async () => {
    const operator = viewerOf('operator')
    const other = viewerOf('someone', 'guest')
    await budgets.set({ scope: 'PROMPT', subject: 'summary', period: 'DAY', limitUsd: 0.3 }, other)
    await expect(budgets.reserve(account(other, 'summary'), 'small', 0.4)).rejects.toThrow('prompt budget')
    await budgets.reserve(account(other, 'else'), 'small', 0.4)
    await expect(budgets.set({ scope: 'GLOBAL', period: 'DAY', limitUsd: 1 }, other)).rejects.toMatchObject({
      code: 'FORBIDDEN',
    })
    await budgets.set({ scope: 'GLOBAL', period: 'MONTH', limitUsd: 0.2 }, operator)
    await expect(budgets.reserve(account(other), 'small', 0.3)).rejects.toThrow('global budget')
    expect((await budgets.list(other)).map(({ scope }) => scope)).toEqual(['PROMPT'])
    expect(await budgets.set({ scope: 'GLOBAL', period: 'MONTH', limitUsd: null }, operator)).toBeNull()
    await budgets.reserve(account(other), 'small', 0.3)
  })

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 1e9])('refuse an estimate of %s', async (estimate) => {
    await expect(budgets.reserve(account(viewerOf('x')), 'small', estimate)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    })
  })

  it('charge once, however often a call is settled, and believe no negative cost', async () => {
    const viewer = viewerOf('once', 'once')
    const budget = await budgets.set({ scope: 'TEAM', period: 'DAY', limitUsd: 1 }, viewer)
    const call = await budgets.reserve(account(viewer), 'small', 0.5)
    await call.settle(0.2, noTokens, 'COMPLETE')
    await call.settle(0.2, noTokens, 'COMPLETE')
    const lying = await budgets.reserve(account(viewer), 'small', 0.5)
    await lying.settle(-3, { ...noTokens, outputTokens: -5 }, 'COMPLETE')
    expect(await windowOf(budget!.id)).toMatchObject({ reservedUsd: 0, spentUsd: 0.2 })
  })

  it('give back what an abandoned call held, and still charge it when it is settled late', async () => {
    const viewer = viewerOf('late', 'late')
    const budget = await budgets.set({ scope: 'TEAM', period: 'MONTH', limitUsd: 1 }, viewer)
    const abandoned = await budgets.reserve(account(viewer), 'small', 0.9)
    await expect(budgets.reserve(account(viewer), 'small', 0.5)).rejects.toMatchObject({ code: 'BUDGET_EXCEEDED' })
    now = new Date(now.getTime() + 16 * 60_000)
    await budgets.reserve(account(viewer), 'small', 0.5)
    expect(await windowOf(budget!.id)).toMatchObject({ reservedUsd: 0.5, spentUsd: 0 })
    await abandoned.settle(0.7, noTokens, 'COMPLETE')
    expect(await windowOf(budget!.id)).toMatchObject({ reservedUsd: 0.5, spentUsd: 0.7 })
  })

  it('keep a ledger that nobody changes', async () => {
    await expect(database.query('UPDATE inkling."BudgetLedger" SET "amountUsd" = 0')).rejects.toThrow('append-only')
    await expect(database.query('DELETE FROM inkling."BudgetLedger"')).rejects.toThrow('append-only')
  })

  it('add up usage by day and target, of the own tenant only', async () => {
    const viewer = viewerOf('charted', 'charts')
    for (const [target, day] of [
      ['small', '2026-11-20'],
      ['small', '2026-11-21'],
      ['large', '2026-11-21'],
      ['large', '2026-11-21'],
    ] as const) {
      now = new Date(`${day}T10:00:00Z`)
      const call = await budgets.reserve(account(viewer), target, 0.1)
      await call.settle(0.01, { inputTokens: 10, cachedInputTokens: 4, outputTokens: 3 }, 'COMPLETE')
    }
    const range = { from: new Date('2026-11-01'), to: new Date('2026-12-01') }
    expect(await readUsage(database, viewer, { groupBy: ['DAY', 'TARGET'], ...range })).toEqual([
      { key: ['2026-11-20', 'small'], calls: 1, inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, costUsd: 0.01 },
      { key: ['2026-11-21', 'large'], calls: 2, inputTokens: 20, cachedInputTokens: 8, outputTokens: 6, costUsd: 0.02 },
      { key: ['2026-11-21', 'small'], calls: 1, inputTokens: 10, cachedInputTokens: 4, outputTokens: 3, costUsd: 0.01 },
    ])
    expect(await readUsage(database, viewerOf('other', 'elsewhere'), { groupBy: ['DAY'], ...range })).toEqual([])
  })
})
