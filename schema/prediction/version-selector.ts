import { GraphQLScalarType, Kind } from 'graphql'
import { refused } from './refused.ts'

const PATTERN = /^([A-Za-z][A-Za-z0-9_-]{0,62}|[1-9]\d{0,8})$/

function parseSelector(value: unknown): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text === 'string' && PATTERN.test(text)) return text
  throw refused('A VersionSelector is an alias such as CHAMPION or SHADOW, or the number of a version such as "7".')
}

/** Written bare, as a text or as a number: [CHAMPION, "shadow", 7]. */
export const versionSelectorScalar = new GraphQLScalarType<string, string>({
  name: 'VersionSelector',
  description: 'A version of a model: an alias such as CHAMPION or "shadow", or a number such as 7 or "7".',
  serialize: (value) => String(value),
  parseValue: parseSelector,
  parseLiteral: (node) => {
    if (node.kind === Kind.ENUM || node.kind === Kind.STRING || node.kind === Kind.INT) return parseSelector(node.value)
    return parseSelector(null)
  },
})
