import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'

/** What usage can be added up by. A dimension is one line here: the SQL that names it. */
const dimensions = {
  HOUR: `to_char(date_trunc('hour', l.at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`,
  DAY: `to_char(date_trunc('day', l.at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD')`,
  MONTH: `to_char(date_trunc('month', l.at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM')`,
  VIEWER: 'l."viewerId"',
  PROMPT: 'l.prompt',
  TARGET: 'l.target',
} as const

export type UsageDimension = keyof typeof dimensions

/** Sums of the calls of one group; a call is one attempt at one target. */
export interface UsageGroup {
  /** One value per dimension asked for, in its order. */
  readonly key: readonly string[]
  readonly calls: number
  readonly inputTokens: number
  readonly cachedInputTokens: number
  readonly outputTokens: number
  readonly costUsd: number
}

export const MOST_GROUPS = 1000

/** What the viewer's tenant used in [from, to), by group, in the order of the keys; 1,000 groups at most. Throws BAD_USER_INPUT. */
export async function readUsage(
  database: Database,
  viewer: Viewer,
  { groupBy, from, to }: { readonly groupBy: readonly UsageDimension[]; readonly from: Date; readonly to: Date },
): Promise<UsageGroup[]> {
  if (groupBy.length === 0 || groupBy.length > 3 || new Set(groupBy).size < groupBy.length) {
    throw new InklingError(
      'BAD_USER_INPUT',
      'groupBy names one to three different dimensions.',
      'For example [DAY, TARGET].',
    )
  }
  if (from >= to) throw new InklingError('BAD_USER_INPUT', 'from must lie before to.', 'Exchange them.')
  const columns = groupBy.map((dimension) => dimensions[dimension])
  const { rows } = await database.query<Record<string, string> & { key: string[] }>(
    `SELECT ARRAY[${columns.join(', ')}] AS key, count(*) AS calls, sum(l."inputTokens") AS input,
            sum(l."cachedInputTokens") AS cached, sum(l."outputTokens") AS output, sum(l."amountUsd") AS cost
       FROM inkling."BudgetLedger" l
      WHERE l.tenant = $1 AND l.entry = 'SETTLED' AND l.at >= $2 AND l.at < $3
      GROUP BY 1 ORDER BY 1 LIMIT ${MOST_GROUPS}`,
    [viewer.tenant, from, to],
  )
  return rows.map((row) => ({
    key: row.key,
    calls: Number(row.calls),
    inputTokens: Number(row.input),
    cachedInputTokens: Number(row.cached),
    outputTokens: Number(row.output),
    costUsd: Number(row.cost),
  }))
}
