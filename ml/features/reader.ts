import { InklingError } from '../../platform/errors.ts'
import { compileCondition } from './conditions.ts'
import { type Datamodel, type ModelShape, tableOf } from './datamodel.ts'
import { type EntityKey, pairsFrom, pairValues } from './keys.ts'
import type { FeatureRow, FeatureValue, Pair, SqlClient } from './model.ts'
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

/** Compiles features and eligibility to one statement over pairs. Throws FEATURE_INVALID. */
export function createReader(
  model: string,
  datamodel: Datamodel,
  root: ModelShape,
  key: EntityKey,
  features: ReadonlyMap<string, FeatureDefinition>,
  eligible: Condition | undefined,
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
  const sql = [
    `SELECT ${isThere} AS "present", ${isEligible} AS "eligible",\n  ${statement.outputs()}`,
    `FROM ${pairsFrom(key)}`,
    `LEFT JOIN ${tableOf(root)} e ON ${on}`,
    statement.joins(),
    'ORDER BY p.place',
  ]
    .filter((line) => line !== '')
    .join('\n')
  const functions = [...features.values()].map(({ reading }) =>
    reading.form === 'select' ? String(reading.compute) : null,
  )
  return {
    sql,
    shape: [sql, statement.values, functions],
    async read(client, pairs) {
      if (pairs.length === 0) return []
      const values = [...pairValues(key, pairs), ...statement.values]
      const rows = await query<Row[]>(client, model, sql, values)
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

/** Runs a statement of a model. Rejects with FEATURE_READ_FAILED; what the database said is the cause. */
export async function query<T>(client: SqlClient, model: string, sql: string, values: readonly unknown[]): Promise<T> {
  try {
    return await client.$queryRawUnsafe<T>(sql, ...values)
  } catch (cause) {
    throw readFault(
      `Model "${model}": the database did not answer a read`,
      'Check that the database is up and that its tables agree with the Prisma schema (inkling doctor).',
      cause,
    )
  }
}

export function readFault(message: string, hint: string, cause?: unknown): InklingError {
  return new InklingError('FEATURE_READ_FAILED', message, hint, cause === undefined ? undefined : { cause })
}
