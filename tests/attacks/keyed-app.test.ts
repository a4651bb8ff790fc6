import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeConfig, loadConfig } from '../../platform/config.ts'
import { type KeyedApp, openKeyedApp } from './keyed-app.ts'

const secret = 'CANARY-secret-of-thirty-two-characters'
const settings = { INKLING_AUTH_SECRET: secret, INKLING_RATE_VIEWER_MUTATIONS: '30' }
const train = 'mutation T($input: TrainModelInput!) { trainModel(input: $input) { __typename ... on Error { code } } }'
const auditLog = '{ auditLog(first: 50) { nodes { viewerId requestId field input outcome } } }'

describe('the product with keys', () => {
  let keyed: KeyedApp
  let admin: string
  beforeAll(async () => {
    keyed = await openKeyedApp(settings)
    admin = await keyed.token(['admin'], 'default', 'root')
  })
  afterAll(() => keyed.close())

  it('answers nothing without a token, but whether it is well', async () => {
    expect((await keyed.send(null, '{ learners { totalCount } }')).status).toBe(401)
    expect((await keyed.send(admin, '{ learners { totalCount } }')).json.data.learners.totalCount).toBe(40)
    const health = await fetch(new URL('/ready', keyed.url))
    expect([200, 503]).toContain(health.status)
  })

  it('keeps every mutation and every refused one in the audit, for administrators of the tenant alone', async () => {
    const reader = await keyed.token(['learning:read'], 'default', 'eve')
    const as = (requestId: string) => ({ 'x-request-id': requestId })
    const input = { model: 'CANARY-no-such-model' }
    expect((await keyed.send(admin, train, { input }, as('audit-1'))).json.data.trainModel.code).toBe('MODEL_UNKNOWN')
    expect((await keyed.send(reader, train, { input }, as('audit-2'))).json.errors[0].extensions.code).toBe('FORBIDDEN')
    const wrong = await keyed.send(admin, train, { input: { model: 7 } }, as('audit-3'))
    expect(wrong.json.errors[0].extensions.code).toBe('BAD_USER_INPUT')
    await keyed.send(admin, `mutation { ${'cancelJob '.repeat(40)} }`, {}, as('audit-4'))
    await keyed.send(admin, 'mutation { noSuchMutation(input: {}) { id } }', {}, as('audit-5'))
    const job =
      'mutation { cancelJob(input: { id: "11111111-1111-4111-8111-111111111111", reason: "CANARY note" }) { __typename } }'
    await keyed.send(admin, job, {}, as('audit-6'))
    await expect
      .poll(async () => {
        const { json } = await keyed.send(admin, auditLog)
        return json.data.auditLog.nodes
          .map((entry: Record<string, unknown>) => [entry.requestId, entry.viewerId, entry.field, entry.outcome])
          .filter(([requestId]: string[]) => requestId!.startsWith('audit-'))
      })
      .toEqual([
        ['audit-6', 'root', 'cancelJob', 'JOB_UNKNOWN'],
        ['audit-5', 'root', 'noSuchMutation', 'GRAPHQL_VALIDATION_FAILED'],
        ...Array.from({ length: 10 }, () => ['audit-4', 'root', 'cancelJob', 'OPERATION_LIMIT']),
        ['audit-3', 'root', 'trainModel', 'BAD_USER_INPUT'],
        ['audit-2', 'eve', 'trainModel', 'FORBIDDEN'],
        ['audit-1', 'root', 'trainModel', 'MODEL_UNKNOWN'],
      ])
    const { json } = await keyed.send(admin, auditLog)
    expect(JSON.stringify(json)).not.toContain('CANARY note')
    expect((await keyed.send(reader, auditLog)).json.errors[0].extensions.code).toBe('FORBIDDEN')
    const foreign = await keyed.send(await keyed.token(['admin'], 'other'), auditLog)
    expect(foreign.json.data.auditLog.nodes).toEqual([])
  })

  it('answers 429 and when to come back to who changes too much', async () => {
    const busy = await keyed.token(['jobs:write'], 'default', 'busy')
    const query = 'mutation { retryJob(input: { id: "11111111-1111-4111-8111-111111111111" }) { __typename } }'
    let answer = await keyed.send(busy, query)
    for (let count = 0; count < 30; count++) answer = await keyed.send(busy, query)
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([429, 'RATE_LIMITED'])
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    expect((await keyed.send(busy, '{ __typename }')).status).toBe(200)
  })

  it('says no secret in its log, its answers or its doctor (canaries)', async () => {
    const { rows } = await keyed.database.query<{ id: string }>('SELECT "id" FROM "learning"."Learner" LIMIT 1')
    await keyed.database.query('UPDATE "learning"."Learner" SET "name" = $1 WHERE "id" = $2', [
      'CANARY Ada',
      rows[0]!.id,
    ])
    const token = await keyed.token(['learning:read'])
    const headers = { cookie: 'session=CANARY-cookie', 'x-api-key': 'CANARY-header', 'x-request-id': 'canary' }
    let answers = ''
    for (const [query, variables] of [
      ['{ learners(first: 1) { nodes { id churnScore churnUnavailable { code message hint } } } }'],
      ['query($id: ID!) { learner(id: $id) { nope } }', { id: 'CANARY-variable' }],
      [train, { input: { model: 'churn', note: 'CANARY-note' } }],
      ['{ learner(id: "CANARY-literal") { id } }'],
    ] as [string, object?][]) {
      for (const who of [token, `${token}x`, 'CANARY-token']) {
        const { text } = await keyed.send(who, query, variables, headers)
        answers += text.replaceAll(/CANARY-(variable|note)/g, '') // what is wrong with it is said to who sent it, and to nobody else
        expect(text).not.toContain(who)
      }
    }
    const log = keyed.logged()
    expect(log.length).toBeGreaterThan(100)
    for (const text of [answers, log]) {
      for (const canary of [
        secret,
        token,
        'CANARY-cookie',
        'CANARY-header',
        'CANARY-token',
        'CANARY-note',
        'CANARY Ada',
        'CANARY note',
      ])
        expect([canary, text.includes(canary)]).toEqual([canary, false])
    }
    const environment = {
      ...settings,
      DATABASE_URL: 'postgres://me:CANARY-password@db/x',
      INKLING_GATEWAY_SECRET: secret,
    }
    expect(JSON.stringify(describeConfig(loadConfig(environment), environment))).not.toContain('CANARY')
  })
})

it('masks passwords and tokens that errors of libraries quote', async () => {
  const keyed: string[] = []
  const { createLog } = await import('../../platform/log.ts')
  const log = createLog('info', { write: (line: string) => keyed.push(line) })
  const error = Object.assign(new Error('connect postgres://me:CANARY@db/x'), {
    detail: 'Key (name)=(CANARY) exists',
    code: '23505',
  })
  log.error({
    event: 'failed',
    err: error,
    reason: 'redis://:CANARY@cache',
    token: 'eyJhbGciOiJIUzI1NiJ9.eyJDQU5BUlkiOjF9.sig',
  })
  expect(keyed.join()).not.toMatch(/CANARY|eyJ/)
  expect(JSON.parse(keyed[0]!)).toMatchObject({ event: 'failed', err: { type: 'Error', code: '23505' } })
})
