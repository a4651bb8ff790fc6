import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionSetNode,
} from 'graphql'
import type { Limits } from '../platform/limits.ts'

export { defaultLimits, type Limits } from '../platform/limits.ts'

interface Measures {
  depth: number
  introspectionDepth: number
  aliases: number
  fields: number
  directives: number
  selections: number
}

const nothing: Measures = { depth: 0, introspectionDepth: 0, aliases: 0, fields: 0, directives: 0, selections: 0 }

/** The error of the first limit that a document exceeds, or null. Fragments are measured once each, so a bomb costs no more than its text. */
export function exceededLimit(document: DocumentNode, limits: Limits): GraphQLError | null {
  const fragments = new Map(
    document.definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map((fragment) => [fragment.name.value, fragment]),
  )
  const measure = measurer(fragments)
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue // a fragment counts where it is spread
    const measures = measure(definition.selectionSet)
    const directives = measures.directives + (definition.directives?.length ?? 0)
    const exceeded =
      measures.depth > limits.depth
        ? 'nests too deeply'
        : measures.introspectionDepth > limits.introspectionDepth
          ? 'introspects too deeply'
          : measures.aliases > limits.aliases
            ? 'has too many aliases'
            : measures.fields > limits.rootFields
              ? 'has too many root fields'
              : directives > limits.directives
                ? 'has too many directives'
                : measures.selections > limits.selections
                  ? 'selects too many fields'
                  : null
    if (exceeded) return operationLimit(`The operation ${exceeded}.`)
  }
  return null
}

/** A refusal that names the kind of limit and no number: numbers help nobody but who probes them. */
export function operationLimit(message: string): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'OPERATION_LIMIT',
      hint: 'Ask for less at once: fewer aliases, smaller pages, several requests.',
    },
  })
}

function measurer(fragments: ReadonlyMap<string, FragmentDefinitionNode>) {
  // A fragment under measurement counts as empty: cycles end here, and validation refuses them afterwards.
  const known = new Map<string, Measures>()

  const ofFragment = (name: string): Measures => {
    const done = known.get(name)
    if (done) return done
    const fragment = fragments.get(name)
    if (!fragment) return nothing
    known.set(name, nothing)
    const measures = ofSelections(fragment.selectionSet)
    known.set(name, measures)
    return measures
  }

  const ofField = (field: FieldNode): Measures => {
    const inner = field.selectionSet ? ofSelections(field.selectionSet) : nothing
    const isIntrospection = field.name.value === '__schema' || field.name.value === '__type'
    return {
      depth: isIntrospection ? 0 : inner.depth + 1,
      introspectionDepth: isIntrospection ? inner.depth + 1 : inner.introspectionDepth,
      aliases: inner.aliases + (field.alias ? 1 : 0),
      fields: 1,
      directives: inner.directives,
      selections: inner.selections,
    }
  }

  const ofSelections = (set: SelectionSetNode): Measures => {
    const total = { ...nothing }
    for (const selection of set.selections) {
      const part =
        selection.kind === Kind.FIELD
          ? ofField(selection)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? ofSelections(selection.selectionSet)
            : ofFragment(selection.name.value)
      total.depth = Math.max(total.depth, part.depth)
      total.introspectionDepth = Math.max(total.introspectionDepth, part.introspectionDepth)
      total.aliases += part.aliases
      total.fields += part.fields
      total.directives += part.directives + (selection.directives?.length ?? 0)
      total.selections += part.selections + 1
    }
    return total
  }
  return ofSelections
}
