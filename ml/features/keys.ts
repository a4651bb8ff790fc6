import { InklingError } from '../../platform/errors.ts'
import { FEW_KEYS } from '../../platform/statement-names.ts'
import { type ColumnShape, isMoment, isZoned, type ModelShape, quote } from './datamodel.ts'
import type { KeyValues, Pair } from './model.ts'
import type { Spot } from './spot.ts'

/** The key of an entity: its fields, how they are passed to SQL and how they come back. */
export interface EntityKey {
  readonly fields: readonly string[]
  /** PostgreSQL types of the parameters, in the order of the fields. */
  readonly types: readonly string[]
  /** Columns of "e" as comparable with parameters of those types. */
  readonly columns: readonly string[]
  /** Texts of a key's values; null for a value that no row of this type can have. Throws BAD_USER_INPUT when a field is missing. */
  encode(key: KeyValues): (string | null)[]
  /** The key from output columns "k0", "k1" ... */
  decode(row: Readonly<Record<string, unknown>>): KeyValues
}

export function entityKey(entity: string, shape: ModelShape, spot: Spot): EntityKey {
  const columns = shape.key.map((field) => shape.columns[field]!)
  if (columns.length === 0) throw spot.fault(`${entity} has no key`, 'Give the Prisma model an @id, @@id or @unique.')
  const types = columns.map((column, index) => typeOf(column, shape.key[index]!, spot))
  return {
    fields: shape.key,
    types,
    columns: columns.map((column) => `e.${quote(column.column)}${column.kind === 'enum' ? '::text' : ''}`),
    encode(key) {
      return shape.key.map((field, index) => {
        const value = Object.hasOwn(key, field) ? key[field] : undefined
        if (value === undefined || value === null)
          throw new InklingError(
            'BAD_USER_INPUT',
            `A key of ${entity} lacks "${field}".`,
            `A key of ${entity} has the fields ${shape.key.join(', ')}.`,
          )
        const text = String(value)
        return canBe(text, types[index]!) ? text : null
      })
    },
    decode: (row) => Object.fromEntries(shape.key.map((field, index) => [field, keyValueOf(row[`k${index}`])])),
  }
}

function typeOf(column: ColumnShape, field: string, spot: Spot): string {
  if (column.kind === 'enum') return 'text'
  if (column.type === 'String') return column.native === 'Uuid' ? 'uuid' : 'text'
  if (column.type === 'Int' || column.type === 'BigInt') return 'bigint'
  if (column.type === 'Decimal') return 'numeric'
  if (isMoment(column)) return isZoned(column) ? 'timestamptz' : 'timestamp'
  throw spot.fault(
    `the key "${field}" is of type ${column.type}`,
    'A key is made of texts, whole numbers, decimals or dates.',
  )
}

/** What a type cannot hold is looked up as null and so not found: a malformed key is a client's fault, not a failed query. */
function canBe(text: string, type: string): boolean {
  switch (type) {
    case 'uuid':
      return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
    case 'bigint':
      return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text)
    case 'numeric':
      return /^-?\d{1,60}(\.\d{1,60})?$/.test(text)
    case 'text':
      return text.isWellFormed() && !text.includes('\0')
    default:
      return /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) && !Number.isNaN(Date.parse(text))
  }
}

function keyValueOf(value: unknown): string | number {
  if (typeof value === 'number' || typeof value === 'string') return value
  return value instanceof Date ? value.toISOString() : String(value)
}

/**
 * FROM clause of pairs: "p" has the key columns k0, k1 ..., "at", "atUtc" and "place", the order of the pairs. Parameters:
 * one array per key field, then the moments. tenants: the number of one more array, the column "tenant".
 */
export function pairsFrom({ types }: EntityKey, tenants?: number): string {
  const names = types.map((_, index) => `k${index}`)
  const arrays = [...types.map((type, index) => `$${index + 1}::${type}[]`), `$${types.length + 1}::timestamptz[]`]
  const more = tenants === undefined ? [] : ['tenant']
  if (tenants !== undefined) arrays.push(`$${tenants}::text[]`)
  return (
    `(SELECT ${[...names, ...more].map((name) => `u.${name}, `).join('')}u."at", u."at" AT TIME ZONE 'UTC' AS "atUtc", u.place ` +
    `FROM unnest(${arrays.join(', ')}) WITH ORDINALITY AS u(${[...names, '"at"', ...more, 'place'].join(', ')})) p`
  )
}

/** As `pairsFrom`, without moments. */
export function keysFrom({ types }: EntityKey): string {
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`)
  return `unnest(${arrays.join(', ')}) WITH ORDINALITY AS p(${[...types.map((_, index) => `k${index}`), 'place'].join(', ')})`
}

/** The parameters of `keysFrom`. */
export function keyValues(key: EntityKey, keys: readonly KeyValues[]): unknown[] {
  const encoded = keys.map((values) => key.encode(values))
  return key.fields.map((_, index) => arrayOf(encoded.map((values) => values[index]!)))
}

/** The parameters of `pairsFrom`. */
export function pairValues(key: EntityKey, pairs: readonly Pair[]): unknown[] {
  return [
    ...keyValues(
      key,
      pairs.map((pair) => pair.key),
    ),
    arrayOf(momentTexts(pairs)),
  ]
}

/** The parameter of a pair's tenants. */
export function tenantValues(pairs: readonly Pair[]): unknown {
  return arrayOf(pairs.map(({ tenant }) => tenant ?? null))
}

/** Clients look at each element of an array, which for many takes longer than to write the array as PostgreSQL reads it. */
function arrayOf(texts: (string | null)[]): (string | null)[] | string {
  if (texts.length <= FEW_KEYS) return texts
  const json = JSON.stringify(texts)
  if (!json.includes('\\')) return `{${json.slice(1, -1)}}`
  return `{${texts.map((text) => (text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`)).join()}}`
}

/** Nearly always all pairs look from one moment. */
function momentTexts(pairs: readonly Pair[]): string[] {
  let last: Date | null = null
  let text = ''
  return pairs.map((pair) => {
    if (pair.asOf !== last) text = momentText(pair)
    last = pair.asOf
    return text
  })
}

function momentText({ asOf }: Pair): string {
  if (!Number.isNaN(asOf.getTime()) && asOf.getUTCFullYear() >= 1 && asOf.getUTCFullYear() <= 9999)
    return asOf.toISOString()
  throw new InklingError('BAD_USER_INPUT', 'A moment is not a date between the years 1 and 9999.', 'Give a valid asOf.')
}
