// Setting an estimate aside and settling what was used, on PostgreSQL with a ledger of many rows and six budgets that apply to every call:
// the installation's day and month, the team's day and month, each viewer's day, the prompt's hour. Alone, and eight callers at once, who
// wait for each other's row locks.
// Usage: node bench/llm/budget.ts [ledger rows=100000] [calls=2000]
import { createBudgets } from '../../llm/budget.ts'
import { openBenchDatabase, printMachine, printRow, quantile, timeRuns } from '../scores/stand.ts'

const rows = Number(process.argv[2] ?? 100_000)
const calls = Number(process.argv[3] ?? 2_000)
const VIEWERS = 100
const AT_ONCE = 8
const { database, end } = await openBenchDatabase()
const budgets = createBudgets({ database })
const viewer = { id: 'operator', tenant: 'default', scopes: ['admin'] }
for (const [scope, period, subject] of [
  ['GLOBAL', 'DAY', ''],
  ['GLOBAL', 'MONTH', ''],
  ['TEAM', 'DAY', ''],
  ['TEAM', 'MONTH', ''],
  ['VIEWER', 'DAY', ''],
  ['PROMPT', 'HOUR', 'summary'],
] as const)
  await budgets.set({ scope, period, subject, limitUsd: 1_000_000 }, viewer)

/** A ledger as it is after that many calls of some months: each has two rows. */
await database.query(
  `INSERT INTO inkling."BudgetLedger" ("reservationId", entry, at, tenant, "viewerId", prompt, "completionId", target, "amountUsd", outcome)
   SELECT md5(n::text)::uuid, (ARRAY['RESERVED', 'SETTLED'])[e]::inkling."BudgetEntry", now() - n * interval '1 minute', 'default',
          'viewer-' || n % ${VIEWERS}, 'summary', 'c' || n, 'target', 0.01, (ARRAY['OPEN', 'COMPLETE'])[e]
     FROM generate_series(1, $1::int / 2) n, generate_series(1, 2) e`,
  [rows],
)
await database.query('VACUUM ANALYZE')

const usage = { inputTokens: 1_000, cachedInputTokens: 0, outputTokens: 300 }
async function call(number: number): Promise<void> {
  const asker = { id: `viewer-${number % VIEWERS}`, tenant: 'default', scopes: [] }
  const account = { viewer: asker, prompt: 'summary', completionId: `bench-${number}` }
  const reservation = await budgets.reserve(account, 'target', 0.02)
  await reservation.settle(0.01, usage, 'COMPLETE')
}
const show = (what: string, times: readonly number[]) =>
  printRow([what, quantile(times, 0.5), quantile(times, 0.95), quantile(times, 0.99)])

printMachine()
printRow([`${rows} ledger rows, six budgets; milliseconds`, 'p50', 'p95', 'p99'])
show('one round trip to the database', await timeRuns(calls, () => database.query('SELECT 1')))
show('reserve + settle, one after the other', await timeRuns(calls, call))
const callers = Array.from({ length: AT_ONCE }, () => timeRuns(Math.ceil(calls / AT_ONCE), call))
show(
  `reserve + settle, ${AT_ONCE} callers at once`,
  (await Promise.all(callers)).flat().sort((a, b) => a - b),
)
const { rows: spent } = await database.query<{ usd: string }>(
  'SELECT max("spentUsd") AS usd FROM inkling."BudgetWindow"',
)
if (Number(spent[0]!.usd) <= 0) throw new Error('nothing was charged')
printMachine()
await end()
