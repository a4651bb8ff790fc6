import type { ObjectRef } from '@pothos/core'
import { getRefFromModel } from '@pothos/plugin-prisma'
import type { LearningClient } from '../../platform/clients.ts'
import type { RequestContext } from '../../platform/request.ts'
import type PrismaTypes from '../../prisma/learning/generated/pothos.ts'
import { getDatamodel } from '../../prisma/learning/generated/pothos.ts'
import { createBuilder } from '../../schema/builder.ts'
import type { Reads, RowOf } from './rows/reads.ts'

/** The resolvers' context of one request. */
export interface LearningContext extends RequestContext {
  readonly prisma: LearningClient
  readonly reads: Reads
}

export type LearningBuilder = ReturnType<typeof createLearningBuilder>

export function createLearningBuilder() {
  return createBuilder<{ Context: LearningContext; PrismaTypes: PrismaTypes }>({
    client: ({ prisma }) => prisma as never,
    dmmf: getDatamodel(),
  })
}

/** The GraphQL type of a Prisma model, also before it is registered: types refer to one another in circles. */
export function typeOf<Name extends keyof PrismaTypes & string>(builder: LearningBuilder, name: Name) {
  return getRefFromModel(name, builder) as unknown as ObjectRef<LearningBuilder['$inferSchemaTypes'], RowOf<Name>>
}
