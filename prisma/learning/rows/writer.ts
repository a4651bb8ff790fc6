import type { Queryable } from '../../../platform/database.ts'
import { DEFAULT_TENANT } from '../../../platform/viewer.ts'
import { isRoot, type Row, type TableName, tableNames, tables, writeStatement } from './tables.ts'

/** 5,000 rows a statement: 33,000 attempts a second on the embedded database, and no more than a few MB in flight. */
const ROWS_PER_STATEMENT = 5_000

/** Columns that hold a row's key or another's. */
const KEY = /^id$|Id$/

export interface Written {
  readonly inserted: number
  readonly updated: number
  readonly unchanged: number
}

export interface RowWriter {
  readonly written: Readonly<Partial<Record<TableName, Written>>>
  add<T extends TableName>(table: T, row: Row<T>): void
  /** Resolves when another batch may be collected; the last one may still be on its way. Call it every few hundred rows. */
  drain(): Promise<void>
  /** Resolves when every row is written. */
  finish(): Promise<void>
}

/**
 * Collects rows by column and writes them in batches. While the database works on one batch the caller makes the next, which
 * on the embedded database (a thread of its own) hides the caller's time altogether. Rows of another tenant than the default one
 * get keys that begin with its name, so that two tenants may be filled with the same school.
 */
export function createRowWriter(client: Queryable, tenant = DEFAULT_TENANT): RowWriter {
  const prefix = tenant === DEFAULT_TENANT ? '' : `${tenant}-`
  const written: Partial<Record<TableName, Written>> = {}
  let collected = new Map<TableName, unknown[][]>()
  let largest = 0
  let writing: Promise<void> = Promise.resolve()

  async function write(batch: Map<TableName, unknown[][]>): Promise<void> {
    for (const table of tableNames) {
      const arrays = batch.get(table)
      if (!arrays) continue
      const { rows } = await client.query<{ inserted: number; updated: number }>(writeStatement(table), [
        ...arrays,
        ...(isRoot(table) ? [tenant] : []),
      ])
      const { inserted, updated } = rows[0]!
      const sofar = written[table] ?? { inserted: 0, updated: 0, unchanged: 0 }
      written[table] = {
        inserted: sofar.inserted + inserted,
        updated: sofar.updated + updated,
        unchanged: sofar.unchanged + arrays[0]!.length - inserted - updated,
      }
    }
  }
  async function send(): Promise<void> {
    await writing
    const batch = collected
    collected = new Map()
    largest = 0
    writing = write(batch)
    writing.catch(() => {}) // reported to whoever awaits next
  }

  return {
    written,
    add(table, row) {
      const columns = Object.keys(tables[table].columns) as (keyof typeof row & string)[]
      const arrays = collected.get(table) ?? columns.map(() => [])
      collected.set(table, arrays)
      for (const [at, column] of columns.entries()) {
        const value = row[column]
        arrays[at]!.push(prefix !== '' && typeof value === 'string' && KEY.test(column) ? prefix + value : value)
      }
      largest = Math.max(largest, arrays[0]!.length)
    },
    async drain() {
      if (largest >= ROWS_PER_STATEMENT) await send()
    },
    async finish() {
      await send()
      await writing
    },
  }
}
