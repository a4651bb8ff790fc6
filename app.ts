// Composition root: database -> engines -> subgraphs -> gateway. Start reading here; nothing is made anywhere else.
import { readdirSync, readFileSync } from 'node:fs'
import type { Ground } from './cli/ground.ts'
import type { ClientRequest } from './gateway/client-request.ts'
import { createGateway, type Gateway } from './gateway/gateway.ts'
import type { Checks } from './gateway/health.ts'
import { type ListeningServer, listen } from './gateway/server.ts'
import { createJobs, type Jobs } from './jobs/engine.ts'
import type { Model } from './ml/define.ts'
import { watchChanges } from './ml/scores/changes.ts'
import { scoringJob } from './ml/scores/scoring-job.ts'
import { createScoreUpkeep, type ScoreUpkeep } from './ml/scores/upkeep.ts'
import { createServing, type Serving } from './ml/serving.ts'
import { startTraining, trainingJob } from './ml/training-job.ts'
import { models } from './models/index.ts'
import { watches } from './models/watches.ts'
import { pendingMigrations } from './platform/migrate.ts'
import type { RequestContext, Subgraph } from './platform/request.ts'
import { localViewer } from './platform/viewer.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import { createJobsSubgraph } from './subgraphs/jobs/subgraph.ts'
import { createLearningSubgraph } from './subgraphs/learning/subgraph.ts'
import { createMlSubgraph } from './subgraphs/ml/subgraph.ts'

/** The engines of one process, each handed to whoever needs it. */
export interface Engines {
  readonly registry: Registry
  readonly serving: Serving
  readonly jobs: Jobs
  readonly models: readonly Model[]
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
export async function createApp(ground: Ground): Promise<App> {
  const { config, log, database, clock, learning } = ground
  await using unfinished = new AsyncDisposableStack() // what fails half way closes what it had opened
  const registry = createRegistry(database)
  const serving = await createServing({ registry, models, log })
  unfinished.defer(() => serving.close())
  const jobs = await createJobs({
    database,
    log,
    worker: config.INKLING_WORKER === 'on',
    kinds: [
      trainingJob({ database, registry, clock, models, client: learning }),
      scoringJob({ database, serving, clock, models, client: learning }),
    ],
  })
  unfinished.defer(() => jobs.stop())
  const engines: Engines = { registry, serving, jobs, models }
  const subgraphs = createSubgraphs(ground, engines)
  const gateway = await createGateway({
    subgraphs,
    log,
    production: config.NODE_ENV === 'production',
    transport: 'local',
    requestOf: (client) => requestOf(ground, client),
    renew: (request) => ({ ...request, now: clock.now(), instant: new Date() }),
  })
  unfinished.defer(() => gateway.close())
  const opened = unfinished.move()
  const firstJobs = new Map<string, string>()
  let upkeep: ScoreUpkeep | null = null

  return {
    ...engines,
    subgraphs,
    gateway,
    async trainMissing() {
      for (const { model, version } of serving.states()) {
        if (version !== null || firstJobs.has(model)) continue
        const request = { model, seed: config.INKLING_SEED, candidates: 'quick', promote: 'always' } as const
        const { jobId } = await startTraining({ database, ...engines }, { ...request, viewer: localViewer })
        firstJobs.set(model, jobId)
      }
      return firstJobs
    },
    async keepScores() {
      if (config.INKLING_WORKER === 'off') return
      await watchChanges(database, watches)
      upkeep ??= createScoreUpkeep({ database, ...engines, viewer: localViewer, log })
      await upkeep.look()
    },
    listen: ({ host, port }) =>
      listen({
        gateway,
        host,
        port,
        shutdownSeconds: config.SHUTDOWN_SECONDS,
        checks: createChecks(ground, engines, firstJobs),
        examples: readExamples(),
        title: 'Inkling',
      }),
    async close() {
      await upkeep?.stop()
      await opened.disposeAsync()
    },
  }
}

/** The graph's parts. A new subgraph is one line here. */
export function createSubgraphs({ database, learning, config }: Ground, engines: Engines): Subgraph[] {
  return [
    createLearningSubgraph({ prisma: learning }),
    createMlSubgraph({ ...engines, database, client: learning, seed: config.INKLING_SEED }),
    createJobsSubgraph({ jobs: engines.jobs }),
  ]
}

/** One instant and one viewer per request. Without keys every caller is the local administrator: the server binds to loopback. */
function requestOf({ clock, log }: Ground, { requestId }: ClientRequest): RequestContext {
  return { requestId, viewer: localViewer, now: clock.now(), instant: new Date(), log: log.child({ requestId }) }
}

function createChecks(ground: Ground, { serving, jobs }: Engines, firstJobs: ReadonlyMap<string, string>): Checks {
  return async () => {
    const pending = await pendingMigrations(ground.database)
    const tried = await jobs.find([...firstJobs.values()])
    const isOver = (model: string) => tried.some(({ id, endedAt }) => id === firstJobs.get(model) && endedAt !== null)
    const states = serving.states()
    const waiting = states.filter(({ model, version }) => version === null && !isOver(model))
    const { worker } = jobs.status()
    return {
      database: { ok: true, says: ground.database.embedded ? 'embedded' : 'server' },
      migrations: {
        ok: pending.length === 0,
        says: pending.length === 0 ? 'current' : `pending: ${pending.join(', ')}`,
      },
      models: {
        ok: waiting.length === 0,
        says: states
          .map(({ model, version, problem }) => `${model}: ${version ? `version ${version}` : problem}`)
          .join('; '),
      },
      worker: { ok: worker !== null || ground.config.INKLING_WORKER === 'off', says: worker ?? 'runs elsewhere' },
    }
  }
}

/** GraphiQL's tabs: one file each; its first line is the tab's name. */
function readExamples() {
  const folder = new URL('./examples/queries/', import.meta.url)
  return readdirSync(folder)
    .filter((name) => name.endsWith('.graphql'))
    .sort()
    .map((name) => {
      const [title, ...query] = readFileSync(new URL(name, folder), 'utf8').split('\n')
      return { name: title!.replace(/^#\s*/, ''), query: query.join('\n') }
    })
}
