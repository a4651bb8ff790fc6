import type { Queryable } from '../../platform/database.ts'

export interface CatalogColumn {
  readonly type: string
  readonly isNullable: boolean
}

/** Every column outside the system's and Inkling's own schemas, as `schema.table.column`. */
export type Catalog = ReadonlyMap<string, CatalogColumn>

export async function readCatalog(client: Queryable): Promise<Catalog> {
  const { rows } = await client.query<{ name: string; type: string; isNullable: boolean }>(
    `SELECT n.nspname || '.' || c.relname || '.' || a.attname AS "name", format_type(a.atttypid, a.atttypmod) AS "type",
            NOT a.attnotnull AS "isNullable"
     FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
       AND n.nspname !~ '^(pg_|information_schema$|inkling)'`,
  )
  return new Map(rows.map(({ name, type, isNullable }) => [name, { type, isNullable }]))
}

export interface ColumnChange {
  readonly column: string
  readonly says: string
  /** Whether what reads the column can no longer mean what it meant. */
  readonly isBreaking: boolean
}

const families: readonly RegExp[] = [
  /^(smallint|integer|bigint|numeric|real|double precision)/,
  /^(text|character varying|character|citext)/,
  /^(timestamp|date)/,
]

/** What became of the columns that were there. A column that is gone beside a new one of its type in the same table may be renamed. */
export function changesOf(before: Catalog, after: Catalog): ColumnChange[] {
  const tableOf = (column: string) => column.slice(0, column.lastIndexOf('.'))
  const fresh = [...after.keys()].filter((column) => !before.has(column))
  return [...before].flatMap(([column, was]): ColumnChange[] => {
    const is = after.get(column)
    if (!is) {
      const heirs = fresh.filter((other) => tableOf(other) === tableOf(column) && after.get(other)?.type === was.type)
      const heir = heirs.length === 1 ? ` (or renamed to ${heirs[0]!.slice(heirs[0]!.lastIndexOf('.') + 1)})` : ''
      return [{ column, says: `is dropped${heir}`, isBreaking: true }]
    }
    const changes: ColumnChange[] = []
    if (is.type !== was.type) {
      const isAlike = families.some((family) => family.test(was.type) && family.test(is.type))
      changes.push({ column, says: `changes from ${was.type} to ${is.type}`, isBreaking: !isAlike })
    }
    if (is.isNullable !== was.isNullable)
      changes.push({
        column,
        says: is.isNullable ? 'may be missing from now on' : 'is never missing from now on',
        isBreaking: false,
      })
    return changes
  })
}
