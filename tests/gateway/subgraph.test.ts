import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import { signedHeaders, verifiedVoucher } from '../../gateway/signature.ts'
import { smallGraph } from './small-graph.ts'
import { ask, moment, requestOf, silent } from './stand.ts'

const secret = 'between gateway and subgraph'
const request = { requestId: 'r-1', now: moment, instant: moment }

describe('a subgraph served alone', () => {
  let served: ServedSubgraph
  const graph = smallGraph()
  beforeAll(async () => {
    served = await serveSubgraph({
      subgraph: graph.subgraphs[0]!,
      requestOf,
      secret,
      host: '127.0.0.1',
      port: 0,
      log: silent,
    })
  })
  afterAll(() => served.close())

  const post = (body: string, headers: Record<string, string>) =>
    ask(served.url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })
  const entities = JSON.stringify({
    query: 'query($r: [_Any!]!) { _entities(representations: $r) { ... on Learner { name } } }',
    variables: { r: [{ __typename: 'Learner', id: '5' }] },
  })

  it('answers entities to the gateway', async () => {
    const { json } = await post(entities, signedHeaders(request, undefined, entities, secret))
    expect(json).toEqual({ data: { _entities: [{ name: 'Learner 5' }] } })
  })

  it('answers nothing to anybody else', async () => {
    const signed = signedHeaders(request, 'Bearer ada', entities, secret)
    const forged: Record<string, string>[] = [
      {},
      { ...signed, 'x-inkling-signature': 'AAAA' },
      { ...signed, 'x-inkling-now': new Date().toISOString() },
      { ...signed, authorization: 'Bearer admin' },
      signedHeaders(request, 'Bearer ada', entities, 'another secret'),
    ]
    for (const headers of forged) expect((await post(entities, headers)).status).toBe(401)
    expect((await post(entities.replace('"5"', '"6"'), signed)).status).toBe(401)
    expect((await ask(`${served.url}?query={__typename}`)).status).toBe(401)
  })

  it('refuses a signature older than a minute', () => {
    const signed = signedHeaders(request, undefined, 'body', secret)
    expect(verifiedVoucher(signed, 'body', secret)).toEqual({ ...request, isBulk: false })
    expect(verifiedVoucher(signed, 'body', secret, Date.now() + 61_000)).toBeNull()
    expect(verifiedVoucher(signed, 'body', secret, Date.now() - 61_000)).toBeNull()
  })

  it('verifies the token that the gateway forwards itself', async () => {
    const headers = signedHeaders(request, 'Bearer bad', entities, secret)
    const answer = await post(entities, headers)
    expect([answer.status, answer.json.errors[0].extensions.code]).toEqual([401, 'UNAUTHENTICATED'])
  })

  it('masks what it did not mean to say', async () => {
    const body = JSON.stringify({ query: '{ broken }' })
    const { text } = await post(body, signedHeaders(request, undefined, body, secret))
    expect(text).toContain('Something went wrong (request r-1)')
    expect(text).not.toContain('secret')
  })

  it('refuses bodies that are too large or no JSON, briefly', async () => {
    const huge = JSON.stringify({ query: '{ broken }', x: 'x'.repeat(17 * 1024 * 1024) })
    expect((await post(huge, signedHeaders(request, undefined, '', secret))).status).toBe(413)
    expect((await post('{', signedHeaders(request, undefined, '{', secret))).json.errors[0].extensions.code).toBe(
      'BAD_REQUEST',
    )
  })
})

it('answers with partial data and a typed error while a subgraph is down', async () => {
  const { subgraphs } = smallGraph()
  const school = await serveSubgraph({
    subgraph: subgraphs[0]!,
    requestOf,
    secret,
    host: '127.0.0.1',
    port: 0,
    log: silent,
  })
  const gateway = await createGateway({
    subgraphs,
    requestOf,
    log: silent,
    production: false,
    transport: { urls: { school: school.url, ml: 'http://127.0.0.1:9/graphql' }, secret, timeoutMs: 1_000 },
  })
  const operation = await gateway.open({ transport: 'http', headers: {}, requestId: 'r-2' })
  const result = JSON.parse(
    JSON.stringify(await gateway.run(operation, { query: '{ learner(id: "5") { name score } }' })),
  )
  expect(result.data).toEqual({ learner: { name: 'Learner 5', score: null } })
  expect(result.errors).toMatchObject([
    { message: 'The subgraph "ml" did not answer.', extensions: { code: 'UNAVAILABLE', retryable: true } },
  ])
  await gateway.close()
  await school.close()
})
