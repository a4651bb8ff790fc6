export type SqlType = 'text' | 'text[]' | 'float8' | 'int' | 'boolean' | 'timestamptz' | 'date'

/** A SQL text in the making: values never enter the text, they are bound and named by their place. */
export interface Statement {
  /** Takes a value and answers with its placeholder, such as `$3::text`. */
  bind(value: unknown, type: SqlType): string
  readonly values: readonly unknown[]
}

export function createStatement(): Statement {
  const values: unknown[] = []
  return {
    values,
    bind(value, type) {
      values.push(value instanceof Date ? value.toISOString() : value)
      return `$${values.length}::${type}`
    },
  }
}
