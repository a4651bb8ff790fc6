import type { Viewer } from '../../../platform/viewer.ts'
import { checkPage, DEFAULT_PAGE, type PageArguments } from '../../../schema/pagination.ts'
import { conditionsOf } from './conditions.ts'
import { readCursor, writeCursor } from './cursor.ts'
import type { Column, Relation } from './relation.ts'
import { createStatement, type Statement } from './statement.ts'

/** What a client asks of a list. */
export interface Ask extends PageArguments {
  readonly orderBy?: string | null | undefined
  readonly where?: Readonly<Record<string, unknown>> | null | undefined
}

/** Lists below other rows: the column that names the parent, and the parents whose pages are asked for together. */
export interface Parents {
  readonly column: string
  readonly keys: readonly string[]
}

/** Which rows a list is made of: those below rows that the viewer was shown, or all of a tenant's. */
export type Place = Parents | { readonly tenant: string }

export interface Page {
  readonly edges: readonly { readonly node: object; readonly cursor: string }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

export type Row = Record<string, unknown>

/**
 * Refuses an ask before anything is read. Throws BAD_USER_INPUT for a page that is negative, too large or asked from both
 * ends, and for a cursor that belongs to another list or order.
 */
export function checkAsk(relation: Relation, ask: Ask, viewer: Viewer): void {
  checkPage(ask, viewer)
  if (ask.after == null && ask.before == null) return
  const name = orderOf(relation, ask)
  const { columns, isDescending } = relation.orders[name]!
  const sorts = sortColumns(relation, columns, isDescending)
  for (const cursor of [ask.after, ask.before]) if (cursor != null) placeOf(relation, name, sorts, cursor)
}

/**
 * One statement for the page of a list, or for the same page below each of many parents (LATERAL, so that an index on the
 * parent answers each with its few rows). Keyset, not OFFSET: a page costs the same wherever it lies. One row more than asked
 * tells whether there is more. The ask has passed `checkAsk`.
 */
export function pageStatement(
  relation: Relation,
  ask: Ask,
  now: Date,
  place: Place,
): { sql: string; values: readonly unknown[] } {
  const statement = createStatement()
  const name = orderOf(relation, ask)
  const { columns, isDescending } = relation.orders[name]!
  const sorts = sortColumns(relation, columns, isDescending)
  // Backwards is the same list read from its other end.
  const isDown = isDescending !== isBackward(ask)
  const keys = 'keys' in place ? `unnest(${statement.bind(place.keys, 'text[]')}) AS p("key")` : null
  const tuple = `(${sorts.map(({ sql }) => sql).join(', ')})`
  const bound = (cursor: string) => {
    const values = placeOf(relation, name, sorts, cursor)
    return `(${values.map((value, index) => statement.bind(value, sorts[index]!.type)).join(', ')})`
  }
  const from = relation.from(statement, now)
  const conditions = [
    'keys' in place ? `c."${place.column}" = p."key"` : ownerOf(relation, statement, place.tenant),
    ...conditionsOf(relation, ask.where, statement, now),
    ...(ask.after == null ? [] : [`${tuple} ${isDescending ? '<' : '>'} ${bound(ask.after)}`]),
    ...(ask.before == null ? [] : [`${tuple} ${isDescending ? '>' : '<'} ${bound(ask.before)}`]),
  ]
  const direction = isDown ? 'DESC' : 'ASC'
  const rows = `SELECT c.*, ${sorts.map(({ sql }, index) => `${sql} AS "@${index}"`).join(', ')}
FROM ${from} c
WHERE ${conditions.join(' AND ')}
ORDER BY ${sorts.map(({ sql }) => `${sql} ${direction}`).join(', ')}
LIMIT ${statement.bind(sizeOf(ask) + 1, 'int')}`
  if (!keys) return { sql: rows, values: statement.values }
  const order = sorts.map((_, index) => `c."@${index}" ${direction}`).join(', ')
  return {
    sql: `SELECT c.*, p."key" AS "@parent" FROM ${keys}\nCROSS JOIN LATERAL (${rows}) c\nORDER BY p."key", ${order}`,
    values: statement.values,
  }
}

/** One statement for how many rows a list has, alone or below each of many parents: columns "@parent" and "count". */
export function countStatement(
  relation: Relation,
  where: Ask['where'],
  now: Date,
  place: Place,
): { sql: string; values: readonly unknown[] } {
  const statement = createStatement()
  const conditions = conditionsOf(relation, where, statement, now)
  const from = conditions.length === 0 && relation.fromKeys ? relation.fromKeys() : relation.from(statement, now)
  conditions.push(
    'keys' in place
      ? `c."${place.column}" = ANY(${statement.bind(place.keys, 'text[]')})`
      : ownerOf(relation, statement, place.tenant),
  )
  const parent = 'keys' in place ? `c."${place.column}"` : `''`
  return {
    sql: `SELECT ${parent} AS "@parent", count(*)::int AS "count" FROM ${from} c WHERE ${conditions.join(' AND ')} GROUP BY 1`,
    values: statement.values,
  }
}

/** The rows of one page, as `pageStatement` reads them, as a Relay connection. Cursors are written when they are selected. */
export function toPage(relation: Relation, ask: Ask, rows: readonly Row[]): Page {
  const name = orderOf(relation, ask)
  const hasMore = rows.length > sizeOf(ask)
  const kept = hasMore ? rows.slice(0, sizeOf(ask)) : [...rows]
  if (isBackward(ask)) kept.reverse()
  const cursorOf = (row: Row) => writeCursor(`${relation.name}.${name}`, sortValues(row))
  return {
    edges: kept.map((node) => ({
      node,
      get cursor() {
        return cursorOf(node)
      },
    })),
    pageInfo: {
      hasNextPage: isBackward(ask) ? ask.before != null : hasMore,
      hasPreviousPage: isBackward(ask) ? hasMore : ask.after != null,
      get startCursor() {
        return kept.length > 0 ? cursorOf(kept[0]!) : null
      },
      get endCursor() {
        return kept.length > 0 ? cursorOf(kept.at(-1)!) : null
      },
    },
  }
}

/** A list that cannot tell whose rows it holds stands below a row only: it never opens at the root. */
function ownerOf({ name, isOf }: Relation, statement: Statement, tenant: string): string {
  if (!isOf) throw new Error(`The list of ${name} does not say whose its rows are`)
  return isOf(statement.bind(tenant, 'text'))
}

function isBackward(ask: Ask): boolean {
  return ask.last != null
}

function sizeOf(ask: Ask): number {
  return ask.last ?? ask.first ?? DEFAULT_PAGE
}

function orderOf(relation: Relation, ask: Ask): string {
  return ask.orderBy ?? relation.defaultOrder
}

function placeOf(relation: Relation, order: string, sorts: readonly Column[], cursor: string): unknown[] {
  return readCursor(
    cursor,
    `${relation.name}.${order}`,
    sorts.map(({ type }) => type),
  )
}

function sortValues(row: Row): unknown[] {
  const values: unknown[] = []
  for (let index = 0; `@${index}` in row; index++) values.push(row[`@${index}`])
  return values
}

/**
 * What rows are sorted and compared by, all in one direction, so that one row comparison finds a place: an empty value becomes
 * a flag that puts it last, and a constant.
 */
function sortColumns(relation: Relation, columns: readonly Column[], isDescending: boolean): Column[] {
  return [...columns, ...relation.key].flatMap((column) => {
    if (!column.isNullable) return [column]
    const flag = isDescending ? `(${column.sql} IS NOT NULL)` : `(${column.sql} IS NULL)`
    return [
      { sql: flag, type: 'boolean', isNullable: false },
      { ...column, sql: `COALESCE(${column.sql}, ${zeros[column.type]})` },
    ] as Column[]
  })
}

const zeros: Record<Column['type'], string> = {
  text: `''`,
  'text[]': `'{}'`,
  int: '0',
  float8: '0',
  boolean: 'false',
  timestamptz: `'epoch'::timestamptz`,
  date: `'epoch'::date`,
}
