import {
  type ColumnShape,
  type Datamodel,
  isZoned,
  type ModelShape,
  ownOf,
  quote,
  type RelationShape,
  tableOf,
} from './datamodel.ts'
import { oneOf, type Spot } from './spot.ts'

/** A row that the statement has joined: the entity, or what its to-one relations lead to. */
export interface Place {
  readonly alias: string
  readonly shape: ModelShape
}

/** Where a dotted path ends. */
export type PathEnd =
  | { readonly form: 'column'; readonly place: Place; readonly column: ColumnShape; readonly sql: string }
  | { readonly form: 'one'; readonly place: Place }
  | {
      readonly form: 'list'
      readonly list: JoinedList
      /** Present when the path goes on to a column of the list's rows, which have the alias "t". */
      readonly column?: ColumnShape
    }

export interface JoinedList {
  readonly shape: ModelShape
  /** FROM "schema"."Table" t */
  readonly from: string
  /** Conditions that tie the rows "t" to the entity. */
  readonly ties: readonly string[]
}

/** A join whose text is known only once every feature has been compiled. */
export interface LateJoin {
  readonly alias: string
  toSql(): string
}

/**
 * One SQL statement in the making, about the entity "e" at the moment p."at" (p."atUtc" for columns without a time zone).
 * Only names of the data model become SQL text; every value becomes a parameter.
 */
export interface Statement {
  readonly root: Place
  /** Parameters after the caller's slots. */
  readonly values: readonly unknown[]
  /** A parameter as SQL: '$3::text'. The same value of the same type is passed once. */
  parameter(value: string | readonly string[] | number, type: string): string
  follow(spot: Spot, path: string): PathEnd
  columnOf(spot: Spot, shape: ModelShape, alias: string, name: string): { column: ColumnShape; sql: string }
  momentFor(column: ColumnShape): string
  /** Adds a join once for each identity. */
  join<J extends LateJoin>(identity: string, create: (alias: string) => J): J
  /** Adds an output column and returns its name. */
  output(sql: string): string
  /** The output columns and the joins, as they stand now. */
  outputs(): string
  joins(): string
}

/** slots: how many parameters of its caller ($1, $2 ...) come before the statement's own `values`. */
export function createStatement(datamodel: Datamodel, root: ModelShape, slots: number): Statement {
  const values: unknown[] = []
  const parameters = new Map<string, string>()
  const joins = new Map<string, LateJoin>()
  const outputs: string[] = []
  const entity: Place = { alias: 'e', shape: root }

  function join<J extends LateJoin>(identity: string, create: (alias: string) => J): J {
    const known = joins.get(identity)
    if (known) return known as J
    const created = create(`j${joins.size + 1}`)
    joins.set(identity, created)
    return created
  }

  function targetOf(spot: Spot, relation: RelationShape, name: string): ModelShape {
    const shape = ownOf(datamodel, relation.model)
    if (!shape)
      throw spot.fault(`"${name}" leads to ${relation.model}, which the data model lacks`, 'Run npm run generate.')
    if (relation.from.length === 0)
      throw spot.fault(
        `"${name}" is an implicit many-to-many relation, which has no columns to join by`,
        'Write the relation table as a model of its own.',
      )
    return shape
  }

  function tie(relation: RelationShape, from: Place, alias: string, target: ModelShape, spot: Spot): string[] {
    return relation.to.map((field, index) => {
      const left = columnOf(spot, target, alias, field).sql
      return `${left} = ${columnOf(spot, from.shape, from.alias, relation.from[index]!).sql}`
    })
  }

  function columnOf(spot: Spot, shape: ModelShape, alias: string, name: string) {
    const column = ownOf(shape.columns, name)
    if (!column) throw spot.fault(`${shape.table} has no column "${name}"`, oneOf(Object.keys(shape.columns)))
    if (column.list) throw spot.fault(`"${name}" holds a list`, 'Use a column with one value, or own SQL.')
    return { column, sql: `${alias}.${quote(column.column)}` }
  }

  function follow(spot: Spot, path: string): PathEnd {
    const names = path === '' ? [] : path.split('.')
    let place = entity
    for (const [index, name] of names.entries()) {
      const rest = names.slice(index + 1)
      const relation = ownOf(place.shape.relations, name)
      if (!relation) {
        if (rest.length > 0 || !ownOf(place.shape.columns, name))
          throw spot.fault(
            `${place.shape.table} has no ${rest.length > 0 ? 'relation' : 'column or relation'} "${name}" (in "${path}")`,
            oneOf([
              ...Object.keys(place.shape.relations),
              ...(rest.length > 0 ? [] : Object.keys(place.shape.columns)),
            ]),
          )
        return { form: 'column', place, ...columnOf(spot, place.shape, place.alias, name) }
      }
      const shape = targetOf(spot, relation, name)
      if (relation.list) {
        if (rest.length > 1)
          throw spot.fault(`"${path}" goes on behind the list "${name}"`, 'Stop at one of its columns.')
        const list = { shape, from: `FROM ${tableOf(shape)} t`, ties: tie(relation, place, 't', shape, spot) }
        return rest.length === 0
          ? { form: 'list', list }
          : { form: 'list', list, column: columnOf(spot, shape, 't', rest[0]!).column }
      }
      const from = place
      const { alias } = join(`one ${from.alias} ${name}`, (alias) => {
        const on = tie(relation, from, alias, shape, spot).join(' AND ')
        return { alias, toSql: () => `LEFT JOIN ${tableOf(shape)} ${alias} ON ${on}` }
      })
      place = { alias, shape }
    }
    return { form: 'one', place }
  }

  return {
    root: entity,
    values,
    parameter(value, type) {
      const identity = `${type} ${JSON.stringify(value)}`
      const known = parameters.get(identity)
      if (known) return known
      values.push(value)
      const sql = `$${slots + values.length}::${type}`
      parameters.set(identity, sql)
      return sql
    },
    follow,
    columnOf,
    momentFor: (column) => (isZoned(column) ? 'p."at"' : 'p."atUtc"'),
    join,
    output(sql) {
      outputs.push(sql)
      return `c${outputs.length - 1}`
    },
    outputs: () => outputs.map((sql, index) => `${sql} AS "c${index}"`).join(',\n  '),
    joins: () => [...joins.values()].map((join) => join.toSql()).join('\n'),
  }
}
