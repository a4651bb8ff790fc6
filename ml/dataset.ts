import { InklingError } from '../platform/errors.ts'
import type { Column, Dataset } from '../trainer/dataset.ts'
import type { FeatureValue, KeyValues, LabelRow, Model, SqlClient } from './define.ts'

export interface Extraction {
  readonly dataset: Dataset
  /** First and last moment that a row looks from. */
  readonly window: { readonly from: Date; readonly to: Date } | null
  readonly positives: number
  /** Labelled rows left out because the question was not about them at that moment. */
  readonly notApplicable: number
}

export interface ExtractionOptions {
  readonly now: Date
  /**
   * Rows read in one statement. Small enough that the embedded database's thread answers others in between, and that the driver
   * turns the answer into rows in one turn of the event loop: 5,000 rows of 33 columns took 48 ms of it, 2,000 take 15.
   */
  readonly pageSize?: number
  /** The most that the rows' features may take, in megabytes; by default what the process has. */
  readonly memoryMb?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onRows?: (rows: number) => void
  /** Told of the key of every row that is used. */
  readonly onKey?: (key: KeyValues) => void
}

/** Labels joined with features, page by page; holds the encoded rows only. Every row sees the world as of its own moment. Throws OUT_OF_MEMORY. */
export async function extractDataset(model: Model, client: SqlClient, options: ExtractionOptions): Promise<Extraction> {
  const { now, pageSize = 2000, signal } = options
  const rows = createRows(model)
  let notApplicable = 0
  for await (const page of model.labels(client, { now, pageSize, ...(signal ? { signal } : {}) })) {
    signal?.throwIfAborted()
    const read = await model.read(client, page)
    for (const [index, label] of page.entries()) {
      const { eligible, values } = read[index]!
      if (eligible) {
        rows.add(label, values)
        options.onKey?.(label.key)
      } else notApplicable++
    }
    refuseTooMany(model, rows.count, options.memoryMb)
    options.onRows?.(rows.count)
  }
  return { ...rows.finish(), notApplicable }
}

/** Rows as they arrive, in chunks; categories get their final, sorted level numbers at the end. */
function createRows(model: Model) {
  const width = model.features.length
  const categories = model.features.map((feature) => (feature.kind === 'category' ? new Map<string, number>() : null))
  const x = createColumn(width)
  const y = createColumn(1)
  const times: number[] = []
  const groups: number[] = []
  const groupNumbers = new Map<string, number>()
  const row = new Float32Array(width)
  let count = 0
  let positives = 0

  function encode(value: FeatureValue | undefined, column: number): number {
    if (value === null || value === undefined) return Number.NaN
    const levels = categories[column]
    if (!levels) {
      const number = Math.fround(Number(value))
      return Number.isFinite(number) ? number : Number.NaN
    }
    const text = String(value)
    const known = levels.get(text) ?? levels.size
    levels.set(text, known)
    return known
  }

  return {
    get count() {
      return count
    },
    add(label: LabelRow, values: readonly FeatureValue[]): void {
      if (!Number.isFinite(label.label)) throw invalidLabel(model, label)
      for (let column = 0; column < width; column++) row[column] = encode(values[column], column)
      x.push(row)
      y.push([label.label])
      times.push(label.asOf.getTime())
      groups.push(numberOf(groupNumbers, groupOf(model, label)))
      if (label.label > 0) positives++
      count++
    },
    finish(): Omit<Extraction, 'notApplicable'> {
      const values = x.toShared()
      const sorted = categories.map((levels) => (levels ? [...levels.keys()].sort() : null))
      renumberLevels(values, width, categories, sorted)
      const columns = model.features.map(
        (feature, index): Column => ({
          name: feature.name,
          kind: feature.kind,
          ...(sorted[index] ? { levels: sorted[index] } : {}),
          ...(feature.monotone ? { monotone: feature.monotone } : {}),
        }),
      )
      const from = times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY)
      const to = times.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY)
      return {
        dataset: {
          columns,
          n: count,
          x: values,
          y: y.toShared(),
          task: 'binary',
          groups: new Int32Array(groups),
          times: new Float64Array(times),
        },
        window: count > 0 ? { from: new Date(from), to: new Date(to) } : null,
        positives,
      }
    },
  }
}

function refuseTooMany(model: Model, rows: number, memoryMb = Number.POSITIVE_INFINITY): void {
  const needed = (rows * model.features.length * Float32Array.BYTES_PER_ELEMENT) / 2 ** 20
  if (needed <= memoryMb) return
  throw new InklingError(
    'OUT_OF_MEMORY',
    `The first ${rows} labelled rows of ${model.name} need more than ${memoryMb} MB.`,
    'Raise INKLING_TRAINING_MEMORY_MB, or have the model file look from fewer moments.',
  )
}

function groupOf(model: Model, { group, key }: LabelRow): string {
  if (group !== undefined) return group
  return model.group ? String(key[model.group]) : JSON.stringify(key)
}

function numberOf(numbers: Map<string, number>, name: string): number {
  const known = numbers.get(name) ?? numbers.size
  numbers.set(name, known)
  return known
}

/** Level numbers depend on the set of levels alone, not on the order in which rows came. */
function renumberLevels(
  values: Float32Array,
  width: number,
  categories: readonly (Map<string, number> | null)[],
  sorted: readonly (readonly string[] | null)[],
): void {
  for (const [column, levels] of categories.entries()) {
    if (!levels) continue
    const renumbered = new Float32Array(levels.size)
    for (const [index, level] of sorted[column]!.entries()) renumbered[levels.get(level)!] = index
    for (let at = column; at < values.length; at += width) {
      const old = values[at]!
      if (!Number.isNaN(old)) values[at] = renumbered[old]!
    }
  }
}

/** A growing float32 matrix: doubles its buffer, so that memory stays near its size. */
function createColumn(width: number) {
  let buffer = new Float32Array(1024 * width)
  let length = 0
  return {
    push(row: ArrayLike<number>): void {
      if (length + width > buffer.length) {
        const larger = new Float32Array(buffer.length * 2)
        larger.set(buffer)
        buffer = larger
      }
      buffer.set(row, length)
      length += width
    },
    toShared(): Float32Array {
      const shared = new Float32Array(new SharedArrayBuffer(length * 4))
      shared.set(buffer.subarray(0, length))
      buffer = new Float32Array(0)
      return shared
    },
  }
}

function invalidLabel(model: Model, label: LabelRow): InklingError {
  return new InklingError(
    'MODEL_INVALID',
    `The labels of ${model.name} hold ${label.label} for ${JSON.stringify(label.key)}: not a finite number.`,
    'Leave rows whose truth is unknown out of `labels`.',
  )
}
