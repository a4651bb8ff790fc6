import { Writable } from 'node:stream'
import { type App, createApp } from '../../app.ts'
import type { Ground } from '../../cli/ground.ts'
import { signToken } from '../../platform/authentication.ts'
import { learningClient } from '../../platform/clients.ts'
import { createClock } from '../../platform/clock.ts'
import { loadConfig } from '../../platform/config.ts'
import type { Database } from '../../platform/database.ts'
import { createLog } from '../../platform/log.ts'
import { seedSchool } from '../../prisma/learning/seed/school.ts'
import { openArtefactStore } from '../../registry/stores/open.ts'
import { type Answer, ask } from '../gateway/stand.ts'
import { openTestDatabase } from '../harness.ts'

export interface KeyedApp {
  readonly app: App
  readonly ground: Ground
  readonly database: Database
  readonly url: string
  /** Everything logged so far. */
  logged(): string
  token(scopes: readonly string[], tenant?: string, subject?: string): Promise<string>
  send(token: string | null, query: string, variables?: object, headers?: Record<string, string>): Promise<Answer>
  close(): Promise<void>
}

/** The product with keys and without trained models, in this process; its log is kept. */
export async function openKeyedApp(settings: Record<string, string>, learners = 40): Promise<KeyedApp> {
  const database = await openTestDatabase()
  const config = loadConfig({ INKLING_NOW: '2026-11-20T12:00:00Z', ...settings })
  let lines = ''
  const log = createLog(
    'trace',
    new Writable({
      write(line, _encoding, done) {
        lines += line
        done()
      },
    }),
  )
  const learning = learningClient(database)
  const clock = await createClock(database, config)
  const ground: Ground = {
    config,
    log,
    database,
    clock,
    learning,
    artefacts: openArtefactStore(config),
    close: () => database.close(),
  }
  await seedSchool(database, { seed: 7, learners, now: clock.now() })
  const app = await createApp(ground)
  const server = await app.listen({ host: '127.0.0.1', port: 0 })
  const url = `${server.url}/graphql`
  return {
    app,
    ground,
    database,
    url,
    logged: () => lines,
    token: (scopes, tenant = 'default', subject = 'ada') =>
      signToken(config, { subject, tenant, scopes, seconds: 600 }),
    send: (token, query, variables, headers = {}) =>
      ask(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        body: JSON.stringify({ query, variables }),
      }),
    async close() {
      await server.drain()
      await app.close()
      await learning.$disconnect()
      await database.close()
    },
  }
}
