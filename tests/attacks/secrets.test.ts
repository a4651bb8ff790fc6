import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { trace } from '@opentelemetry/api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRequests } from '../../app/requests.ts'
import { serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { signedHeaders } from '../../gateway/signature.ts'
import { settleAlert } from '../../ml/alerts/store.ts'
import { MODEL_KIND } from '../../ml/model-version.ts'
import { describeConfig, loadConfig } from '../../platform/config.ts'
import { openDatabase } from '../../platform/database.ts'
import { withSpan } from '../../platform/telemetry.ts'
import { localViewer } from '../../platform/viewer.ts'
import { ask } from '../gateway/stand.ts'
import { recordSpans } from '../platform/recorded-spans.ts'
import { type KeyedApp, openKeyedApp } from './keyed-app.ts'

const canary = (name: string) => `CANARY-${name}-of-thirty-two-characters`
const canaries = {
  database: canary('database'),
  tokens: canary('tokens'),
  gateway: canary('gateway'),
  llm: canary('llm'),
  webhookPath: canary('webhook-path'),
  webhook: canary('webhook'),
  storeKey: canary('store-key'),
  store: canary('store'),
  bearer: canary('bearer'),
  redis: canary('redis'),
} as const

/** Row 49. Every secret is in use, and whoever it is used with refuses it and repeats all that it was sent. */
describe('row 49: secrets', () => {
  const folder = mkdtempSync(join(tmpdir(), 'inkling-secrets-'))
  const spans = recordSpans()
  /** What was answered and thrown. */
  const said: string[] = []
  const asked: string[] = []
  let parrot: Server
  let keyed: KeyedApp
  let environment: Record<string, string>
  let admin: string

  beforeAll(async () => {
    parrot = createServer((request, response) => {
      const repeated = `${request.url} ${JSON.stringify(request.headers)}`
      asked.push(repeated)
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { message: `Not with this: ${repeated}` } }))
    })
    await new Promise<void>((resolve) => parrot.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(parrot.address() as AddressInfo).port}`
    process.env.INKLING_TEST_LLM_KEY = canaries.llm // providers' keys are read where their file refers to them
    const file = join(folder, 'llm.config.yaml')
    writeFileSync(
      file,
      `providers: { parrot: { kind: openai-compatible, baseUrl: '${url}/v1', local: true, apiKey: '\${INKLING_TEST_LLM_KEY}' } }
targets: { parrot: { provider: parrot, llm: any, price: { input: 1, output: 1 } } }\n`,
    )
    environment = {
      INKLING_AUTH_SECRET: canaries.tokens,
      INKLING_GATEWAY_SECRET: canaries.gateway,
      INKLING_ALERT_WEBHOOK: `${url}/hooks/${canaries.webhookPath}`,
      INKLING_ALERT_SECRET: canaries.webhook,
      INKLING_ALERT_PRIVATE: 'on',
      INKLING_ARTEFACTS: 's3://versions/inkling',
      INKLING_ARTEFACTS_ENDPOINT: url,
      INKLING_ARTEFACTS_KEY: canaries.storeKey,
      INKLING_ARTEFACTS_SECRET: canaries.store,
      INKLING_LLM_CONFIG: file,
    }
    keyed = await openKeyedApp(environment, 120)
    admin = await keyed.token(['admin'], 'default', 'root')
    await keyed.app.jobs.start()
  })
  afterAll(async () => {
    await keyed.close()
    await new Promise((resolve) => parrot.close(resolve))
    delete process.env.INKLING_TEST_LLM_KEY
    trace.disable()
    rmSync(folder, { recursive: true, force: true })
  })

  const tell = async (query: string, variables: object = {}, token = admin) => {
    const answer = await keyed.send(token, query, variables)
    said.push(answer.text, JSON.stringify([...answer.headers]))
    return answer
  }
  const fail = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => new Error('It did not fail'),
      (thrown: unknown) => thrown,
    )
    said.push(inspect(error, { depth: 10 }))
    return error as Error
  }

  it('are refused by everybody, and a training leaves its receipt', async () => {
    for (const host of ['127.0.0.1:9', 'localhost:9'])
      for (const address of [
        `postgres://inkling:${canaries.database}@${host}/rows`,
        `postgres://${host}/rows?user=inkling&password=${canaries.database}`,
      ])
        expect(
          await fail(withSpan('inkling.read', {}, () => openDatabase({ url: address, log: keyed.ground.log }))),
        ).toMatchObject({
          code: 'DATABASE_UNAVAILABLE',
        })

    const completion =
      'mutation { completion(input: { prompt: "Hello" }) { __typename ... on Error { message hint } } }'
    expect((await tell(completion)).json.data.completion.__typename).toBe('UnavailableError')

    const { registry } = keyed.app
    const version = { kind: MODEL_KIND, name: 'churn', state: 'REGISTERED', reasons: [], createdBy: 'tests' } as const
    const artefacts = { onnx: new Uint8Array(2 ** 21) }
    expect(await fail(registry.register({ ...version, artefacts, schemaHash: 'none', contents: {} }))).toMatchObject({
      code: 'UNAVAILABLE',
    })

    const { jobs, monitoring } = keyed.app
    const subject = { tenant: 'default', model: 'churn', owner: null, versionId: null }
    const finding = {
      rule: 'drift',
      state: 'RAISED',
      message: 'It drifts.',
      breaches: [],
      rows: 1,
      from: null,
      to: null,
    }
    await settleAlert(keyed.database, subject, finding as never, monitoring.onAlertEvent(localViewer))
    const [told] = (await jobs.list({ viewer: localViewer, first: 1, kinds: ['alert-webhook'] })).jobs
    expect(await jobs.ended(told!.id)).toMatchObject({ state: 'FAILED', error: { code: 'WEBHOOK_REFUSED' } })

    for (const token of [canaries.bearer, `${admin}x`])
      expect((await tell('{ models { name } }', {}, token)).status).toBe(401)

    const train = 'mutation { trainModel(input: { model: "churn" }) { ... on TrainModelPayload { job { id } } } }'
    const { json } = await tell(train)
    expect(await keyed.app.jobs.ended(json.data.trainModel.job.id)).toMatchObject({ state: 'SUCCEEDED' })
    await tell(
      '{ jobs(first: 10) { nodes { kind state error { message hint } } } learners(first: 5) { nodes { churn { probability } } } }',
    )

    for (const name of ['llm', 'webhookPath', 'storeKey'] as const)
      expect([name, asked.some((text) => text.includes(canaries[name]))]).toEqual([name, true])
  })

  it('of the gateway are not told to who forges its signature', async () => {
    const opened = new AsyncDisposableStack()
    const { app, ground } = keyed
    const served = await serveSubgraph({
      subgraph: app.subgraphs[0]!,
      secret: canaries.gateway,
      ...{ host: '127.0.0.1', port: 0, log: ground.log },
      ...(await openRequests(ground, opened)),
    })
    const body = '{"query":"{ __typename }"}'
    const request = { requestId: 'forged', now: new Date(), instant: new Date() }
    for (const [secret, status] of [
      [canaries.gateway, 200],
      ['a guess of thirty-two characters!', 401],
    ] as const) {
      const headers = { ...signedHeaders(request, `Bearer ${admin}`, body, secret), 'content-type': 'application/json' }
      const answer = await ask(served.url, { method: 'POST', headers, body })
      expect(answer.status).toBe(status)
      said.push(answer.text, JSON.stringify([...answer.headers]))
    }
    await served.close()
    await opened.disposeAsync()
  })

  it('are in no log, trace, error, receipt, row or list of settings', async () => {
    const { registry } = keyed.app
    const [version] = await registry.list(MODEL_KIND, 'churn', 1)
    const receipt = Buffer.from(await registry.artefact(version!, 'receipt')).toString()
    const config = {
      ...environment,
      DATABASE_URL: `postgres://me:${canaries.database}@db/x`,
      REDIS_URL: `redis://:${canaries.redis}@cache`,
    }
    const places = {
      log: keyed.logged(),
      trace: JSON.stringify(spans),
      errors: said.join('\n'),
      receipt,
      rows: await rowsOf(keyed),
      settings: JSON.stringify(describeConfig(loadConfig(config), config)),
    }
    for (const [place, text] of Object.entries(places)) {
      expect([place, text.length > 200]).toEqual([place, true])
      for (const [name, secret] of Object.entries({ ...canaries, token: admin }))
        expect([place, name, text.includes(secret)]).toEqual([place, name, false])
    }
    expect(places.settings).toContain(`${new URL(environment.INKLING_ALERT_WEBHOOK!).origin}/***`)
    expect(spans.map(({ name }) => name)).toEqual(expect.arrayContaining(['job', 'inkling.train']))
    expect(spans.flatMap(({ errors }) => errors)).toMatchObject(Array(4).fill({ code: 'DATABASE_UNAVAILABLE' }))
  })
})

/** Every row of the library's own tables as text. */
async function rowsOf({ database }: KeyedApp): Promise<string> {
  const { rows: tables } = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'inkling'`,
  )
  let text = ''
  for (const { name } of tables) {
    const { rows } = await database.query<{ row: string }>(`SELECT t::text AS row FROM inkling."${name}" t`)
    text += rows.map(({ row }) => row).join('\n')
  }
  return text
}
