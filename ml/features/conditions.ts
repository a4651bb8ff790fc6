import { isMoment } from './datamodel.ts'
import { type Condition, hoursOf, type LabelDefinition, type ListScope } from './reading.ts'
import { compileRows, compileValidity, intervalOf } from './rows.ts'
import type { Spot } from './spot.ts'
import type { JoinedList, Statement } from './statement.ts'
import { compileWhere } from './where.ts'

/** A condition as SQL that is true or false, never null. */
export function compileCondition(statement: Statement, spot: Spot, condition: Condition): string {
  switch (condition.form) {
    case 'holds':
      return compileHolds(statement, spot, condition.path, condition.scope)
    case 'happened':
      return compileHappened(statement, spot, condition.path, condition.scope)
    case 'matches': {
      if (!condition.immutable)
        throw spot.fault(
          'matches reads plain columns, and an earlier value of one that changes is gone',
          'Declare them with { immutable: true } if they never change.',
        )
      return always(compileWhere(statement, spot, statement.root.shape, statement.root.alias, condition.where))
    }
    case 'not':
      return `NOT ${compileCondition(statement, spot, condition.of)}`
    default: {
      if (condition.of.length === 0) throw spot.fault(`${condition.form}() has no conditions`, 'Give at least one.')
      const parts = condition.of.map((part) => compileCondition(statement, spot, part))
      return `(${parts.join(condition.form === 'all' ? ' AND ' : ' OR ')})`
    }
  }
}

/** 1 when it happens after the moment and at most `within` later, else 0. */
export function compileLabel(statement: Statement, spot: Spot, { path, within, scope }: LabelDefinition): string {
  const interval = intervalOf(spot, within, 'within')
  const { list, sql, moment } = dateAt(statement, spot, path)
  const happens = [`${sql} > ${moment}`, `${sql} <= ${moment} + ${interval}`]
  return `${list ? exists(statement, spot, list, scope, happens) : always(happens)}::int`
}

export const windowOf = (label: LabelDefinition) => hoursOf(label.within) * 3_600_000

function compileHolds(statement: Statement, spot: Spot, path: string, scope: ListScope): string {
  const end = statement.follow(spot, path)
  if (end.form === 'column') throw spot.fault(`"${path}" is a column`, 'Name a relation, or leave the path out.')
  if (end.form === 'list') {
    const rows = compileRows(statement, spot, end.list, scope)
    return `EXISTS (SELECT 1 ${end.list.from} WHERE ${[...rows.known, ...rows.where].join(' AND ')})`
  }
  const { alias, shape } = end.place
  const valid = compileValidity(
    statement,
    spot,
    (name) => {
      const found = statement.columnOf(spot, shape, alias, name)
      if (!isMoment(found.column)) throw spot.fault(`"${name}" is of type ${found.column.type}`, 'Name a date column.')
      return found
    },
    scope,
  )
  return always([...valid, ...compileWhere(statement, spot, shape, alias, scope.where)])
}

function compileHappened(statement: Statement, spot: Spot, path: string, scope: ListScope): string {
  const { list, sql, moment } = dateAt(statement, spot, path)
  const happened = [`${sql} <= ${moment}`]
  if (scope.days !== undefined) happened.push(`${sql} > ${moment} - ${intervalOf(spot, { days: scope.days }, 'days')}`)
  return list ? exists(statement, spot, list, scope, happened) : always(happened)
}

function exists(statement: Statement, spot: Spot, list: JoinedList, scope: ListScope, conditions: string[]): string {
  const { where, matching } = scope
  const filter = { ...(where ? { where } : {}), ...(matching ? { matching } : {}), immutable: true }
  const rows = compileRows(statement, spot, list, filter) // the time is in `conditions`
  return `EXISTS (SELECT 1 ${list.from} WHERE ${[...rows.known, ...rows.where, ...conditions].join(' AND ')})`
}

function dateAt(statement: Statement, spot: Spot, path: string) {
  const end = statement.follow(spot, path)
  const column = end.form === 'one' ? undefined : end.column
  if (!column)
    throw spot.fault(`"${path}" is a relation, not a date`, 'Go on to its date column, as in "cancellations.at".')
  if (!isMoment(column)) throw spot.fault(`"${path}" is of type ${column.type}, not DateTime`, 'Name a date column.')
  const moment = statement.momentFor(column)
  if (end.form === 'column') return { list: null, sql: end.sql, moment }
  const { list } = end as Extract<typeof end, { form: 'list' }>
  const name = path.slice(path.lastIndexOf('.') + 1)
  return { list, sql: statement.columnOf(spot, list.shape, 't', name).sql, moment }
}

const always = (conditions: readonly string[]) =>
  conditions.length === 0 ? 'true' : `COALESCE(${conditions.join(' AND ')}, false)`
