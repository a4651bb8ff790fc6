import { FEW_KEYS, settledSql } from '../../platform/statement-names.ts'
import { compileCondition } from './conditions.ts'
import { type Datamodel, type ModelShape, tableOf } from './datamodel.ts'
import { type EntityKey, pairsFrom, pairValues, tenantValues } from './keys.ts'
import type { FeatureRow, FeatureValue, Pair, SqlClient } from './model.ts'
import type { Owner } from './owner.ts'
import { type Packed, packedSql, unpack } from './packing.ts'
import { query, readFault } from './query.ts'
import type { Condition, FeatureDefinition } from './reading.ts'
import { compileSelect } from './select.ts'
import { type Spot, spotOf } from './spot.ts'
import { createStatement, type Statement } from './statement.ts'
import { compileValue, toFeatureValue } from './values.ts'

type Row = Readonly<Record<string, unknown>>
type Decode = (row: Row, asOf: Date) => unknown

export interface Reader {
  /** The SQL of a read: the same text for any number of pairs. */
  readonly sql: string
  /** Everything that decides what a read means: the SQL, its fixed parameters, and functions of `f.from`. */
  readonly shape: readonly unknown[]
  read(client: SqlClient, pairs: readonly Pair[]): Promise<readonly FeatureRow[]>
}

/**
 * Compiles features and eligibility to one statement over pairs. owner: with it a pair's tenant is minded in the statement itself, which joins
 * no row of another tenant's entity. What a version depends on is the same with and without. Throws FEATURE_INVALID.
 */
export function createReader(
  model: string,
  datamodel: Datamodel,
  root: ModelShape,
  key: EntityKey,
  features: ReadonlyMap<string, FeatureDefinition>,
  eligible: Condition | undefined,
  owner?: Owner,
): Reader {
  const statement = createStatement(datamodel, root, key.fields.length + 1)
  const columns = [...features].map(([name, feature]) => {
    const spot = spotOf(model, `feature "${name}"`)
    return { name, kind: feature.kind, decode: compileFeature(statement, spot, feature) }
  })
  const isThere = `${key.columns[0]} IS NOT NULL`
  const isEligible = eligible
    ? `(${isThere} AND ${compileCondition(statement, spotOf(model, 'eligible'), eligible)})`
    : `(${isThere})`
  const on = key.columns.map((column, index) => `${column} = p.k${index}`).join(' AND ')
  const sqlOf = (pairs: string, isOwn: string) =>
    [
      `SELECT ${isThere} AS "present", ${isEligible} AS "eligible",\n  ${statement.outputs()}`,
      `FROM ${pairs}`,
      `LEFT JOIN ${tableOf(root)} e ON ${on}${isOwn}`,
      statement.joins(),
      'ORDER BY p.place',
    ]
      .filter((line) => line !== '')
      .join('\n')
  const sql = sqlOf(pairsFrom(key), '')
  const functions = [...features.values()].map(({ reading }) =>
    reading.form === 'select' ? String(reading.compute) : null,
  )
  const kinds = columns.map(({ kind }) => kind)
  // Functions of `f.from` are given columns of any type: those come as they are.
  const isPacked = functions.every((compute) => compute === null)
  const asked = (text: string) => {
    const many = isPacked ? packedSql(text, kinds) : text
    return { few: settledSql(many), many }
  }
  const anybodys = asked(sql)
  const tenants = key.fields.length + 2 + statement.values.length
  const ofTenants =
    owner && asked(sqlOf(pairsFrom(key, tenants), ` AND (p.tenant IS NULL OR ${owner.isOf('p.tenant')})`))
  return {
    sql,
    shape: [sql, statement.values, functions],
    async read(client, pairs) {
      if (pairs.length === 0) return []
      const minds = ofTenants !== undefined && pairs.some(({ tenant }) => tenant !== undefined)
      const { few, many } = minds ? ofTenants : anybodys
      const text = pairs.length <= FEW_KEYS ? few : many
      const values = [...pairValues(key, pairs), ...statement.values, ...(minds ? [tenantValues(pairs)] : [])]
      if (isPacked) {
        const [row] = await query<Packed[]>(client, model, text, values)
        return unpack(row!, kinds)
      }
      const rows = await query<Row[]>(client, model, text, values)
      return rows.map((row, index) => ({
        eligible: row.eligible === true,
        values: columns.map((column) => featureValueOf(model, column, row, pairs[index]!.asOf)),
      }))
    },
  }
}

function compileFeature(statement: Statement, spot: Spot, { reading, kind }: FeatureDefinition): Decode {
  if (reading.form !== 'select') {
    const output = statement.output(compileValue(statement, spot, reading, kind))
    return (row) => row[output]
  }
  if (!reading.immutable)
    throw spot.fault(
      'f.from reads plain columns, and an earlier value of one that changes is gone',
      'Declare it with { immutable: true } if none of the selected columns ever changes.',
    )
  const selected = compileSelect(statement, spot, reading.select)
  const compute = reading.compute as (row: unknown, asOf: Date) => unknown
  return (row, asOf) => compute(selected(row), asOf)
}

function featureValueOf(
  model: string,
  { name, kind, decode }: { name: string; kind: 'number' | 'category'; decode: Decode },
  row: Row,
  asOf: Date,
): FeatureValue {
  if (row.present !== true) return null // nobody: not even a count of 0
  let value: unknown
  try {
    value = decode(row, asOf)
  } catch (cause) {
    throw readFault(
      `Model "${model}", feature "${name}": its function threw`,
      'Make it answer null for what it cannot tell.',
      cause,
    )
  }
  const converted = toFeatureValue(value, kind)
  if (converted !== undefined) return converted
  throw readFault(
    `Model "${model}", feature "${name}" is no ${kind}: it is a ${typeof value}`,
    `Return a ${kind} or null.`,
  )
}
