import { PrismaPg } from '@prisma/adapter-pg'
import { PrismaClient as LearningPrismaClient } from '../prisma/learning/generated/prisma/client.ts'
import { PrismaClient as PlatformPrismaClient } from '../prisma/platform/generated/prisma/client.ts'
import type { Database } from './database.ts'
import { statementNameOf } from './statement-names.ts'

export type LearningClient = LearningPrismaClient
export type PlatformClient = PlatformPrismaClient

/** The reference application's own client, on the one pool. */
export function learningClient(database: Database): LearningClient {
  const adapter = new PrismaPg(database.pool, { schema: 'learning', statementNameGenerator: statementNameOf })
  return new LearningPrismaClient({ adapter })
}

/** The client of Inkling's tables, on the one pool. */
export function platformClient(database: Database): PlatformClient {
  return new PlatformPrismaClient({ adapter: new PrismaPg(database.pool, { schema: 'inkling' }) })
}
