import { type App, createApp } from '../../app.ts'
import type { Ground } from '../../cli/ground.ts'
import type { ListeningServer } from '../../gateway/server.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import type { TypedDocumentString } from '../client/graphql.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { openBuilt } from './built-database.ts'

export interface AppUnderTest {
  readonly app: App
  readonly ground: Ground
  readonly database: Database
  readonly server: ListeningServer
  /** SQL statements about the learning rows since the last reset; the worker's heartbeat is not among them. */
  readonly statements: { count: number; texts: string[] }
  /** Sends an operation over HTTP; throws when the answer holds errors. */
  query<Result, Variables>(
    document: TypedDocumentString<Result, Variables>,
    ...variables: Variables extends Record<string, never> ? [] : [Variables]
  ): Promise<Result>
  /** Sends any text and gives back status and body as they are. */
  send(query: string, variables?: object): Promise<{ status: number; body: string }>
  close(): Promise<void>
}

/** The whole product in this process: a small simulated school, trained models, a gateway that listens on a free port. */
export async function startApp({
  learners,
  train = true,
}: {
  learners: number
  train?: boolean
}): Promise<AppUnderTest> {
  const database = train
    ? await openBuilt(`trained_${learners}`, (made) => trainSchool(made, learners))
    : await openTestDatabase()
  const statements = countStatements(database)
  const ground = await groundOn(database)
  const { learning } = ground
  if (!train) await seedSchool(database, { seed: 7, learners, now: ground.clock.now() })
  const app = await createApp(ground)
  const server = await app.listen({ host: '127.0.0.1', port: 0 })
  await app.jobs.start()

  async function send(query: string, variables?: object) {
    const response = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    return { status: response.status, body: await response.text() }
  }
  return {
    app,
    ground,
    database,
    server,
    statements,
    send,
    async query(document, ...[variables]) {
      const { body } = await send(String(document), variables as object | undefined)
      const { data, errors } = JSON.parse(body)
      if (errors) throw new Error(JSON.stringify(errors))
      return data
    },
    async close() {
      await server.drain()
      await app.close()
      await learning.$disconnect()
      await database.close()
    },
  }
}

/** A school whose models were trained as a first start trains them. */
async function trainSchool(database: Database, learners: number): Promise<void> {
  const ground = await groundOn(database)
  await seedSchool(database, { seed: 7, learners, now: ground.clock.now() })
  const app = await createApp(ground)
  await app.jobs.start()
  for (const jobId of (await app.trainMissing()).values()) await app.jobs.ended(jobId)
  await app.close()
  await ground.learning.$disconnect()
}

async function groundOn(database: Database): Promise<Ground & { learning: ReturnType<typeof learningClient> }> {
  // One moment for every run: the same rows, the same versions, whatever the day.
  const config = loadConfig({ LOG_LEVEL: 'error', INKLING_NOW: '2026-11-20T12:00:00Z' })
  const clock = await createClock(database, config)
  const learning = learningClient(database)
  return { config, log: silent, database, clock, learning, artefacts: null, close: () => database.close() }
}

/** Counts at the driver, below Prisma and everybody else. */
function countStatements(database: Database) {
  const statements = { count: 0, texts: [] as string[] }
  const query = database.pool.query.bind(database.pool)
  database.pool.query = ((...given: unknown[]) => {
    const [first] = given as [string | { text: string }]
    const text = typeof first === 'string' ? first : first.text
    if (/"?learning"?\./.test(text)) {
      statements.count++
      statements.texts.push(text)
    }
    return (query as (...same: unknown[]) => unknown)(...given)
  }) as typeof database.pool.query
  return statements
}
