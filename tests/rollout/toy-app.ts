import { createGateway } from '../../gateway/gateway.ts'
import { listen } from '../../gateway/server.ts'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { Model } from '../../ml/define.ts'
import { createShadowing, type Shadowing } from '../../ml/rollout/shadow.ts'
import { createServing, type Serving } from '../../ml/serving.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { trainingJob } from '../../ml/training-job.ts'
import type { Database } from '../../platform/database.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'
import { localViewer } from '../../platform/viewer.ts'
import { createRegistry, type Registry } from '../../registry/registry.ts'
import { createBuilder } from '../../schema/builder.ts'
import { entityExtensions, toSubgraph } from '../../schema/federation.ts'
import { createJobsSubgraph } from '../../subgraphs/jobs/subgraph.ts'
import { createMlSubgraph } from '../../subgraphs/ml/subgraph.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { quickPulse } from '../jobs/kinds.ts'
import { countingClient, fillToys, toyModel } from '../ml/toy-model.ts'

export const now = new Date('2026-06-01')

/** Toys behind a real gateway: rows in one subgraph, predictions in another, and a worker that trains. */
export interface ToyApp {
  readonly database: Database
  readonly registry: Registry
  readonly serving: Serving
  readonly shadow: Shadowing
  readonly jobs: Jobs
  readonly model: Model
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  ask(query: string, variables?: object): Promise<any>
  send(query: string, variables?: object): Promise<{ status: number; body: string }>
  close(): Promise<void>
}

export async function startToyApp(rows: number): Promise<ToyApp> {
  const database = await openTestDatabase()
  await fillToys(database, rows)
  const registry = createRegistry(database)
  const client = countingClient(database)
  const model = toyModel()
  const models = [model]
  const serving = await createServing({ registry, models, log: silent })
  const shadow = createShadowing({ database, serving, log: silent })
  const training = trainingJob({ database, registry, clock: { now: () => now } as never, client, models })
  const jobs = await createJobs({ database, log: silent, worker: true, pulse: quickPulse, kinds: [training] })
  await jobs.start()
  const request = (requestId: string): RequestContext => ({
    requestId,
    viewer: localViewer,
    now,
    instant: new Date(),
    log: silent,
  })
  const gateway = await createGateway({
    subgraphs: [
      toysSubgraph(database),
      createMlSubgraph({ database, registry, serving, shadow, jobs, models, client, seed: 7 }),
      createJobsSubgraph({ database, jobs }),
    ],
    log: silent,
    production: false,
    transport: 'local',
    requestOf: ({ requestId }: { requestId: string }) => request(requestId),
    renew: (given: RequestContext) => ({ ...given, instant: new Date() }),
  } as never)
  const server = await listen({
    gateway,
    host: '127.0.0.1',
    port: 0,
    shutdownSeconds: 2,
    checks: async () => ({ database: { ok: true, says: 'up' } }),
  })
  async function send(query: string, variables?: object) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return { status: response.status, body: await response.text() }
  }
  return {
    database,
    registry,
    serving,
    shadow,
    jobs,
    model,
    send,
    async ask(query, variables) {
      const { body } = await send(query, variables)
      const { data, errors } = JSON.parse(body)
      if (errors) throw new Error(JSON.stringify(errors))
      return data
    },
    async close() {
      await server.drain()
      await gateway.close()
      await jobs.stop({ graceMs: 0 })
      await shadow.close()
      await serving.close()
      await database.close()
    },
  }
}

/** Trains versions, each with a seed of its own. None is promoted. */
export async function registerToys({ database, registry, model }: ToyApp, count: number): Promise<void> {
  const client = countingClient(database)
  for (let seed = 0; seed < count; seed++) {
    const trained = await trainVersion(model, { client, now, seed, candidates: 'quick' })
    await registerVersion(registry, trained, { promote: 'never', createdBy: 'tests' })
  }
}

function toysSubgraph(database: Database): Subgraph {
  const builder = createBuilder<{ Context: RequestContext; PrismaTypes: object }>()
  const ToyRef = builder.objectRef<{ id: string }>('Toy').implement({
    description: 'A toy.',
    directives: { key: { fields: 'id' } } as never,
    extensions: entityExtensions((reference: { id: string }) => reference),
    fields: (t) => ({ id: t.exposeID('id', { description: 'Its id.' }) }),
  })
  builder.queryType({
    fields: (t) => ({
      toys: t.field({
        type: [ToyRef],
        description: 'Toys by id.',
        args: { first: t.arg.int({ required: true, description: 'How many.' }) },
        resolve: async (_root, { first }) =>
          (await database.query<{ id: string }>('SELECT id::text FROM toy ORDER BY toy.id LIMIT $1', [first])).rows,
      }),
    }),
  })
  return toSubgraph('toys', builder.toSchema(), (request) => request)
}
