import type { Datamodel, ModelShape } from './datamodel.ts'
import { ownOf } from './datamodel.ts'
import type { FeatureDefinition, ListScope, Reading } from './reading.ts'

/** The columns behind each feature as `schema.table.column`, keys of the relations on the way included; sorted. */
export function sourcesOf(
  datamodel: Datamodel,
  root: ModelShape,
  features: ReadonlyMap<string, FeatureDefinition>,
): Record<string, readonly string[]> {
  return Object.fromEntries(
    [...features].map(([name, { reading }]) => {
      const found = new Set<string>()
      collect(datamodel, root, reading, found)
      return [name, [...found].sort()]
    }),
  )
}

function collect(datamodel: Datamodel, root: ModelShape, reading: Reading, found: Set<string>): void {
  const walk = (path: string) => follow(datamodel, root, path, found)
  if (reading.form === 'ratio') {
    collect(datamodel, root, reading.of, found)
    collect(datamodel, root, reading.to, found)
  } else if (reading.form === 'path') addScope(walk(reading.path), reading.scope, found)
  else if (reading.form === 'aggregate') {
    const list = walk(reading.list)
    addScope(list, reading.scope, found)
    if (reading.column) addColumn(list, reading.column, found)
  } else if (reading.form === 'last') {
    const list = walk(reading.list)
    addScope(list, reading.scope, found)
    addColumn(list, reading.column, found)
  } else if (reading.form === 'sinceEvent') {
    const list = walk(reading.list)
    addScope(list, reading.scope, found)
    addColumn(list, reading.at, found)
  } else if (reading.form === 'select') addSelection(datamodel, root, reading.select, found)
  else walk(reading.path)
}

/** Goes along relations; a last name that is a column is added. Returns the model that the path ends in. */
function follow(datamodel: Datamodel, from: ModelShape, path: string, found: Set<string>): ModelShape {
  let shape = from
  for (const name of path.split('.')) {
    const relation = ownOf(shape.relations, name)
    const target = relation && ownOf(datamodel, relation.model)
    if (!relation || !target) {
      addColumn(shape, name, found)
      continue
    }
    for (const field of relation.from) addColumn(shape, field, found)
    for (const field of relation.to) addColumn(target, field, found)
    shape = target
  }
  return shape
}

function addScope(shape: ModelShape, scope: ListScope & { readonly knownFrom?: string }, found: Set<string>): void {
  const { at, validFrom, validTo, knownFrom, where = {} } = scope
  for (const field of [at, validFrom, validTo, knownFrom, ...Object.keys(where)])
    if (field !== undefined) addColumn(shape, field, found)
}

function addSelection(
  datamodel: Datamodel,
  shape: ModelShape,
  select: Readonly<Record<string, unknown>>,
  found: Set<string>,
): void {
  for (const [name, wanted] of Object.entries(select)) {
    const relation = ownOf(shape.relations, name)
    const target = relation && ownOf(datamodel, relation.model)
    if (!target) {
      addColumn(shape, name, found)
      continue
    }
    follow(datamodel, shape, name, found)
    const inner = (wanted as { select?: Readonly<Record<string, unknown>> } | null)?.select
    if (inner) addSelection(datamodel, target, inner, found)
  }
}

function addColumn({ schema, table, columns }: ModelShape, field: string, found: Set<string>): void {
  const known = ownOf(columns, field)
  if (known) found.add(`${schema ?? 'public'}.${table}.${known.column}`)
}
