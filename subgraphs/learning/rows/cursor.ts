import { GraphQLError } from 'graphql'
import type { SqlType } from './statement.ts'

/** A place in one order of one list: what the row there is sorted by. It survives the deletion of that row. */
export function writeCursor(order: string, values: readonly unknown[]): string {
  return Buffer.from(JSON.stringify([order, ...values])).toString('base64url')
}

/** The values behind a cursor. Throws BAD_USER_INPUT when it was made for another list or order, or by someone else. */
export function readCursor(cursor: string, order: string, types: readonly SqlType[]): unknown[] {
  const [madeFor, ...values] = parse(cursor)
  if (madeFor !== order || values.length !== types.length) throw foreign()
  if (!types.every((type, place) => isOf(type, values[place]))) throw foreign()
  return values
}

function parse(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Array.isArray(parsed)) return parsed
  } catch {
    // Not JSON: said below.
  }
  throw foreign()
}

function isOf(type: SqlType, value: unknown): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string' && !value.includes('\0') && value.isWellFormed()
    case 'boolean':
      return typeof value === 'boolean'
    case 'int':
      return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31
    case 'float8':
      return typeof value === 'number' && Number.isFinite(value)
    case 'timestamptz':
    case 'date':
      return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(value) && !Number.isNaN(Date.parse(value))
    case 'text[]':
      return false
  }
}

function foreign(): GraphQLError {
  return new GraphQLError('This cursor does not belong to this list and order.', {
    extensions: { code: 'BAD_USER_INPUT', hint: 'Pass a cursor that the same field gave out under the same orderBy.' },
  })
}
