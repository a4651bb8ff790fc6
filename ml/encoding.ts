import type { Column } from '../trainer/dataset.ts'
import type { FeatureValue } from './define.ts'

/**
 * Turns features as read into the float32 row that the model was trained on: numbers as they are, categories by the index of
 * their level. Missing, unknown and not finite become NaN, which the model routes as missing: never a silent zero.
 */
export function createEncoder(columns: readonly Column[]) {
  const levels = columns.map((column) =>
    column.kind === 'category' ? new Map((column.levels ?? []).map((level, index) => [level, index])) : null,
  )
  function encodeValue(value: FeatureValue | undefined, column: number): number {
    if (value === null || value === undefined) return Number.NaN
    const known = levels[column]
    if (known) return known.get(String(value)) ?? Number.NaN
    const number = Math.fround(Number(value)) // what float32 cannot hold becomes infinite, and so missing
    return Number.isFinite(number) ? number : Number.NaN
  }
  return {
    width: columns.length,
    /** Writes one row at `at` * width. */
    write(target: Float32Array, at: number, values: readonly FeatureValue[]): void {
      const offset = at * columns.length
      for (let column = 0; column < columns.length; column++)
        target[offset + column] = encodeValue(values[column], column)
    },
  }
}

export type Encoder = ReturnType<typeof createEncoder>
