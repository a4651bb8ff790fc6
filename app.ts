// Composition root: database -> engines -> subgraphs -> gateway, everything in one process. Start reading here. The rooms of
// app/ make the parts; app/roles.ts puts fewer of them into processes of their own.
import { checkGround, checkModels, checkWorker } from './app/checks.ts'
import { createChores } from './app/chores.ts'
import { openEdge } from './app/edge.ts'
import { type Engines, openEngines } from './app/engines.ts'
import { openRequests } from './app/requests.ts'
import { createSubgraphs } from './app/subgraphs.ts'
import type { Ground } from './cli/ground.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { ListeningServer } from './gateway/server.ts'
import { createV1Route } from './llm/v1/routes.ts'
import type { Authentication } from './platform/authentication.ts'
import type { Subgraph } from './platform/request.ts'

export type { Engines } from './app/engines.ts'

/** What tests put in the place of what the settings say. */
export interface AppOptions {
  readonly authentication?: Authentication
}

export interface App extends Engines {
  readonly subgraphs: readonly Subgraph[]
  readonly gateway: Gateway
  /** Starts the models' first training where nothing serves yet. Resolves with the jobs' ids by model. */
  trainMissing(): Promise<ReadonlyMap<string, string>>
  /** From now on scores everyone when another version serves, and those whose rows changed. */
  keepScores(): Promise<void>
  listen(options: { readonly host: string; readonly port: number }): Promise<ListeningServer>
  /** Ends jobs and engines; the ground stays open. */
  close(): Promise<void>
}

/** Makes everything that one process runs. Nothing listens and no job runs before `listen` and `jobs.start`. */
export async function createApp(ground: Ground, options: AppOptions = {}): Promise<App> {
  const { config } = ground
  const works = config.INKLING_WORKER === 'on'
  await using unfinished = new AsyncDisposableStack() // what fails half way closes what it had opened
  const requests = await openRequests(ground, unfinished, options.authentication)
  const engines = await openEngines(ground, { scores: true, works }, unfinished)
  const subgraphs = await createSubgraphs(ground, engines)
  const { gateway, listen } = await openEdge(ground, { subgraphs, transport: 'local', requests })
  unfinished.defer(() => gateway.close())
  const chores = createChores(ground, engines)
  unfinished.defer(() => chores.stop())
  const opened = unfinished.move()

  return {
    ...engines,
    subgraphs,
    gateway,
    trainMissing: () => chores.trainMissing(),
    async keepScores() {
      if (works) await chores.keepScores()
    },
    listen: ({ host, port }) =>
      listen({
        host,
        port,
        routes: { '/v1/': createV1Route(engines.llm) },
        checks: async () => ({
          ...(await checkGround(ground)),
          models: await checkModels(engines, chores.firstJobs),
          worker: checkWorker(engines, works),
        }),
      }),
    close: () => opened.disposeAsync(),
  }
}
