import type { KeyValues } from '../define.ts'

/**
 * A key as one text: a JSON array of its values, by the alphabetical order of their fields. Equal keys have equal texts, whoever
 * wrote them: 7 and "7", { a, b } and { b, a }.
 */
export function keyText(key: KeyValues): string {
  const fields = Object.keys(key)
  if (fields.length > 1) fields.sort()
  return JSON.stringify(fields.map((field) => String(key[field])))
}

/**
 * The texts of keys as one text that PostgreSQL reads as an array of them; a driver that quotes a thousand texts one by one takes ten times
 * as long. They have no control characters, so that nothing but quotes and backslashes is escaped: in JSON as in an array.
 */
export function keyTexts(keys: readonly KeyValues[]): string {
  return `{${JSON.stringify(keys.map(keyText)).slice(1, -1)}}`
}

/** The key that a text was made of; values are texts. fields: those of the entity's key, in any order. */
export function keyOfText(fields: readonly string[], text: string): KeyValues {
  const values = JSON.parse(text) as string[]
  const byName = new Map([...fields].sort().map((field, place) => [field, values[place]!]))
  return Object.fromEntries(fields.map((field) => [field, byName.get(field)!]))
}
