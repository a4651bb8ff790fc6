import { GraphQLError } from 'graphql'
import { isInklingError } from '../../platform/errors.ts'

/** Runs a query's work; an error that was expected keeps its code and hint, where a query has no union to answer with. */
export async function expected<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isInklingError(error)) throw error
    throw new GraphQLError(error.message, { extensions: { code: error.code, hint: error.hint } })
  }
}
