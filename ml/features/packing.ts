import type { FeatureRow, FeatureSpec, FeatureValue } from './model.ts'

type Kind = FeatureSpec['kind']

/** What a packed statement answers: one row, or one with nulls where there was nothing to pack. */
export interface Packed {
  /** A digit for each row: 0 nobody, 1 somebody whom the question is not about, 2 eligible. */
  readonly standing: string
  /** The columns of numbers one after the other, 8 bytes for each row; NaN for null. Null without such columns. */
  readonly numbers: Uint8Array | null
  /** By the column's index: its texts. */
  readonly [texts: `t${number}`]: string
}

/**
 * The same rows as one row of columns: numbers as bytes, categories as JSON. Drivers and Prisma handle a row and a cell at a time, which for
 * a thousand rows of twenty columns takes five times as long as this. sql: orders its rows, and has the columns "present", "eligible" and "c0",
 * "c1" ... of float8 or text.
 */
export function packedSql(sql: string, kinds: readonly Kind[]): string {
  const bytes = kinds.flatMap((kind, column) =>
    kind === 'number' ? [`string_agg(float8send(COALESCE(r."c${column}", 'NaN')), '')`] : [],
  )
  const texts = kinds.flatMap((kind, column) =>
    kind === 'number' ? [] : [`json_agg(r."c${column}")::text AS "t${column}"`],
  )
  const standing = `string_agg(CASE WHEN r."eligible" THEN '2' WHEN r."present" THEN '1' ELSE '0' END, '') AS "standing"`
  const selected = [standing, `${bytes.join(' || ') || 'NULL::bytea'} AS "numbers"`, ...texts]
  return `SELECT ${selected.join(',\n  ')}\nFROM (\n${sql}\n) r`
}

/** What was packed, in its order. */
export function unpack(packed: Packed, kinds: readonly Kind[]): FeatureRow[] {
  const { standing, numbers } = packed
  const n = standing.length
  const bytes = numbers && new DataView(numbers.buffer, numbers.byteOffset, numbers.byteLength)
  let offset = 0
  const columns = kinds.map((kind, column) => {
    if (kind === 'category') {
      const texts = JSON.parse(packed[`t${column}`]!) as (string | null)[]
      return (row: number): FeatureValue => texts[row]!
    }
    const start = offset
    offset += n * 8
    return (row: number): FeatureValue => {
      const value = bytes!.getFloat64(start + row * 8)
      return Number.isFinite(value) ? value : null
    }
  })
  return Array.from(standing, (digit, row) => ({
    eligible: digit === '2',
    values: columns.map((valueAt) => (digit === '0' ? null : valueAt(row))), // nobody: not even a count of 0
  }))
}
