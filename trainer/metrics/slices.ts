/**
 * The metrics of each slice of the rows. slices: the slice of each row, negative = in none; names by slice index.
 * measure receives the row numbers of one slice. Slices under `fewest` rows are listed with null metrics.
 */
export function sliceMetrics(
  slices: ArrayLike<number>,
  names: readonly string[],
  measure: (rows: Uint32Array) => Record<string, number | null>,
  fewest = 30,
): { slice: string; rows: number; metrics: Record<string, number | null> | null }[] {
  const members: number[][] = names.map(() => [])
  for (let row = 0; row < slices.length; row++) members[slices[row]!]?.push(row)
  return names.map((slice, index) => {
    const rows = Uint32Array.from(members[index]!)
    return { slice, rows: rows.length, metrics: rows.length >= fewest ? measure(rows) : null }
  })
}
