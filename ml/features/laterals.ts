import { quote } from './datamodel.ts'
import type { ListScope } from './reading.ts'
import { compileRows, type RowScope } from './rows.ts'
import type { Spot } from './spot.ts'
import type { JoinedList, LateJoin, Statement } from './statement.ts'

interface Totals extends LateJoin {
  add(aggregate: string, window: RowScope['window']): string
}

/**
 * An aggregate over a list's rows. Aggregates over the same rows share one LATERAL scan, whatever their windows and filters:
 * ten features of attempts read the attempts once. Returns the SQL of the value.
 */
export function compileAggregate(
  statement: Statement,
  spot: Spot,
  list: JoinedList,
  scope: ListScope,
  aggregateOf: (rows: RowScope) => string,
): string {
  const rows = compileRows(statement, spot, list, scope)
  const conditions = [...(rows.window ? [rows.window.sql] : []), ...rows.where]
  const filter = conditions.length > 0 ? ` FILTER (WHERE ${conditions.join(' AND ')})` : ''
  const totals = statement.join(`total ${list.from} ${rows.known.join(' AND ')}`, (alias) =>
    createTotals(alias, list, rows),
  )
  return `${totals.alias}.${quote(totals.add(aggregateOf(rows) + filter, rows.window))}`
}

function createTotals(alias: string, list: JoinedList, rows: RowScope): Totals {
  const columns: string[] = []
  let widest: RowScope['window'] = { sql: '', hours: 0 }
  return {
    alias,
    add(aggregate, window) {
      if (!window) widest = null
      else if (widest && window.hours > widest.hours) widest = window
      const known = columns.indexOf(aggregate)
      if (known >= 0) return `a${known}`
      columns.push(aggregate)
      return `a${columns.length - 1}`
    },
    toSql() {
      const selected = columns.map((sql, index) => `${sql} AS "a${index}"`).join(', ')
      const conditions = [...rows.known, ...(widest ? [widest.sql] : [])].join(' AND ')
      return `LEFT JOIN LATERAL (SELECT ${selected} ${list.from} WHERE ${conditions}) ${alias} ON true`
    },
  }
}

interface Latest extends LateJoin {
  add(column: string): string
}

/** A column of the latest row that is known; ties in time are broken by the row's key. `present` skips rows without a value. */
export function compileLatest(
  statement: Statement,
  spot: Spot,
  list: JoinedList,
  scope: ListScope,
  column: string,
  { present }: { present: boolean },
): string {
  const rows = compileRows(statement, spot, list, scope)
  if (!rows.time)
    throw spot.fault(
      'rows without a time have no latest one',
      'Give `at` for events, or `validFrom` and `validTo` for periods.',
    )
  const value = statement.columnOf(spot, list.shape, 't', column).sql
  const conditions = [...rows.known, ...(rows.window ? [rows.window.sql] : []), ...rows.where]
  if (present) conditions.push(`${value} IS NOT NULL`)
  const key = list.shape.key.map((name) => `${statement.columnOf(spot, list.shape, 't', name).sql} DESC`)
  const tail = `${list.from} WHERE ${conditions.join(' AND ')} ORDER BY ${[`${rows.time.sql} DESC`, ...key].join(', ')} LIMIT 1`
  const latest = statement.join(`latest ${tail}`, (alias) => createLatest(alias, tail))
  return `${latest.alias}.${quote(latest.add(value))}`
}

function createLatest(alias: string, tail: string): Latest {
  const columns: string[] = []
  return {
    alias,
    add(column) {
      if (!columns.includes(column)) columns.push(column)
      return `v${columns.indexOf(column)}`
    },
    toSql: () =>
      `LEFT JOIN LATERAL (SELECT ${columns.map((sql, index) => `${sql} AS "v${index}"`).join(', ')} ${tail}) ${alias} ON true`,
  }
}
