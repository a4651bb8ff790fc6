import { InklingError } from '../../platform/errors.ts'
import type { TryOptions } from './options.ts'
import type { RawColumn } from './raw-column.ts'
import type { Table } from './table.ts'
import type { TypedColumn } from './typing.ts'

export interface Roles {
  readonly label: RawColumn
  readonly group?: RawColumn | undefined
  readonly time?: RawColumn | undefined
  /** Names that are no features: label, dropped, id, group and time columns. */
  readonly excluded: ReadonlySet<string>
}

/** Finds the columns that the options name. Throws BAD_USER_INPUT with the nearest names for one that is not there. */
export function rolesOf(table: Table, options: TryOptions): Roles {
  const find = (name: string, option: string): RawColumn => {
    const column = table.columns.find((entry) => entry.name === name)
    if (column) return column
    const names = table.columns.map((entry) => entry.name)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${option}: ${table.path} has no column ${name}`,
      `Nearest: ${nearest(name, names).join(', ')} (of ${names.length}).`,
    )
  }
  const label = find(options.label, '--label')
  const group = options.group === undefined ? undefined : find(options.group, '--group')
  const time = options.time === undefined ? undefined : find(options.time, '--time')
  const excluded = new Set([label.name])
  for (const name of options.drop) excluded.add(find(name, '--drop').name)
  if (options.id !== undefined) excluded.add(find(options.id, '--id').name)
  if (group) excluded.add(group.name)
  if (time) excluded.add(time.name)
  if (time && (time.reading === 'text' || time.reading === 'overflow' || time.missing > 0)) {
    const message =
      time.missing > 0 ? `${time.missing} rows have no ${time.name}` : `${time.name} holds neither dates nor numbers`
    throw new InklingError('BAD_USER_INPUT', `--time: ${message}`, 'Write dates as 2024-12-31 or 2024-12-31T10:00:00Z.')
  }
  for (const name of options.category) find(name, '--category')
  for (const name of options.number) {
    if (find(name, '--number').reading === 'text') {
      throw new InklingError('BAD_USER_INPUT', `--number: ${name} holds texts`, 'Leave it out, or correct the column.')
    }
  }
  return { label, group, time, excluded }
}

/** What --category and --number say goes above what was inferred. */
export function overrideTypes(typed: readonly TypedColumn[], options: TryOptions): TypedColumn[] {
  return typed.map((column) => {
    if (options.category.includes(column.name))
      return { ...column, type: 'category', use: 'category', note: 'asked for' }
    if (options.number.includes(column.name)) return { ...column, type: 'number', use: 'number', note: 'asked for' }
    return column
  })
}

function nearest(name: string, names: readonly string[]): string[] {
  return names
    .map((other) => ({ other, distance: editDistance(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 5)
    .map(({ other }) => other)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}
