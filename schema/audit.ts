import { defaultFieldResolver, GraphQLError, type GraphQLField, type GraphQLSchema } from 'graphql'
import { askedBy, shapeOf } from '../platform/audit.ts'
import { isInklingError } from '../platform/errors.ts'
import type { RequestContext } from '../platform/request.ts'
import { Failure } from './errors.ts'

/**
 * Has every mutation recorded with what became of it, refusals too. It stands around the field itself, so that neither the
 * gateway nor a call past it comes to the field without.
 */
export function auditMutations(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) record(field)
}

function record(field: GraphQLField<unknown, RequestContext>): void {
  const { resolve = defaultFieldResolver } = field
  field.resolve = async (source, args, context, info) => {
    const keep = (outcome: string) => {
      const input = shapeOf('input' in args ? args.input : args)
      context.audit?.record({ ...askedBy(context), field: info.fieldName, input, outcome })
    }
    try {
      const answer = await resolve(source, args, context, info)
      keep(answer instanceof Failure ? answer.code : 'OK')
      return answer
    } catch (error) {
      keep(codeOf(error))
      throw error
    }
  }
}

function codeOf(error: unknown): string {
  if (isInklingError(error)) return error.code
  const code = error instanceof GraphQLError ? error.extensions.code : null
  return typeof code === 'string' ? code : 'INTERNAL'
}
