import { FEW_KEYS, settledSql } from '../../platform/statement-names.ts'
import { type Datamodel, type ModelShape, ownOf, quote, type RelationShape, tableOf } from './datamodel.ts'
import { type EntityKey, keysFrom, keyValues } from './keys.ts'
import type { Model } from './model.ts'
import { query } from './query.ts'
import { oneOf, type Spot, spotOf } from './spot.ts'

/** How an entity's tenant is found. */
export interface Owner {
  /** Whose entities these are, in the order of the keys; null for one that is not there. One statement. */
  readonly tenants: NonNullable<Model['tenants']>
  /** Whether the entity "e" belongs to the tenant behind a placeholder, for statements that begin at it. */
  readonly isOf: (placeholder: string) => string
}

/**
 * Compiles the path to the column that names an entity's tenant: a column of its own, or one behind to-one relations. A relation that
 * starts from the key is followed without touching the entity's table, which may be a view that computes much.
 */
export function createOwner(
  model: string,
  datamodel: Datamodel,
  root: ModelShape,
  key: EntityKey,
  path: string,
): Owner {
  const spot = spotOf(model, 'tenant')
  const [first, ...rest] = path.split('.')
  const relation = ownOf(root.relations, first!)
  const isKey = relation?.from.every((field) => root.key.includes(field)) ?? false
  const start = { sql: joinByKey(root, key, 'e'), alias: 'e', shape: root, path }
  if (relation && isKey && rest.length > 0) {
    const shape = targetOf(datamodel, spot, relation, first!)
    const on = relation.to.map((field, index) => {
      const place = root.key.indexOf(relation.from[index]!)
      return `${columnOf(spot, shape, 't1', field)} = p.k${place}`
    })
    Object.assign(start, {
      sql: `LEFT JOIN ${tableOf(shape)} t1 ON ${on.join(' AND ')}`,
      alias: 't1',
      shape,
      path: rest.join('.'),
    })
  }
  const tenant = follow(datamodel, spot, start.shape, start.alias, start.path)
  // A row for each tenant, not for each entity: a page of one tenant's is a single row, which costs next to nothing to parse.
  const sql = `SELECT ${tenant} AS "tenant", string_agg(p.place::text, ',') AS "places" FROM ${keysFrom(key)} ${start.sql} GROUP BY 1`
  const few = settledSql(sql)
  const ofEntity = follow(datamodel, spot, root, 'e', path)
  return {
    async tenants(client, keys) {
      if (keys.length === 0) return []
      const text = keys.length <= FEW_KEYS ? few : sql
      const rows = await query<{ tenant: string | null; places: string }[]>(client, model, text, keyValues(key, keys))
      const tenants: (string | null)[] = new Array(keys.length).fill(null)
      for (const { tenant, places } of rows) for (const place of places.split(',')) tenants[Number(place) - 1] = tenant
      return tenants
    },
    isOf: (placeholder) => `${ofEntity} = ${placeholder}`,
  }
}

function joinByKey(root: ModelShape, key: EntityKey, alias: string): string {
  return `LEFT JOIN ${tableOf(root)} ${alias} ON ${key.columns.map((column, index) => `${column} = p.k${index}`).join(' AND ')}`
}

/** The column at the end of a path, each relation on the way as a subquery: whatever the statement around it is, nothing clashes. */
function follow(datamodel: Datamodel, spot: Spot, shape: ModelShape, alias: string, path: string, depth = 2): string {
  const [name, ...rest] = path.split('.')
  if (rest.length === 0) {
    const column = ownOf(shape.columns, name!)
    if (column && column.type !== 'String')
      throw spot.fault(`"${name}" is of type ${column.type}`, 'A tenant is a text.')
    return columnOf(spot, shape, alias, name!)
  }
  const relation = ownOf(shape.relations, name!)
  if (!relation || relation.list)
    throw spot.fault(
      `${shape.table} has no to-one relation "${name}" (in "${path}")`,
      oneOf(Object.keys(shape.relations)),
    )
  const target = targetOf(datamodel, spot, relation, name!)
  const inner = `t${depth}`
  const on = relation.to.map(
    (field, index) =>
      `${columnOf(spot, target, inner, field)} = ${columnOf(spot, shape, alias, relation.from[index]!)}`,
  )
  const found = follow(datamodel, spot, target, inner, rest.join('.'), depth + 1)
  return `(SELECT ${found} FROM ${tableOf(target)} ${inner} WHERE ${on.join(' AND ')})`
}

function targetOf(datamodel: Datamodel, spot: Spot, relation: RelationShape, name: string): ModelShape {
  const shape = ownOf(datamodel, relation.model)
  if (shape) return shape
  throw spot.fault(`"${name}" leads to ${relation.model}, which the data model lacks`, 'Run npm run generate.')
}

function columnOf(spot: Spot, shape: ModelShape, alias: string, name: string): string {
  const column = ownOf(shape.columns, name)
  if (!column) throw spot.fault(`${shape.table} has no column "${name}"`, oneOf(Object.keys(shape.columns)))
  return `${alias}.${quote(column.column)}`
}
