import { readFileSync } from 'node:fs'
import type { Ground } from '../cli/ground.ts'
import type { Subgraph } from '../platform/request.ts'
import { createJobsSubgraph } from '../subgraphs/jobs/subgraph.ts'
import { createLearningSubgraph } from '../subgraphs/learning/subgraph.ts'
import { createMlSubgraph } from '../subgraphs/ml/subgraph.ts'
import type { Engines } from './engines.ts'

type MakeSubgraph = (ground: Ground, engines: Engines) => Subgraph

/** The graph's parts by name, each a role of its own. A new subgraph is one line here. */
const makers = {
  learning: ({ learning }) => createLearningSubgraph({ prisma: learning }),
  ml: ({ database, learning, config }, engines) =>
    createMlSubgraph({ ...engines, database, client: learning, seed: config.INKLING_SEED }),
  jobs: (_ground, { jobs }) => createJobsSubgraph({ jobs }),
} as const satisfies Record<string, MakeSubgraph>

export type SubgraphName = keyof typeof makers
export const subgraphNames = Object.keys(makers) as SubgraphName[]

export function createSubgraph(name: SubgraphName, ground: Ground, engines: Engines): Subgraph {
  return (makers[name] as MakeSubgraph)(ground, engines)
}

export function createSubgraphs(ground: Ground, engines: Engines): Subgraph[] {
  return subgraphNames.map((name) => createSubgraph(name, ground, engines))
}

/** The printed contract of a subgraph of this release: all that a gateway needs to know of one that runs elsewhere. */
export function readContract(name: SubgraphName): Pick<Subgraph, 'name' | 'sdl'> {
  return { name, sdl: readFileSync(new URL(`../schema/sdl/${name}.graphql`, import.meta.url), 'utf8') }
}
