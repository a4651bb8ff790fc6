import { type ModelShape, ownOf, quote } from './datamodel.ts'
import { oneOf, type Spot } from './spot.ts'
import type { Place, Statement } from './statement.ts'

/** Rebuilds what a select names from one row of output columns. */
export type SelectedRow = (row: Readonly<Record<string, unknown>>) => Record<string, unknown>

/** Prisma's select of scalars and to-one relations, as output columns of the one statement. */
export function compileSelect(
  statement: Statement,
  spot: Spot,
  select: Readonly<Record<string, unknown>>,
): SelectedRow {
  return selectFrom(statement, spot, statement.root, '', select)
}

function selectFrom(
  statement: Statement,
  spot: Spot,
  place: Place,
  prefix: string,
  select: Readonly<Record<string, unknown>>,
): SelectedRow {
  const parts = Object.entries(select).filter(([, chosen]) => chosen !== false && chosen !== undefined)
  const readers = parts.map(([name, chosen]): [string, (row: Readonly<Record<string, unknown>>) => unknown] => {
    const relation = ownOf(place.shape.relations, name)
    if (relation?.list)
      throw spot.fault(
        `"${prefix}${name}" is a list, which changes`,
        'Read it with count, sum, avg, last or daysSince.',
      )
    if (!relation) {
      if (chosen !== true) throw spot.fault(`"${prefix}${name}" is a column`, 'Select it with true.')
      const output = statement.output(statement.columnOf(spot, place.shape, place.alias, name).sql)
      return [name, (row) => row[output] ?? null]
    }
    const end = statement.follow(spot, `${prefix}${name}`)
    if (end.form !== 'one')
      throw spot.fault(`"${prefix}${name}" is no to-one relation`, oneOf(relationsOf(place.shape)))
    const nested = selectFrom(
      statement,
      spot,
      end.place,
      `${prefix}${name}.`,
      innerOf(spot, name, end.place.shape, chosen),
    )
    const key = end.place.shape.key[0]!
    const isThere = statement.output(
      `${statement.columnOf(spot, end.place.shape, end.place.alias, key).sql} IS NOT NULL`,
    )
    return [name, (row) => (row[isThere] === true ? nested(row) : null)]
  })
  if (readers.length === 0) throw spot.fault('the select names no column', 'Name the columns that the function reads.')
  return (row) => Object.fromEntries(readers.map(([name, read]) => [name, read(row)]))
}

/** `relation: true` means all its scalars, as in Prisma. */
function innerOf(spot: Spot, name: string, shape: ModelShape, chosen: unknown): Readonly<Record<string, unknown>> {
  if (chosen === true)
    return Object.fromEntries(
      Object.entries(shape.columns)
        .filter(([, column]) => !column.list)
        .map(([field]) => [field, true]),
    )
  const { select, ...rest } = chosen as { select?: Readonly<Record<string, unknown>> }
  if (!select || Object.keys(rest).length > 0)
    throw spot.fault(
      `"${name}" is selected by something other than \`select\``,
      `Write ${quote(name)}: { select: { ... } }.`,
    )
  return select
}

const relationsOf = (shape: ModelShape) =>
  Object.entries(shape.relations)
    .filter(([, relation]) => !relation.list)
    .map(([name]) => name)
