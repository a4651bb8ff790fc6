import type { RawColumn } from './raw-column.ts'
import type { Table } from './table.ts'

export type ColumnType = 'number' | 'integer' | 'flag' | 'date' | 'category' | 'constant' | 'id-like' | 'text'

/** What a column was taken for, and whether the model sees it. */
export interface TypedColumn {
  readonly name: string
  readonly type: ColumnType
  readonly use: 'number' | 'category' | 'dropped'
  readonly missing: number
  /** Distinct known values, null where there were too many to count. */
  readonly distinct: number | null
  /** Why it is dropped, or read in an unexpected way. */
  readonly note?: string
}

const mostCounted = 100_000
const mostCodes = 10
const longText = 30

/** Types of all columns that `excluded` does not name. */
export function typeColumns(table: Table, excluded: ReadonlySet<string>): TypedColumn[] {
  return table.columns.filter((column) => !excluded.has(column.name)).map((column) => typeOf(column, table.n))
}

function typeOf(column: RawColumn, n: number): TypedColumn {
  const about = { name: column.name, missing: column.missing }
  const known = n - column.missing
  if (column.reading === 'overflow') {
    const note = 'more than 100,000 different texts'
    return { ...about, type: 'text', use: 'dropped', distinct: null, note }
  }
  if (column.reading === 'nothing') return { ...about, type: 'constant', use: 'dropped', distinct: 0, note: 'empty' }
  if (column.reading === 'text') return typeOfText(column, about, known)
  const shape = shapeOf(column)
  const counted = { ...about, distinct: shape.distinct }
  if (shape.distinct === 1 && column.missing === 0) {
    return { ...counted, type: 'constant', use: 'dropped', note: 'one value only' }
  }
  if (column.reading === 'date') return { ...counted, type: 'date', use: 'number', note: 'as days since 1970' }
  if (shape.distinct !== null && shape.distinct <= 2) return { ...counted, type: 'flag', use: 'number' }
  if (!shape.isInteger) return { ...counted, type: 'number', use: 'number' }
  const isManyForAnId = shape.distinct === null || shape.distinct * 50 > known
  if (isIdName(column.name) && isManyForAnId && known >= 50) {
    return { ...counted, type: 'id-like', use: 'dropped', note: 'its name and its many values say that it names rows' }
  }
  if (known >= 50 && shape.isCounter) {
    return { ...counted, type: 'id-like', use: 'dropped', note: 'counts the rows' }
  }
  if (isIdName(column.name) && shape.distinct !== null) {
    return { ...counted, type: 'category', use: 'category', note: 'a code by its name' }
  }
  if (shape.hasGaps && shape.distinct! <= mostCodes && known >= 50 * shape.distinct!) {
    return { ...counted, type: 'category', use: 'category', note: 'few integers with gaps, read as codes' }
  }
  return { ...counted, type: 'integer', use: 'number' }
}

function typeOfText(column: RawColumn, about: Pick<TypedColumn, 'name' | 'missing'>, known: number): TypedColumn {
  const counted = { ...about, distinct: column.levels.size }
  if (column.levels.size === 1 && column.missing === 0) {
    return { ...counted, type: 'constant', use: 'dropped', note: 'one value only' }
  }
  const isNamedRow = column.levels.size > 0.95 * known || (isIdName(column.name) && column.levels.size > 0.5 * known)
  if (known >= 50 && isNamedRow && column.characters / known <= longText) {
    return { ...counted, type: 'id-like', use: 'dropped', note: 'another value in almost every row' }
  }
  const isProse = column.characters / known > longText && column.levels.size > 0.2 * known
  if (known >= 50 && (isProse || column.levels.size > 0.5 * known)) {
    return { ...counted, type: 'text', use: 'dropped', note: 'free text: too few rows share a value' }
  }
  return { ...counted, type: 'category', use: 'category' }
}

/** id, user_id, userId, customerID, id_student, uuid; not `paid` or `valid`. */
function isIdName(name: string): boolean {
  const lower = name.toLowerCase()
  if (/(?:^|[_\-\s.])(?:u?u?id|guid|key)$|^id[_\-\s.]/.test(lower)) return true
  return /[a-z](?:Id|ID)$|^id[A-Z]/.test(name) || /^(?:customer|user|client|order|row|student|account)id$/.test(lower)
}

interface NumberShape {
  distinct: number | null
  isInteger: boolean
  /** Few integers that are not one run (1, 2, 5, 20). */
  hasGaps: boolean
  /** Every row another integer, and they fill their range or rise with the row. */
  isCounter: boolean
}

function shapeOf(column: RawColumn): NumberShape {
  const seen = new Set<number>()
  let isInteger = true
  let isRising = true
  let last = Number.NEGATIVE_INFINITY
  let low = Number.POSITIVE_INFINITY
  let high = Number.NEGATIVE_INFINITY
  let known = 0
  for (let row = 0; row < column.values.length; row++) {
    const value = column.values.at(row)
    if (Number.isNaN(value)) continue
    known++
    if (isInteger && !Number.isInteger(value)) isInteger = false
    if (value <= last) isRising = false
    last = value
    if (value < low) low = value
    if (value > high) high = value
    if (seen.size <= mostCounted) seen.add(value)
    else if (!isInteger) break
  }
  const distinct = seen.size > mostCounted ? null : seen.size
  const isEachOther = distinct === null ? isRising : distinct === known
  return {
    distinct,
    isInteger,
    hasGaps: distinct !== null && distinct > 2 && high - low + 1 > distinct,
    isCounter: isInteger && isEachOther && (isRising || high - low < 1.5 * known),
  }
}
