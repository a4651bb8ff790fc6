import type PrismaTypes from '../../../prisma/learning/generated/pothos.ts'
import type { SqlType, Statement } from './statement.ts'

/** An expression over the alias `c`. Text constants of this folder only: nothing that a client wrote gets into it. */
export interface Column {
  readonly sql: string
  readonly type: SqlType
  readonly isNullable: boolean
}

/** One value of an `orderBy` enum. */
export interface Order {
  readonly columns: readonly Column[]
  readonly isDescending: boolean
  readonly says: string
}

/** One field of a `where` input: the GraphQL type it takes and the SQL it becomes. */
export interface Condition {
  readonly takes: 'text' | 'id' | 'number' | 'moment' | 'Boolean' | 'ID' | { readonly enum: string }
  readonly says: string
  readonly sql: (value: never, statement: Statement, now: Date) => string
}

/** Rows that a list pages through: where they come from, and what a client may sort and filter by. */
export interface Relation {
  /** Whose rows they are. */
  readonly model: keyof PrismaTypes & string
  /** Name of the GraphQL type of its rows; `<name>Where` and `<name>Order` are made from it. */
  readonly name: string
  /** What stands after FROM. The columns of the key must be among its columns. */
  readonly from: (statement: Statement, now: Date) => string
  /** The same rows with their keys alone, for counting all of them; given where `from` computes much. */
  readonly fromKeys?: () => string
  /** Whether a row belongs to the tenant behind a placeholder. For lists at the root: what lies below a row belongs to its tenant. */
  readonly isOf?: (tenant: string) => string
  /** Makes every order total. */
  readonly key: readonly Column[]
  readonly orders: Readonly<Record<string, Order>>
  readonly defaultOrder: string
  readonly conditions: Readonly<Record<string, Condition>>
}

export function column(name: string, type: SqlType, nullable?: 'nullable'): Column {
  return { sql: `c."${name}"`, type, isNullable: nullable === 'nullable' }
}

/** A table or view of the PostgreSQL schema `learning`. */
export function table(name: string): () => string {
  return () => `learning."${name}"`
}

/** `<NAME>_ASC` and `<NAME>_DESC`; empty values come last in both. */
export function bothWays(name: string, by: Column, what: string): Record<string, Order> {
  const last = by.isNullable ? ', empty ones last' : ''
  return {
    [`${name}_ASC`]: { columns: [by], isDescending: false, says: `By ${what}, ascending${last}.` },
    [`${name}_DESC`]: { columns: [by], isDescending: true, says: `By ${what}, descending${last}.` },
  }
}
