import { readFileSync } from 'node:fs'
import type { Ground } from '../cli/ground.ts'
import type { SubgraphTransport } from '../gateway/transport.ts'
import type { Subgraph } from '../platform/request.ts'
import type { Engines } from './engines.ts'

/** ml: how the ml subgraph is reached where it is not in this process. */
type MakeSubgraph = (ground: Ground, engines: OpenEngines, ml?: SubgraphTransport) => Promise<Subgraph>

/** Opens the engines when they are first asked for. */
export type OpenEngines = () => Promise<Engines>

/** The graph's parts by name, each a role of its own that loads no code of the others. A new subgraph is one entry here. */
const makers = {
  async learning({ learning }) {
    const { createLearningSubgraph } = await import('../subgraphs/learning/subgraph.ts')
    return createLearningSubgraph({ prisma: learning })
  },
  async ml({ database, learning, config }, engines) {
    const { createMlSubgraph } = await import('../subgraphs/ml/subgraph.ts')
    const { INKLING_SEED: seed, INKLING_IMPORT_DIR: importFolder } = config
    const opened = await engines()
    return createMlSubgraph({ ...opened, ...opened.monitoring, database, client: learning, seed, importFolder })
  },
  async jobs({ database }, engines) {
    const { createJobsSubgraph } = await import('../subgraphs/jobs/subgraph.ts')
    return createJobsSubgraph({ ...(await engines()), database })
  },
  async llm(ground, engines, ml) {
    const [{ createLlmSubgraph }, { askElsewhere, askHere, createReasons }] = await Promise.all([
      import('../subgraphs/llm/subgraph.ts'),
      import('./reasons.ts'),
    ])
    const { llm, models } = await engines()
    let made: Promise<Subgraph> | null = null
    const here = () => {
      made ??= createSubgraph('ml', ground, engines)
      return made
    }
    return createLlmSubgraph({
      llm,
      reasonsOf: createReasons(models, ml ? askElsewhere(ml) : askHere(here)),
    })
  },
} as const satisfies Record<string, MakeSubgraph>

export type SubgraphName = keyof typeof makers
export const subgraphNames = Object.keys(makers) as SubgraphName[]

export function createSubgraph(
  name: SubgraphName,
  ground: Ground,
  engines: OpenEngines,
  ml?: SubgraphTransport,
): Promise<Subgraph> {
  return (makers[name] as MakeSubgraph)(ground, engines, ml)
}

export function createSubgraphs(ground: Ground, engines: Engines): Promise<Subgraph[]> {
  return Promise.all(subgraphNames.map((name) => createSubgraph(name, ground, async () => engines)))
}

/** The printed contract of a subgraph of this release: all that a gateway needs to know of one that runs elsewhere. */
export function readContract(name: SubgraphName): Pick<Subgraph, 'name' | 'sdl'> {
  return { name, sdl: readFileSync(new URL(`../schema/sdl/${name}.graphql`, import.meta.url), 'utf8') }
}
