import { type ColumnShape, isMoment, isNumber, isZoned, type ModelShape } from './datamodel.ts'
import type { Spot } from './spot.ts'
import type { Statement } from './statement.ts'

const COMPARISONS = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const

/** Conditions on the columns of one row as SQL. Values become parameters, never text. */
export function compileWhere(
  statement: Statement,
  spot: Spot,
  shape: ModelShape,
  alias: string,
  where: Readonly<Record<string, unknown>> = {},
): string[] {
  return Object.entries(where).flatMap(([name, condition]) => {
    const { column, sql } = statement.columnOf(spot, shape, alias, name)
    const type = typeOf(spot, name, column)
    const left = type === 'text' ? `${sql}::text` : sql
    const value = (given: unknown) => statement.parameter(textOf(spot, name, column, given), type)
    if (condition === undefined) throw undefinedValue(spot, name)
    if (condition === null) return [`${sql} IS NULL`]
    if (!isConditions(condition)) return [`${left} = ${value(condition)}`]
    const entries = Object.entries(condition)
    if (entries.length === 0) throw spot.fault(`the condition on "${name}" is empty`, 'Leave it out or give a value.')
    return entries.map(([operator, given]) => {
      if (given === undefined) throw undefinedValue(spot, `${name}.${operator}`)
      if (operator === 'not') return given === null ? `${sql} IS NOT NULL` : `${left} <> ${value(given)}`
      if (operator === 'in') {
        if (!Array.isArray(given)) throw spot.fault(`"${name}.in" is not a list`, 'Give an array of values.')
        const texts = given.map((one) => textOf(spot, name, column, one))
        return `${left} = ANY(${statement.parameter(texts, `${type}[]`)})`
      }
      const comparison = Object.hasOwn(COMPARISONS, operator) ? COMPARISONS[operator as 'gt'] : undefined
      if (!comparison)
        throw spot.fault(
          `"${operator}" is no condition on "${name}"`,
          'Use in, not, gt, gte, lt or lte, or a plain value.',
        )
      if (!isNumber(column) && !isMoment(column))
        throw spot.fault(`"${name}" has no order to compare by`, 'Use in or not.')
      return `${sql} ${comparison} ${value(given)}`
    })
  })
}

const undefinedValue = (spot: Spot, name: string) =>
  spot.fault(
    `the condition on "${name}" is undefined, which would let every row through`,
    'Give a value or leave it out.',
  )

function isConditions(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype
}

/** The PostgreSQL type that a parameter for this column has. Enums and ids are compared as text. */
function typeOf(spot: Spot, name: string, column: ColumnShape): string {
  if (isNumber(column)) return column.type === 'Float' ? 'float8' : 'numeric'
  if (isMoment(column)) return isZoned(column) ? 'timestamptz' : 'timestamp'
  if (column.type === 'Boolean') return 'boolean'
  if (column.type === 'String' || column.kind === 'enum') return 'text'
  throw spot.fault(`"${name}" is of type ${column.type}, which cannot be compared`, 'Use another column or own SQL.')
}

function textOf(spot: Spot, name: string, column: ColumnShape, value: unknown): string {
  const refuse = () =>
    spot.fault(
      `${String(value)} is no value for "${name}" of type ${column.type}`,
      'Give a value of the column’s type.',
    )
  if (isMoment(column)) {
    if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw refuse()
    return value.toISOString()
  }
  if (column.type === 'Boolean') {
    if (typeof value !== 'boolean') throw refuse()
    return String(value)
  }
  if (isNumber(column)) {
    const text = typeof value === 'object' && value !== null ? value.toString() : String(value)
    if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text)) throw refuse()
    return text
  }
  if (typeof value !== 'string' || value.includes('\0')) throw refuse()
  return value
}
