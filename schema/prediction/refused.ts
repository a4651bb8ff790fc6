import { GraphQLError } from 'graphql'

/** An argument that the schema's types let through and that cannot be. */
export function refused(message: string, hint?: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', ...(hint ? { hint } : {}) } })
}
