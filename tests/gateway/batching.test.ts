import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openStand, type Stand } from './stand.ts'

describe('one request', () => {
  let stand: Stand
  beforeEach(async () => {
    stand = await openStand({ limits: { pageSize: 2_000, cost: 50_000 } })
  })
  afterEach(() => stand.close())

  it('makes one context per subgraph, however many calls the plan makes', async () => {
    await stand.post(
      '{ models clock { now } learners { nodes { score courses { demand } } } learner(id: "9") { score } }',
    )
    expect(stand.graph.seen.contexts).toEqual({ school: 1, ml: 1 })
  })

  it('reads fifteen aliases of one predicted field of a thousand learners in one batch', async () => {
    const aliases = Array.from({ length: 15 }, (_, index) => `a${index}: score(scale: ${index + 1})`).join(' ')
    const { json } = await stand.post(`{ learners(first: 1000) { nodes { ${aliases} } } }`)
    expect(json.data.learners.nodes).toHaveLength(1_000)
    expect(Object.keys(json.data.learners.nodes[999])).toHaveLength(15)
    expect(stand.graph.seen.batches.map((batch) => batch.length)).toEqual([1_000])
    expect(stand.graph.seen.entityCalls).toBeLessThanOrEqual(2)
  })

  it('batches across the parallel branches of a plan', async () => {
    await stand.post(
      '{ a: learner(id: "10") { score } b: learner(id: "20") { score } c: learner(id: "30") { pair { low } } }',
    )
    expect(stand.graph.seen.batches).toHaveLength(1)
    expect(stand.graph.seen.batches[0]!.toSorted()).toEqual(['10', '20', '30'])
  })

  it('shares nothing with another request', async () => {
    const query = '{ learners { nodes { score } } }'
    await Promise.all([stand.post(query), stand.post(query)])
    expect(stand.graph.seen.contexts).toEqual({ school: 2, ml: 2 })
    expect(stand.graph.seen.batches).toHaveLength(2)
  })

  it('keeps the request id of the client and gives one to who has none', async () => {
    const given = await stand.post('{ clock { requestId } }', {}, { 'x-request-id': 'abc-1' })
    expect(given.headers.get('x-request-id')).toBe('abc-1')
    expect(given.json.data.clock.requestId).toBe('abc-1')
    const made = await stand.post('{ clock { requestId } }', {}, { 'x-request-id': 'no good "id"' })
    expect(made.json.data.clock.requestId).toMatch(/^[\da-f-]{36}$/)
    expect(made.headers.get('x-request-id')).toBe(made.json.data.clock.requestId)
  })
})

it('carries a thousand representations to a subgraph over HTTP', async () => {
  const stand = await openStand({ transport: 'http', limits: { pageSize: 2_000, cost: 50_000 } })
  const { json } = await stand.post('{ learners(first: 2000) { nodes { score } } }')
  expect(json.errors).toBeUndefined()
  expect(json.data.learners.nodes.filter(({ score }: { score: number }) => score > 0)).toHaveLength(2_000)
  await stand.close()
})
