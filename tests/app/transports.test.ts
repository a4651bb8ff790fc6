import { readFileSync } from 'node:fs'
import type { ExecutionResult } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../gateway/gateway.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import type { RequestContext } from '../../platform/request.ts'
import { localViewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { type AppUnderTest, startApp } from './app-under-test.ts'

const secret = 'between the gateway and its subgraphs'

const queries = [
  readFileSync(new URL('../../examples/queries/1-who-is-at-risk.graphql', import.meta.url), 'utf8'),
  readFileSync(new URL('../../examples/queries/3-models.graphql', import.meta.url), 'utf8'),
  '{ learners(first: 100, orderBy: JOINED_AT_DESC) { totalCount pageInfo { endCursor } nodes { name churnScore churnUnavailable { code message } } } }',
  '{ enrollments(first: 50) { nodes { withdrawal { probability confidence asOf } learner { name churnScore } presentation { course { title } } } } }',
  '{ learner(id: "nobody") { id } courses(first: 3) { nodes { title presentations(first: 2) { nodes { code objectives(first: 4) { nodes { title type } } } } } } }',
  '{ learners(first: -1) { nodes { id } } }',
  '{ learners(first: 2) { nodes { churn(asOf: "2199-01-01") { probability } } } }',
  'mutation { trainModel(input: { model: "nope" }) { ... on Error { message code hint } } }',
]

let under: AppUnderTest
const served: ServedSubgraph[] = []
let overHttp: Gateway
let inProcess: Gateway

beforeAll(async () => {
  under = await startApp({ learners: 1000 })
  const { subgraphs } = under.app
  const now = under.ground.clock.now()
  const instant = new Date()
  const requestOf = (client: { requestId: string }): RequestContext => ({
    requestId: client.requestId,
    viewer: localViewer,
    now,
    instant,
    log: silent,
  })
  for (const subgraph of subgraphs)
    served.push(await serveSubgraph({ subgraph, requestOf, secret, host: '127.0.0.1', port: 0, log: silent }))
  const urls = Object.fromEntries(subgraphs.map(({ name }, index) => [name, served[index]!.url]))
  const options = { subgraphs, requestOf, log: silent, production: false }
  overHttp = await createGateway({ ...options, transport: { urls, secret } })
  inProcess = await createGateway({ ...options, transport: 'local' })
})
afterAll(async () => {
  await overHttp.close()
  await inProcess.close()
  for (const { close } of served) await close()
  await under.close()
})

async function answer(gateway: Gateway, query: string): Promise<string> {
  const client = { transport: 'http', headers: {}, requestId: 'the-same' } as const
  const { extensions, ...result } = (await gateway.run(await gateway.open(client), { query })) as ExecutionResult
  // What it cost differs by its nature: milliseconds, and one call more or less to the subgraph.
  expect(Object.keys(extensions ?? {}).every((name) => name === 'ml')).toBe(true)
  return JSON.stringify(result)
}

it.each(queries.map((query) => ({ query })))(
  'answers the same to the byte in process and over HTTP: $query',
  async ({ query }) => {
    const local = await answer(inProcess, query)
    expect(await answer(overHttp, query)).toBe(local)
    expect(local).not.toContain('INTERNAL')
  },
)

describe.each(['in process', 'over HTTP'])('a row whose value is none, asked about %s', (way) => {
  let learnerId: string
  beforeAll(async () => {
    const { rows } = await under.ground.database.query<{ id: string }>(
      `SELECT l.id FROM learning."Learner" l JOIN learning."Subscription" s ON s."learnerId" = l.id
       WHERE s."startsAt" < $1 AND (s."endsAt" IS NULL OR s."endsAt" > $1)
         AND EXISTS (SELECT 1 FROM learning."Attempt" a WHERE a."learnerId" = l.id AND a."submittedAt" < $1)
       ORDER BY l.id LIMIT 1`,
      [under.ground.clock.now()],
    )
    learnerId = rows[0]!.id
  })

  const ask = async () => {
    const query = `{ learner(id: "${learnerId}") { churn { probability quality { missing unknown } } } }`
    const { data } = JSON.parse(await answer(way === 'in process' ? inProcess : overHttp, query))
    const { probability, quality } = data.learner.churn
    expect(probability >= 0 && probability <= 1).toBe(true) // NaN is neither
    return quality as { missing: string[]; unknown: string[] }
  }
  /** What the learner has of a column is put back afterwards. */
  const having = async (table: string, column: string, value: string, where: string) => {
    const { database } = under.ground
    const { rows } = await database.query<{ id: string; kept: unknown }>(
      `SELECT id, "${column}" AS kept FROM learning."${table}" WHERE "${where}" = $1`,
      [learnerId],
    )
    const set = (id: string, to: unknown) =>
      database.query(`UPDATE learning."${table}" SET "${column}" = $2 WHERE id = $1`, [id, to])
    for (const { id } of rows) await set(id, value)
    const quality = await ask()
    for (const { id, kept } of rows) await set(id, kept)
    return quality
  }

  it.each(['NaN', 'Infinity', '-Infinity', '1e39'])(
    'row 21: says that %s is not known, and is no zero',
    async (value) => {
      const { missing, unknown } = await having('Attempt', 'score', value, 'learnerId')
      expect([...missing, ...unknown]).toEqual(expect.arrayContaining(['lastScore', 'meanScore']))
    },
  )

  it.each([
    ['a category that training never saw', 'Atlantis'],
    ['an empty text', ''],
    ['a text of 1 MB', 'x'.repeat(1_000_000)],
  ])('row 22: says that %s is unknown', async (_name, value) => {
    expect((await having('Learner', 'country', value, 'id')).unknown).toEqual(['country'])
  })

  it('knows what is a value', async () => {
    const { missing, unknown } = await ask()
    for (const name of ['lastScore', 'meanScore', 'country']) expect([...missing, ...unknown]).not.toContain(name)
  })
})
