import { type GraphQLInputType, isEnumType, isInputObjectType, isListType, isNonNullType, isScalarType } from 'graphql'
import type { Choices } from './choices.ts'

/** A name written without quotes: of an enum. */
export class Bare {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export type Value = null | boolean | number | string | Bare | readonly Value[] | { readonly [field: string]: Value }

const texts = [
  '',
  'a',
  'name',
  '%',
  "'; DROP TABLE x; --",
  'ünïcödé 🧪 𝔘',
  '\u0000',
  '\ud800',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'x'.repeat(300),
  'WyJJRCIsIkwwMDEiXQ',
  'churn',
  'struggle',
  'champion',
  '0 3 * * *',
]
const wholes = [0, 1, 2, 5, -1, 100, 101, 2 ** 31 - 1, 2 ** 31, -(2 ** 31) - 1]
const decimals = [0, 0.5, 1, -1, 1e-300, 1e308, -0, 3.7]
const moments = [
  '2026-11-01T00:00:00Z',
  '2026-11-20T12:00:00.000Z',
  '1970-01-01T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  'yesterday',
  '2999-01-01T00:00:00Z',
]

/** A value for an input type: mostly one that fits, now and then one that nearly does. keys: of things of every tenant. */
export function makeValue(type: GraphQLInputType, choices: Choices, keys: readonly string[], depth = 0): Value {
  if (isNonNullType(type)) return choices.percent(2) ? null : makeValue(type.ofType, choices, keys, depth)
  if (choices.percent(5)) return null
  if (choices.percent(3)) return choices.of<Value>(['wrong', -1, true, [], {}])
  if (isListType(type)) {
    const size = choices.below(3)
    return Array.from({ length: size }, () => makeValue(type.ofType, choices, keys, depth + 1))
  }
  if (isEnumType(type)) return new Bare(choices.of(type.getValues()).name)
  if (isInputObjectType(type)) {
    const fields = Object.values(type.getFields()).filter(
      (field) => (isNonNullType(field.type) && field.defaultValue === undefined) || (depth < 3 && choices.percent(30)),
    )
    return Object.fromEntries(fields.map((field) => [field.name, makeValue(field.type, choices, keys, depth + 1)]))
  }
  if (!isScalarType(type)) return null
  switch (type.name) {
    case 'ID':
      return choices.percent(85) ? choices.of(keys) : choices.of(texts)
    case 'Int':
      return choices.of(wholes)
    case 'Float':
      return choices.of(decimals)
    case 'Boolean':
      return choices.of([true, false])
    case 'DateTime':
      return choices.of(moments)
    case 'VersionSelector':
      return choices.of<Value>([new Bare('CHAMPION'), 'champion', 1, '1', 'nobody', 99])
    default:
      return choices.percent(30) ? choices.of(keys) : choices.of(texts)
  }
}

/** The value inside a document. */
export function literalOf(value: Value): string {
  if (value instanceof Bare) return value.name
  if (Array.isArray(value)) return `[${value.map(literalOf).join(', ')}]`
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, inner]) => `${name}: ${literalOf(inner)}`)
      .join(', ')}}`
  if (typeof value === 'string') return JSON.stringify(value).replace(/\\ud[89a-f][0-9a-f]{2}/gi, '\\ufffd')
  return String(value)
}

/** The value as a variable in JSON. */
export function jsonOf(value: Value): unknown {
  if (value instanceof Bare) return value.name
  if (Array.isArray(value)) return value.map(jsonOf)
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, jsonOf(inner)]))
  return value
}
