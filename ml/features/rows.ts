import { type ColumnShape, isMoment } from './datamodel.ts'
import { type Duration, hoursOf, type ListScope } from './reading.ts'
import type { Spot } from './spot.ts'
import type { JoinedList, Statement } from './statement.ts'
import { compileWhere } from './where.ts'

/** Which rows "t" of a list a feature sees. */
export interface RowScope {
  /** What every row must satisfy: it belongs to the entity and is known at the moment. */
  readonly known: readonly string[]
  /** The window back from the moment. */
  readonly window: { readonly sql: string; readonly hours: number } | null
  readonly where: readonly string[]
  /** The column that orders rows in time; null where they have no time. */
  readonly time: { readonly sql: string; readonly column: ColumnShape; readonly moment: string } | null
}

/** An exact number of seconds: intervals of days would depend on the session's time zone. */
export function intervalOf(spot: Spot, duration: Duration, name: string): string {
  const hours = hoursOf(duration)
  if (!Number.isFinite(hours) || hours <= 0 || hours > MOST_HOURS)
    throw spot.fault(`${name} is ${hours / 24} days`, 'Give a number of days above 0 and up to 36,500.')
  return `interval '${(hours * 3600).toFixed(3)} seconds'`
}

const MOST_HOURS = 36_500 * 24

/** Known are events at or before the moment, and rows valid at it: from <= moment, and no end or moment < end. */
export function compileRows(statement: Statement, spot: Spot, list: JoinedList, scope: ListScope): RowScope {
  const ties = [...list.ties, ...matchingOf(statement, spot, list, scope)]
  const where = compileWhere(statement, spot, list.shape, 't', scope.where)
  if (scope.at !== undefined) {
    const { sql, column } = dateOf(statement, spot, list, scope.at)
    const moment = statement.momentFor(column)
    const seen = scope.lasts ? `${moment} - ${intervalOf(spot, scope.lasts, 'lasts')}` : moment
    const window =
      scope.days === undefined
        ? null
        : { sql: `${sql} > ${moment} - ${intervalOf(spot, { days: scope.days }, 'days')}`, hours: scope.days * 24 }
    return { known: [...ties, `${sql} <= ${seen}`], window, where, time: { sql, column, moment } }
  }
  if (scope.days !== undefined)
    throw spot.fault(
      '`days` counts back over events, and `at` is missing',
      'Name the column that says when a row happened.',
    )
  if (scope.validFrom !== undefined) {
    const { sql, column } = dateOf(statement, spot, list, scope.validFrom)
    const valid = validityOf(statement, spot, list, scope)
    return {
      known: [...ties, ...valid],
      window: null,
      where,
      time: { sql, column, moment: statement.momentFor(column) },
    }
  }
  if (scope.immutable === true) return { known: ties, window: null, where, time: null }
  throw spot.fault(
    `nothing says when a row of ${list.shape.table} became known`,
    'Give `at` for events, `validFrom` and `validTo` for periods, or `immutable: true` for rows that never come, go or change.',
  )
}

function validityOf(statement: Statement, spot: Spot, list: JoinedList, scope: ListScope): string[] {
  return compileValidity(statement, spot, (name) => dateOf(statement, spot, list, name), scope)
}

/** validFrom <= moment, and validTo empty or after it. */
export function compileValidity(
  statement: Statement,
  spot: Spot,
  columnOf: (name: string) => { sql: string; column: ColumnShape },
  { validFrom, validTo }: ListScope,
): string[] {
  if (validFrom === undefined) throw spot.fault('validFrom is missing', 'Name the column in which a period starts.')
  const from = columnOf(validFrom)
  const started = `${from.sql} <= ${statement.momentFor(from.column)}`
  if (validTo === undefined) return [started]
  const to = columnOf(validTo)
  return [started, `(${to.sql} IS NULL OR ${to.sql} > ${statement.momentFor(to.column)})`]
}

function matchingOf(statement: Statement, spot: Spot, list: JoinedList, { matching = [] }: ListScope): string[] {
  return matching.map((name) => {
    const row = statement.columnOf(spot, list.shape, 't', name).sql
    return `${row} = ${statement.columnOf(spot, statement.root.shape, statement.root.alias, name).sql}`
  })
}

function dateOf(statement: Statement, spot: Spot, list: JoinedList, name: string) {
  const found = statement.columnOf(spot, list.shape, 't', name)
  if (!isMoment(found.column))
    throw spot.fault(
      `"${name}" of ${list.shape.table} is of type ${found.column.type}, not DateTime`,
      'Name a date column.',
    )
  return found
}
