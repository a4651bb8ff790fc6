import SchemaBuilder from '@pothos/core'
import DirectivesPlugin from '@pothos/plugin-directives'
import PrismaPlugin, { type PrismaClient } from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import { relayOptions } from './relay.ts'
import { dateTimeScalar, jsonScalar } from './scalars.ts'

/** The types that every subgraph's builder shares; T adds the context and what Prisma generated. */
export interface CommonTypes {
  DefaultFieldNullability: false
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    JSON: { Input: unknown; Output: unknown }
  }
}

/**
 * A Pothos builder with the house's settings: fields are non-null unless said otherwise, `PageInfo` and the scalars are the
 * same in every subgraph, there is no global `node`. `prisma` reads the client from the resolvers' context; a subgraph
 * without Prisma objects leaves it out.
 */
export function createBuilder<T extends { Context: object; PrismaTypes: object; [more: string]: unknown }>(prisma?: {
  client: (context: T['Context']) => PrismaClient
  dmmf: unknown
}) {
  const builder = new SchemaBuilder<CommonTypes & T>({
    plugins: [DirectivesPlugin, RelayPlugin, ...(prisma ? [PrismaPlugin] : [])],
    defaultFieldNullability: false,
    directives: { useGraphQLToolsUnorderedDirectives: true },
    ...(prisma
      ? { prisma: { ...prisma, exposeDescriptions: false, filterConnectionTotalCount: true, onUnusedQuery: null } }
      : {}),
    relay: relayOptions,
  } as never)
  builder.addScalarType('DateTime' as never, dateTimeScalar as never)
  builder.addScalarType('JSON' as never, jsonScalar as never)
  return builder as unknown as PothosSchemaTypes.SchemaBuilder<PothosSchemaTypes.ExtendDefaultTypes<CommonTypes & T>>
}
