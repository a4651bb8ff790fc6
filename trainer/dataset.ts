/** One input of a model, in the order of the matrix columns. */
export interface Column {
  readonly name: string
  readonly kind: 'number' | 'category'
  /** kind 'category': the known levels; a cell holds the level's index as a float, NaN for missing or unknown. */
  readonly levels?: readonly string[]
  /** The score may only rise (1) or only fall (-1) with this column. */
  readonly monotone?: 1 | -1
}

export type Task = 'binary' | 'multiclass' | 'regression'

/** Labelled rows. All arrays are indexed by row; shape (n,) unless said otherwise. */
export interface Dataset {
  readonly columns: readonly Column[]
  /** Rows. */
  readonly n: number
  /** float32, row-major, shape (n, columns.length); NaN = missing. May stand on a SharedArrayBuffer. */
  readonly x: Float32Array
  /** binary: 0 or 1; multiclass: class index; regression: the value. */
  readonly y: Float32Array
  readonly task: Task
  /** multiclass: class names by index; binary: [negative, positive]. */
  readonly classes?: readonly string[]
  /** Group of each row (a learner): rows of one group never stand on both sides of a split. */
  readonly groups?: Int32Array
  /** Moment of each row, milliseconds since the epoch. */
  readonly times?: Float64Array
  readonly weights?: Float32Array
}
