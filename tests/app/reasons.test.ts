import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askElsewhere, askHere, createReasons } from '../../app/reasons.ts'
import { httpTransport } from '../../gateway/http-transport.ts'
import { type ServedSubgraph, serveSubgraph } from '../../gateway/serve-subgraph.ts'
import type { SubgraphTransport } from '../../gateway/transport.ts'
import type { PredictionKey } from '../../llm/explanation/facts.ts'
import type { RequestContext } from '../../platform/request.ts'
import { localViewer } from '../../platform/viewer.ts'
import { silent } from '../harness.ts'
import { type AppUnderTest, startApp } from './app-under-test.ts'

describe('predictions, as the llm engine asks for them', () => {
  let under: AppUnderTest
  let payer: string
  // biome-ignore lint/suspicious/noExplicitAny: answers of every shape
  async function query(text: string): Promise<any> {
    const { data, errors } = JSON.parse((await under.send(text)).body)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const stamp = new Date()
  const token = { authorization: 'Bearer of-the-viewer' }
  const heard: (string | undefined)[] = []
  let ml: ServedSubgraph
  let transport: SubgraphTransport
  const requestOf = ({ requestId }: { requestId: string }): RequestContext => ({
    requestId,
    viewer: localViewer,
    now: under.ground.clock.now(),
    instant: stamp,
    log: silent,
  })
  beforeAll(async () => {
    under = await startApp({ learners: 1000 })
    const { learners } = await query('{ learners(first: 200) { nodes { id churnScore } } }')
    payer = learners.nodes.find((node: { churnScore: number | null }) => node.churnScore !== null).id
    ml = await serveSubgraph({
      subgraph: under.app.subgraphs.find(({ name }) => name === 'ml')!,
      requestOf(client) {
        heard.push(client.headers.authorization)
        return requestOf(client)
      },
      secret: 'of the test',
      host: '127.0.0.1',
      port: 0,
      log: silent,
    })
    transport = httpTransport({ urls: { ml: ml.url }, secret: 'of the test', log: silent })
  })
  afterAll(async () => {
    await transport.close()
    await ml.close()
    await under.close()
  })
  const asked = (key: PredictionKey, isHere: boolean, change: Partial<RequestContext> = {}) => {
    const ask = isHere
      ? askHere(async () => under.app.subgraphs.find(({ name }) => name === 'ml')!)
      : askElsewhere(transport)
    return createReasons(under.app.models, ask)(key, { ...requestOf({ requestId: 'r' }), ...token, ...change })
  }

  it.each([true, false])('are those of a query, with the strongest reasons (in this process: %s)', async (isHere) => {
    const { learner } = await query(
      `{ learner(id: "${payer}") { churn { probability riskLevel reasons(first: 5) { feature direction sentence } } } }`,
    )
    const facts = await asked({ entity: 'Learner', key: payer }, isHere)
    expect(facts).toMatchObject({ model: 'churn', ...learner.churn })
    expect(facts.others.length).toBeGreaterThan(0)
    for (const { feature } of facts.reasons) expect(facts.others).not.toContain(feature)
  })

  it('take the viewer’s token along to another process', async () => {
    heard.length = 0
    await asked({ entity: 'Learner', key: payer }, false)
    expect(heard).toEqual([token.authorization])
  })

  it.each([true, false])('are found by composite keys, given as JSON (in this process: %s)', async (isHere) => {
    const { learner } = await query(`{ learner(id: "${payer}") { progress(first: 1) { nodes { objectiveId } } } }`)
    const key = { learnerId: payer, objectiveId: learner.progress.nodes[0].objectiveId }
    const facts = await asked({ entity: 'Progress', key: JSON.stringify(key) }, isHere)
    expect(facts.model).toBe('struggle')
    for (const wrong of ['1', '{}', '[]', JSON.stringify({ ...key, more: 1 })])
      await expect(asked({ entity: 'Progress', key: wrong }, isHere)).rejects.toMatchObject({
        code: 'BAD_USER_INPUT',
        hint: 'Give it as JSON: {"learnerId":"...","objectiveId":"..."}.',
      })
  })

  it.each([true, false])('are refused as a query would be (in this process: %s)', async (isHere) => {
    const code = (key: PredictionKey, change: Partial<RequestContext> = {}) =>
      asked(key, isHere, change).then(
        () => 'answered',
        (error) => error.code,
      )
    expect(await code({ entity: 'Learner', key: 'nobody' })).toMatch(/^(NOT_FOUND|NOT_APPLICABLE)$/)
    expect(await code({ entity: 'Course', key: '1' })).toBe('BAD_USER_INPUT')
    expect(await code({ entity: 'Learner', key: '1', model: 'struggle' })).toBe('BAD_USER_INPUT')
    const other = { viewer: { id: 'eve', tenant: 'other', scopes: [] } }
    if (isHere) expect(await code({ entity: 'Learner', key: payer }, other)).toBe('FORBIDDEN')
  })

  it('say that nobody answers where ml is away', async () => {
    const gone = httpTransport({
      urls: { ml: 'http://127.0.0.1:9/graphql' },
      secret: 'x',
      log: silent,
      timeoutMs: 500,
    })
    const reasons = createReasons(under.app.models, askElsewhere(gone))
    const request = requestOf({ requestId: 'r' })
    await expect(reasons({ entity: 'Learner', key: '1' }, request)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await gone.close()
  })
})
