import {
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import type { Choices } from './choices.ts'
import { jsonOf, literalOf, makeValue } from './values.ts'

export interface Generated {
  readonly query: string
  readonly variables: Readonly<Record<string, unknown>>
}

export interface GenerateOptions {
  readonly schema: GraphQLSchema
  readonly operation: 'query' | 'mutation'
  readonly choices: Choices
  /** Keys of things of every tenant, and of nothing. */
  readonly keys: readonly string[]
  /** Fields and arguments that are left out: `Type.field`, `field(argument)`. */
  readonly without: ReadonlySet<string>
}

const DEEPEST = 5

/** One operation: roots, fields, arguments, aliases, fragments, directives and variables, valid but for a few slips on purpose. */
export function generateOperation({ schema, operation, choices, keys, without }: GenerateOptions): Generated {
  const declared: string[] = []
  const variables: Record<string, unknown> = {}
  const fragments: string[] = []
  let made = 0

  function argumentsOf(field: GraphQLField<unknown, unknown>): string {
    const chosen = field.args.filter(
      (argument) => !without.has(`${field.name}(${argument.name})`) && (isRequired(argument) || choices.percent(35)),
    )
    if (chosen.length === 0) return ''
    return `(${chosen.map((argument) => `${argument.name}: ${argumentOf(argument)}`).join(', ')})`
  }

  function argumentOf(argument: GraphQLArgument): string {
    const value = makeValue(argument.type, choices, keys)
    if (!choices.percent(35)) return literalOf(value)
    const name = `v${++made}`
    declared.push(`$${name}: ${argument.type}`)
    variables[name] = jsonOf(value)
    return `$${name}`
  }

  function fieldOf(field: GraphQLField<unknown, unknown>, depth: number): string {
    const alias = choices.percent(15) ? `a${++made}: ` : ''
    const directive = choices.percent(4)
      ? choices.of([' @include(if: true)', ' @skip(if: false)', ' @skip(if: true)'])
      : ''
    const name = choices.percent(1) ? `${field.name}x` : field.name
    const inner = getNamedType(field.type)
    const selection = isCompositeType(inner) ? ` ${selectionOf(inner, depth + 1)}` : ''
    return `${alias}${name}${argumentsOf(field)}${directive}${selection}`
  }

  function selectionOf(type: GraphQLCompositeType, depth: number): string {
    const fields = isObjectType(type) || 'getFields' in type ? Object.values(type.getFields()) : []
    const leaves = fields.filter((field) => !isCompositeType(getNamedType(field.type)))
    const allowed = (depth >= DEEPEST ? leaves : fields).filter((field) => !without.has(`${type.name}.${field.name}`))
    const parts = ['__typename']
    for (let left = 1 + choices.below(3); left > 0 && allowed.length > 0; left--)
      parts.push(fieldOf(choices.of(allowed), depth))
    if (isAbstractType(type))
      for (const possible of schema.getPossibleTypes(type).slice(0, 1 + choices.below(3)))
        parts.push(`... on ${possible.name} ${depth >= DEEPEST ? '{ __typename }' : selectionOf(possible, depth + 1)}`)
    if (choices.percent(5)) parts.push(`... on ${type.name} { __typename }`)
    if (choices.percent(4)) {
      const name = `F${++made}`
      fragments.push(`fragment ${name} on ${type.name} { __typename }`)
      parts.push(`...${name}`)
    }
    return `{ ${parts.join(' ')} }`
  }

  const root = operation === 'query' ? schema.getQueryType()! : schema.getMutationType()!
  const roots = Object.values(root.getFields()).filter((field) => !without.has(`${root.name}.${field.name}`))
  const count = operation === 'query' ? 1 + choices.below(2) : 1
  const selected = Array.from({ length: count }, () => fieldOf(choices.of(roots), 1))
  const declaration = declared.length > 0 ? `(${declared.join(', ')})` : ''
  return { query: [`${operation} Fuzz${declaration} { ${selected.join(' ')} }`, ...fragments].join('\n'), variables }
}

function isRequired({ type, defaultValue }: GraphQLArgument): boolean {
  return isNonNullType(type) && defaultValue === undefined
}
