import { GraphQLError, GraphQLScalarType, Kind } from 'graphql'
import { versionSelectorScalar } from './prediction/version-selector.ts'

function badInput(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

/** Years that PostgreSQL and JavaScript both hold without surprises. */
const EARLIEST = Date.UTC(1900, 0, 1)
const LATEST = Date.UTC(2200, 0, 1)
const PATTERN = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/

function parseDateTime(value: unknown): Date {
  if (typeof value !== 'string' || !PATTERN.test(value))
    throw badInput('A DateTime is an ISO 8601 text such as "2026-03-01T12:00:00Z" or "2026-03-01".')
  const date = new Date(value)
  const time = date.getTime()
  // A day such as 2026-02-31 rolls over silently in JavaScript.
  const isRolledOver =
    Number(value.slice(8, 10)) > new Date(Date.UTC(+value.slice(0, 4), +value.slice(5, 7), 0)).getUTCDate()
  if (Number.isNaN(time) || isRolledOver || time < EARLIEST || time >= LATEST)
    throw badInput('A DateTime lies between 1900 and 2200 and is a real day.')
  return date
}

export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment, ISO 8601 with a time zone, such as "2026-03-01T12:00:00.000Z".',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
})

export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  description: 'Any JSON value. Only given out, never taken.',
  serialize: (value) => value,
  parseValue: () => {
    throw badInput('JSON is only given out.')
  },
  parseLiteral: () => {
    throw badInput('JSON is only given out.')
  },
})

/** The scalars that may be sent, for who reads values without a subgraph's schema. */
export const scalars: readonly GraphQLScalarType[] = [dateTimeScalar, jsonScalar, versionSelectorScalar]
