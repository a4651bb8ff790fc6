import type { Column, Dataset } from '../../trainer/dataset.ts'
import type { Label } from './label.ts'
import type { RawColumn } from './raw-column.ts'
import type { Table } from './table.ts'
import type { TypedColumn } from './typing.ts'

/**
 * The trainer's dataset from a table: the label's rows, the columns that are not dropped, levels in alphabetical order. The
 * table's feature columns are emptied on the way, so that the data never stands twice in memory.
 */
export function datasetOf(
  table: Table,
  label: Label,
  typed: readonly TypedColumn[],
  roles: { group?: RawColumn | undefined; time?: RawColumn | undefined },
): { dataset: Dataset; warnings: string[] } {
  const warnings: string[] = []
  const used = typed.filter((column) => column.use !== 'dropped')
  const n = label.rows.length
  const width = used.length
  // shared, so that the trainer's threads need no copy
  const x = new Float32Array(new SharedArrayBuffer(4 * n * width))
  const groups = roles.group && groupsOf(roles.group, label.rows, warnings)
  const times = roles.time && Float64Array.from(label.rows, (row) => roles.time!.values.at(row))
  const columns = used.map((entry, at): Column => {
    const raw = table.columns.find((column) => column.name === entry.name)!
    const levels = entry.use === 'category' ? levelsOf(raw) : undefined
    let infinite = 0
    for (let row = 0; row < n; row++) {
      const value = raw.featureAt(label.rows[row]!)
      const cell = levels && !Number.isNaN(value) ? levels.index.get(value)! : Math.fround(value)
      if (cell === Number.POSITIVE_INFINITY || cell === Number.NEGATIVE_INFINITY) infinite++
      x[row * width + at] = Number.isFinite(cell) ? cell : Number.NaN
    }
    if (infinite > 0)
      warnings.push(`${entry.name} is infinite or beyond float32 in ${infinite} rows; those count as missing.`)
    if (raw !== roles.group && raw !== roles.time) raw.forget()
    return levels ? { name: entry.name, kind: 'category', levels: levels.names } : { name: entry.name, kind: 'number' }
  })
  const dataset: Dataset = {
    columns,
    n,
    x,
    y: label.y,
    task: label.task,
    ...(label.classes ? { classes: label.classes } : {}),
    ...(groups ? { groups } : {}),
    ...(times ? { times } : {}),
  }
  return { dataset, warnings }
}

/** The same columns with only these rows, in this order. */
export function rowsOf(dataset: Dataset, rows: Uint32Array): Dataset {
  const width = dataset.columns.length
  const x = new Float32Array(new SharedArrayBuffer(4 * rows.length * width))
  rows.forEach((row, at) => {
    x.set(dataset.x.subarray(row * width, (row + 1) * width), at * width)
  })
  return {
    ...dataset,
    n: rows.length,
    x,
    y: Float32Array.from(rows, (row) => dataset.y[row]!),
    ...(dataset.groups ? { groups: Int32Array.from(rows, (row) => dataset.groups![row]!) } : {}),
    ...(dataset.times ? { times: Float64Array.from(rows, (row) => dataset.times![row]!) } : {}),
  }
}

/** Names in alphabetical (numbers: rising) order, and where each raw value stands among them. */
function levelsOf(raw: RawColumn): { names: string[]; index: Map<number, number> } {
  const names = raw.levelNames()
  const values = raw.reading === 'text' ? names.map((_, code) => code) : distinctOf(raw)
  values.sort((a, b) => (raw.reading === 'text' ? (names[a]! < names[b]! ? -1 : 1) : a - b))
  return {
    names: values.map((value) => (raw.reading === 'text' ? names[value]! : `${value}`)),
    index: new Map(values.map((value, at) => [value, at])),
  }
}

function distinctOf(raw: RawColumn): number[] {
  const seen = new Set<number>()
  for (let row = 0; row < raw.values.length; row++) {
    const value = raw.values.at(row)
    if (!Number.isNaN(value)) seen.add(value)
  }
  return [...seen]
}

/** Consecutive numbers by first appearance; a row without a group is a group of its own. */
function groupsOf(column: RawColumn, rows: Uint32Array, warnings: string[]): Int32Array {
  const numbers = new Map<number, number>()
  let next = 0
  let alone = 0
  const groups = Int32Array.from(rows, (row) => {
    const value = column.values.at(row)
    if (Number.isNaN(value)) {
      alone++
      return next++
    }
    const known = numbers.get(value)
    if (known !== undefined) return known
    numbers.set(value, next)
    return next++
  })
  if (alone > 0) warnings.push(`${alone} rows without ${column.name} count as a group each.`)
  return groups
}
