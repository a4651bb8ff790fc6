import { z } from 'zod'
import { whole } from './config-values.ts'

const perMinute = (amount: number, says: string) =>
  whole(1, 1_000_000_000, 'must be 1 to 1,000,000,000 a minute').default(amount).describe(says)

/** How often one viewer, and one tenant, may ask. Counted where tokens are asked for. */
export const rateSettings = {
  INKLING_RATE_STORE: z
    .enum(['memory', 'database', 'redis'])
    .default('memory')
    .describe('Where rates are counted: by each process for itself, or for all of them in the database or REDIS_URL.'),
  INKLING_RATE_VIEWER_OPERATIONS: perMinute(12_000, 'Operations of one viewer a minute.'),
  INKLING_RATE_TENANT_OPERATIONS: perMinute(120_000, 'Operations of one tenant a minute.'),
  INKLING_RATE_VIEWER_MUTATIONS: perMinute(1_200, 'Mutations of one viewer a minute.'),
  INKLING_RATE_TENANT_MUTATIONS: perMinute(12_000, 'Mutations of one tenant a minute.'),
  INKLING_RATE_VIEWER_INFERENCES: perMinute(1_000_000, 'Rows scored for one viewer a minute.'),
  INKLING_RATE_TENANT_INFERENCES: perMinute(10_000_000, 'Rows scored for one tenant a minute.'),
}
