import { openRequests } from '../../app/requests.ts'
import { type App, createApp } from '../../app.ts'
import type { Ground } from '../../cli/ground.ts'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { listen } from '../../gateway/server.ts'
import type { Model } from '../../ml/define.ts'
import { startScoring } from '../../ml/scores/scoring-job.ts'
import { registerVersion, trainVersion } from '../../ml/training.ts'
import { churn } from '../../models/churn.ts'
import { struggle } from '../../models/struggle.ts'
import type { Authentication } from '../../platform/authentication.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { localViewer, type Viewer } from '../../platform/viewer.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { scalars } from '../../schema/scalars.ts'
import { openTestDatabase, silent } from '../harness.ts'

/** Stands in every text that a person of the other tenant left behind. */
export const MARKER = 'MARKER-of-the-other-tenant'
/** The same in the names of the default tenant's. */
export const HOME = 'HOME-of-the-default-tenant'
export const secret = 'between gateway and subgraph'

/** A viewer as a header: the tenant, the id, then scopes. */
export const tokenOf = (tenant: string, ...scopes: string[]) =>
  `Bearer ${tenant}/viewer of ${tenant}/${scopes.join(' ')}`

export function viewerOf(header: string | undefined): Viewer {
  const [tenant = 'nobody', id = 'nobody', scopes = ''] = header?.replace('Bearer ', '').split('/') ?? []
  return { tenant, id, scopes: scopes.split(' ').filter(Boolean) }
}

/** Believes what a header says: who may sign what is tested elsewhere. */
export const authentication: Authentication = {
  isRequired: false, // no rates: what is tested here asks as often as it can
  authenticate: async (header) => ({ viewer: viewerOf(header) }),
}

/** Keys of one tenant's things, one of each kind. */
export interface Things {
  readonly learnerId: string
  readonly courseId: string
  readonly presentationId: string
  readonly objectiveId: string
  readonly enrollmentId: string
  readonly jobId: string
  readonly scheduleId: string
}

export interface Answer {
  readonly status: number
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers of every shape
  readonly json: any
}

/** A way in: a gateway that listens. */
export interface Door {
  readonly gateway: Gateway
  readonly url: string
  /** URL of each subgraph that is served by itself. */
  readonly urls: Readonly<Record<string, string>>
  ask(token: string, query: string, variables?: object): Promise<Answer>
  close(): Promise<void>
}

export interface TenantStand {
  readonly app: App
  readonly ground: Ground
  readonly database: Database
  /** Things of `default` and of `other`. */
  readonly things: Readonly<Record<'default' | 'other', Things>>
  /** Statements about rows and scores since the last reset. */
  readonly statements: { count: number }
  /** local: everything in one process; http: each subgraph behind a port of its own. */
  open(transport: 'local' | 'http'): Promise<Door>
  close(): Promise<void>
}

/** A migrated, empty database and what an app stands on. */
export async function openTenantGround(): Promise<Ground> {
  const database = await openTestDatabase()
  const config = loadConfig({ LOG_LEVEL: 'error', INKLING_NOW: '2026-11-20T12:00:00Z' })
  const clock = await createClock(database, config)
  const learning = learningClient(database)
  const close = async () => {
    await learning.$disconnect()
    await database.close()
  }
  return { config, log: silent, database, clock, learning, artefacts: null, close }
}

/** Two schools in one database, `default` and `other`, with versions that serve and stored scores. */
export async function openTenantStand(): Promise<TenantStand> {
  const ground = await openTenantGround()
  const { database, clock, learning } = ground
  const statements = countStatements(database)
  await seedSchool(database, { seed: 7, learners: 60, now: clock.now() })
  await seedSchool(database, { seed: 8, learners: 50, now: clock.now(), tenant: 'other' })
  await mark(database)
  const app = await createApp(ground, { authentication })
  await app.jobs.start()
  for (const model of [churn, struggle] as readonly Model[]) {
    const task = { client: learning, now: clock.now(), seed: 1, candidates: 'quick' } as const
    const trained = await trainVersion({ ...model, minimumRows: 50, split: ['group'] }, task)
    await registerVersion(app.registry, trained, { promote: 'always', createdBy: 'tests' })
  }
  await app.serving.refresh()
  for (const { name } of [churn, struggle]) {
    const job = await startScoring(app, { model: name, everyone: true }, { viewer: localViewer })
    const { state, error } = await app.jobs.ended(job.id)
    if (state !== 'SUCCEEDED') throw new Error(`${name} was not scored: ${JSON.stringify(error)}`)
  }
  const things = { default: await thingsOf(app, database, 'default'), other: await thingsOf(app, database, 'other') }
  return {
    app,
    ground,
    database,
    things,
    statements,
    open: (transport) => openDoor(app, ground, transport),
    async close() {
      await app.close()
      await ground.close()
    },
  }
}

async function openDoor(app: App, ground: Ground, transport: 'local' | 'http'): Promise<Door> {
  await using opening = new AsyncDisposableStack()
  const { requestOf, renew } = await openRequests(ground, opening, authentication)
  const requests = { requestOf, renew }
  const served: ServedSubgraph[] = []
  if (transport === 'http')
    for (const subgraph of app.subgraphs)
      served.push(await serveSubgraph({ subgraph, ...requests, secret, host: '127.0.0.1', port: 0, log: silent }))
  const urls = Object.fromEntries(served.map(({ url }, index) => [app.subgraphs[index]!.name, url]))
  const gateway = await createGateway({
    subgraphs: app.subgraphs,
    scalars,
    log: silent,
    production: false,
    transport: transport === 'http' ? { urls, secret } : 'local',
    ...requests,
  })
  const server = await listen({
    gateway,
    host: '127.0.0.1',
    port: 0,
    shutdownSeconds: 2,
    checks: async () => ({}),
  })
  const url = `${server.url}/graphql`
  const opened = opening.move()
  return {
    gateway,
    url,
    urls,
    ask: (token, query, variables) => post(url, JSON.stringify({ query, variables }), { authorization: token }),
    async close() {
      await server.drain()
      await gateway.close()
      for (const subgraph of served) await subgraph.close()
      await opened.disposeAsync()
    },
  }
}

export async function post(url: string, body: string, headers: Record<string, string>): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const { extensions: _cost, ...json } = await response.json() // what predictions cost is measured in milliseconds
  return { status: response.status, text: JSON.stringify(json), json }
}

/** Every text of the other tenant's people and courses says whose it is; keys begin with the tenant's name. */
async function mark(database: Database): Promise<void> {
  await database.query(
    `UPDATE learning."Learner" SET name = CASE tenant WHEN 'other' THEN '${MARKER} ' ELSE '${HOME} ' END || name`,
  )
  await database.query(`UPDATE learning."Course" SET title = '${MARKER} ' || title WHERE tenant = 'other'`)
  await database.query(
    `UPDATE learning."Objective" SET title = '${MARKER} ' || title WHERE "presentationId" IN
       (SELECT p.id FROM learning."Presentation" p JOIN learning."Course" c ON c.id = p."courseId" WHERE c.tenant = 'other')`,
  )
}

async function thingsOf(app: App, database: Database, tenant: string): Promise<Things> {
  const { rows } = await database.query<Omit<Things, 'jobId' | 'scheduleId'>>(
    `SELECT l.id AS "learnerId", c.id AS "courseId", p.id AS "presentationId", o.id AS "objectiveId", e.id AS "enrollmentId"
     FROM learning."Learner" l
     JOIN learning."Enrollment" e ON e."learnerId" = l.id
     JOIN learning."Presentation" p ON p.id = e."presentationId"
     JOIN learning."Course" c ON c.id = p."courseId"
     JOIN learning."Objective" o ON o."presentationId" = p.id
     JOIN inkling."Score" s ON s.model = 'struggle' AND s.key = '["' || l.id || '","' || o.id || '"]'
     JOIN inkling."Score" t ON t.model = 'churn' AND t.key = '["' || l.id || '"]'
     WHERE l.tenant = $1 ORDER BY l.id, o.id LIMIT 1`,
    [tenant],
  )
  const viewer = viewerOf(tokenOf(tenant, 'admin'))
  const job = await startScoring(app, { model: 'churn' }, { viewer })
  await app.jobs.ended(job.id)
  const schedule = await app.jobs.schedules.create(
    {
      name: `${tenant === 'other' ? MARKER : 'own'} nightly`,
      kind: 'score',
      input: { model: 'churn' },
      expression: '0 3 * * *',
    },
    viewer,
  )
  if (!rows[0]) throw new Error(`${tenant} has no learner with both scores`)
  return { ...rows[0], jobId: job.id, scheduleId: schedule.id }
}

function countStatements(database: Database): { count: number } {
  const statements = { count: 0 }
  const query = database.pool.query.bind(database.pool) as (...given: unknown[]) => unknown
  database.pool.query = ((...given: unknown[]) => {
    const [first] = given as [string | { text: string }]
    const text = typeof first === 'string' ? first : first.text
    if (/"?learning"?\.|inkling\."Score"/.test(text)) statements.count++ // a worker looks for jobs all the while
    return query(...given)
  }) as typeof database.pool.query
  return statements
}
