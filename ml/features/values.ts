import { type ColumnShape, isCategory, isMoment, isNumber } from './datamodel.ts'
import { compileAggregate, compileLatest } from './laterals.ts'
import type { FeatureSpec, FeatureValue } from './model.ts'
import { hoursOf, type Reading } from './reading.ts'
import type { RowScope } from './rows.ts'
import type { Spot } from './spot.ts'
import type { Statement } from './statement.ts'

type Kind = FeatureSpec['kind']
type Form<F extends Reading['form']> = Extract<Reading, { form: F }>

const DAY = 86_400
const LONGEST_CATEGORY = 256

/** A reading as one SQL value: float8 for numbers, text for categories. */
export function compileValue(
  statement: Statement,
  spot: Spot,
  reading: Exclude<Reading, { form: 'select' }>,
  kind: Kind,
): string {
  switch (reading.form) {
    case 'path':
      return compilePath(statement, spot, reading, kind)
    case 'aggregate':
      return compileTotal(statement, spot, reading)
    case 'last': {
      const list = listOf(statement, spot, reading.list)
      const column = numberOf(statement, spot, list.shape, reading.column).column
      return castOf(
        column,
        compileLatest(statement, spot, list, reading.scope, reading.column, { present: true }),
        'number',
      )
    }
    case 'sinceEvent': {
      const list = listOf(statement, spot, reading.list)
      let moment = ''
      const latest = compileAggregate(statement, spot, list, reading.scope, ({ time }) => {
        moment = time!.moment
        return `max(${time!.sql})`
      })
      const seconds = `extract(epoch FROM ${moment} - ${latest})`
      const { lasts } = reading.scope
      if (!lasts) return `(${seconds} / ${DAY})::float8`
      // A row of a whole day says nothing of hours: the same number at midnight, where training looks from, and in the evening.
      const span = (hoursOf(lasts) * 3600).toFixed(3)
      return `(floor(${seconds} / ${span}) * ${span} / ${DAY})::float8`
    }
    case 'sinceColumn':
    case 'untilColumn':
      return compileDays(statement, spot, reading)
    case 'ratio': {
      const [of, to] = [reading.of, reading.to].map((part) => {
        if (part.form === 'select') throw spot.fault('a ratio cannot be of `f.from`', 'Divide in the function itself.')
        return compileValue(statement, spot, part, 'number')
      })
      return `(${of} / NULLIF(${to}, 0))`
    }
  }
}

function compilePath(statement: Statement, spot: Spot, { path, scope }: Form<'path'>, kind: Kind): string {
  const end = statement.follow(spot, path)
  if (end.form === 'one' || (end.form === 'list' && !end.column))
    throw spot.fault(`"${path}" is a relation, not a column`, 'Go on to one of its columns.')
  if (end.form === 'list') {
    checkKind(spot, path, end.column!, kind)
    const name = path.slice(path.lastIndexOf('.') + 1)
    const present = scope.at !== undefined
    return castOf(end.column!, compileLatest(statement, spot, end.list, scope, name, { present }), kind)
  }
  checkKind(spot, path, end.column, kind)
  if (scope.immutable !== true)
    throw spot.fault(
      `"${path}" is a plain column, and yesterday's value of a column that changes is gone`,
      'Declare it with immutable: true if it never changes; else read it from events (at) or periods (validFrom, validTo).',
    )
  const value = castOf(end.column, end.sql, kind)
  if (scope.knownFrom === undefined) return value
  const known = dateAt(statement, spot, scope.knownFrom)
  return `CASE WHEN ${known.sql} <= ${statement.momentFor(known.column)} THEN ${value} END`
}

function compileTotal(statement: Statement, spot: Spot, { list: path, by, column, scope }: Form<'aggregate'>): string {
  const list = listOf(statement, spot, path)
  if (by === 'count') return `${compileAggregate(statement, spot, list, scope, () => 'count(*)')}::float8`
  const found = numberOf(statement, spot, list.shape, column!)
  // Decimal sums do not depend on the order of the rows, so that a moved row never changes the last bit.
  const exact = found.column.type === 'Boolean' ? `${found.sql}::int::numeric` : `${found.sql}::numeric`
  const aggregateOf = (_: RowScope) => `${by}(${exact})`
  const total = compileAggregate(statement, spot, list, scope, aggregateOf)
  return by === 'sum' ? `COALESCE(${total}, 0)::float8` : `${total}::float8`
}

function compileDays(statement: Statement, spot: Spot, reading: Form<'sinceColumn' | 'untilColumn'>): string {
  const { sql, column } = dateAt(statement, spot, reading.path)
  if (!reading.immutable)
    throw spot.fault(
      `"${reading.path}" is a plain date, and an earlier value of one that changes is gone`,
      'Declare it with immutable: true if it is written once; else count from events: daysSince(list, at).',
    )
  const moment = statement.momentFor(column)
  const days = (from: string, to: string) => `(extract(epoch FROM ${to} - ${from}) / ${DAY})::float8`
  if (reading.form === 'untilColumn') return days(moment, `${sql}::timestamp${zoneOf(moment)}`)
  return `CASE WHEN ${sql} <= ${moment} THEN ${days(`${sql}::timestamp${zoneOf(moment)}`, moment)} END`
}

/** A date column is brought to the moment's type, so that the difference is an interval. */
const zoneOf = (moment: string) => (moment === 'p."at"' ? 'tz' : '')

function dateAt(statement: Statement, spot: Spot, path: string): { sql: string; column: ColumnShape } {
  const end = statement.follow(spot, path)
  if (end.form !== 'column') throw spot.fault(`"${path}" is no plain column`, 'Name a date column of the entity.')
  if (!isMoment(end.column))
    throw spot.fault(`"${path}" is of type ${end.column.type}, not DateTime`, 'Name a date column.')
  return end
}

function listOf(statement: Statement, spot: Spot, path: string) {
  const end = statement.follow(spot, path)
  if (end.form !== 'list' || end.column) throw spot.fault(`"${path}" is no list`, 'Name a relation to many rows.')
  return end.list
}

function numberOf(statement: Statement, spot: Spot, shape: Parameters<Statement['columnOf']>[1], name: string) {
  const found = statement.columnOf(spot, shape, 't', name)
  checkKind(spot, name, found.column, 'number')
  return found
}

function checkKind(spot: Spot, name: string, column: ColumnShape, kind: Kind): void {
  const fits = kind === 'number' ? isNumber(column) || column.type === 'Boolean' : isCategory(column)
  if (!fits)
    throw spot.fault(`"${name}" of type ${column.type} is no ${kind}`, 'Use f.category for texts, daysSince for dates.')
}

function castOf(column: ColumnShape, sql: string, kind: Kind): string {
  if (kind === 'category') return `left(${sql}::text, ${LONGEST_CATEGORY})`
  return column.type === 'Boolean' ? `${sql}::int::float8` : `${sql}::float8`
}

/** A value as the database client returned it. What is not finite counts as missing; a boolean is 0 or 1. */
export function toFeatureValue(value: unknown, kind: Kind): FeatureValue | undefined {
  if (value === null || value === undefined) return null
  if (kind === 'category')
    return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : undefined
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'number' || typeof value === 'bigint' || isDecimal(value)) {
    const number = Number(value)
    return Number.isFinite(number) ? number : null
  }
  return undefined
}

const isDecimal = (value: unknown) =>
  typeof value === 'object' && value !== null && 'toFixed' in value && typeof value.toFixed === 'function'
