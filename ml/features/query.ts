import { InklingError } from '../../platform/errors.ts'
import type { SqlClient } from './model.ts'

/** Runs a statement of a model. Rejects with FEATURE_READ_FAILED; what the database said is the cause. */
export async function query<T>(client: SqlClient, model: string, sql: string, values: readonly unknown[]): Promise<T> {
  try {
    return await client.$queryRawUnsafe<T>(sql, ...values)
  } catch (cause) {
    throw readFault(
      `Model "${model}": the database did not answer a read`,
      'Check that the database is up and that its tables agree with the Prisma schema (inkling doctor).',
      cause,
    )
  }
}

export function readFault(message: string, hint: string, cause?: unknown): InklingError {
  return new InklingError('FEATURE_READ_FAILED', message, hint, cause === undefined ? undefined : { cause })
}
