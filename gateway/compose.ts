import { composeServices } from '@theguild/federation-composition'
import { parse } from 'graphql'
import { InklingError } from '../platform/errors.ts'
import type { Subgraph } from '../platform/request.ts'

/** The parts of a subgraph that composition reads. */
export type ComposedSubgraph = Pick<Subgraph, 'name' | 'sdl'>

/**
 * The supergraph SDL of these subgraphs. `urls` names where each is served; in one process nothing is dialled, and the name
 * stands in. Throws CONFIG_INVALID listing every fault, each with its subgraph and field.
 */
export function composeSupergraph(
  subgraphs: readonly ComposedSubgraph[],
  urls: Readonly<Record<string, string>> = {},
): string {
  const composed = composeServices(
    subgraphs.map(({ name, sdl }) => ({
      name,
      url: urls[name] ?? `http://${name}.inprocess/graphql`,
      typeDefs: parse(sdl, { noLocation: true }),
    })),
  )
  if (composed.supergraphSdl) return composed.supergraphSdl
  const faults = composed.errors?.map((error) => error.message) ?? []
  throw new InklingError(
    'CONFIG_INVALID',
    `The subgraphs ${subgraphs.map(({ name }) => `"${name}"`).join(', ')} do not compose: ${faults.join('; ')}`,
    'Types that several subgraphs hold must be identical and @shareable; entities of others are extended by key alone.',
  )
}
