import { GraphQLError } from 'graphql'
import type { IdFilter, RangeFilter, TextFilter } from '../../../schema/filters.ts'
import type { Condition, Relation } from './relation.ts'
import type { SqlType, Statement } from './statement.ts'

const MOST_VALUES = 1000

export function byText(column: string, says: string): Condition {
  return {
    takes: 'text',
    says,
    sql: (filter: TextFilter, statement) =>
      all(exactly(`c."${column}"`, filter, statement), [
        filter.contains == null ? null : like(column, `%${escaped(filter.contains)}%`, statement),
        filter.startsWith == null ? null : like(column, `${escaped(filter.startsWith)}%`, statement),
      ]),
  }
}

export function byId(column: string, says: string): Condition {
  return {
    takes: 'id',
    says,
    sql: (filter: IdFilter, statement) => all(exactly(`c."${column}"`, filter, statement)),
  }
}

export function byNumber(column: string, says: string): Condition {
  return {
    takes: 'number',
    says,
    sql: (filter: RangeFilter<number>, statement) => within(`c."${column}"`, 'float8', filter, statement),
  }
}

export function byMoment(column: string, says: string): Condition {
  return {
    takes: 'moment',
    says,
    sql: (filter: RangeFilter<Date>, statement) => within(`c."${column}"`, 'timestamptz', filter, statement),
  }
}

/** Days without a time: a moment means its UTC day. */
export function byDay(column: string, says: string): Condition {
  return {
    takes: 'moment',
    says,
    sql: (filter: RangeFilter<Date>, statement) =>
      within(`c."${column}"::timestamp AT TIME ZONE 'UTC'`, 'timestamptz', filter, statement),
  }
}

export function byEnum(column: string, enumName: string, says: string): Condition {
  return {
    takes: { enum: enumName },
    says,
    sql: (value: string, statement) => `c."${column}"::text = ${statement.bind(value, 'text')}`,
  }
}

/** True or false as the predicate says; a predicate that is neither counts as false. */
export function byFlag(predicate: (statement: Statement, now: Date) => string, says: string): Condition {
  return {
    takes: 'Boolean',
    says,
    sql: (value: boolean, statement, now) => `(${predicate(statement, now)}) IS ${value ? 'TRUE' : 'NOT TRUE'}`,
  }
}

/** Rows linked to the row of another table that has this key. */
export function byLink(predicate: (placeholder: string) => string, says: string): Condition {
  return { takes: 'ID', says, sql: (value: string, statement) => predicate(statement.bind(value, 'text')) }
}

/** The SQL of a `where` argument; conditions that are null or absent are not asked. */
export function conditionsOf(
  relation: Relation,
  where: Readonly<Record<string, unknown>> | null | undefined,
  statement: Statement,
  now: Date,
): string[] {
  return Object.entries(where ?? {}).flatMap(([name, value]) => {
    const condition = Object.hasOwn(relation.conditions, name) ? relation.conditions[name] : undefined
    return condition && value != null ? [condition.sql(value as never, statement, now)] : []
  })
}

function exactly(sql: string, filter: IdFilter, statement: Statement): (string | null)[] {
  if (filter.in && filter.in.length > MOST_VALUES)
    throw new GraphQLError(`in takes ${MOST_VALUES} values at most, not ${filter.in.length}.`, {
      extensions: { code: 'BAD_USER_INPUT', hint: 'Ask in several requests.' },
    })
  return [
    filter.equals == null ? null : `${sql} = ${statement.bind(filter.equals, 'text')}`,
    filter.in == null ? null : `${sql} = ANY(${statement.bind(filter.in, 'text[]')})`,
  ]
}

function within(sql: string, type: SqlType, filter: RangeFilter<unknown>, statement: Statement): string {
  const compare = (operator: string, value: unknown) =>
    value == null ? null : `${sql} ${operator} ${statement.bind(value, type)}`
  return all([compare('>=', filter.gte), compare('>', filter.gt), compare('<=', filter.lte), compare('<', filter.lt)])
}

function like(column: string, pattern: string, statement: Statement): string {
  return `c."${column}" ILIKE ${statement.bind(pattern, 'text')}`
}

function escaped(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}

function all(...groups: readonly (readonly (string | null)[])[]): string {
  const asked = groups.flat().filter((sql) => sql !== null)
  return asked.length > 0 ? asked.join(' AND ') : 'true'
}
