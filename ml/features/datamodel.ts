/** One column of a model, as the data model generator writes it. */
export interface ColumnShape {
  readonly column: string
  readonly type: string
  readonly kind: string
  readonly list: boolean
  /**
   * The native type's name ("Timestamptz", "Uuid"); null: Prisma's default for the type, which for DateTime is a timestamp
   * without time zone that holds UTC. Absent in older generated files: DateTime is then taken for a timestamptz.
   */
  readonly native?: string | null
}

export interface RelationShape {
  readonly model: string
  readonly list: boolean
  /** Fields of this model, in the order of `to`; empty for an implicit many-to-many relation. */
  readonly from: readonly string[]
  readonly to: readonly string[]
}

export interface ModelShape {
  readonly table: string
  readonly schema: string | null
  readonly key: readonly string[]
  readonly columns: Readonly<Record<string, ColumnShape>>
  readonly relations: Readonly<Record<string, RelationShape>>
}

/** Prisma models by name with their tables, columns, keys and relations; `prisma/tooling/datamodel-generator.ts` writes it. */
export type Datamodel = Readonly<Record<string, ModelShape>>

const NUMBERS = new Set(['Int', 'Float', 'Decimal', 'BigInt'])

export const isNumber = ({ type }: ColumnShape) => NUMBERS.has(type)
export const isMoment = ({ type }: ColumnShape) => type === 'DateTime'
export const isCategory = ({ type, kind }: ColumnShape) =>
  kind === 'enum' || type === 'String' || type === 'Boolean' || NUMBERS.has(type)

/** Whether the column stores a moment with its time zone; else it stores UTC without saying so. */
export const isZoned = ({ native }: ColumnShape) => native === undefined || native === 'Timestamptz'

/** An own property only: names such as "constructor" are never found. */
export function ownOf<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}

/** Double quotes are doubled, so that a name can never end its quotation. */
export const quote = (identifier: string) => `"${identifier.replaceAll('"', '""')}"`

export const tableOf = ({ table, schema }: ModelShape) => (schema ? `${quote(schema)}.${quote(table)}` : quote(table))
