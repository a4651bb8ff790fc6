import { randomUUID } from 'node:crypto'
import { graphql } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startScoring } from '../../ml/scores/scoring-job.ts'
import { localViewer } from '../../platform/viewer.ts'
import { listNameOf } from '../../subgraphs/ml/scores.ts'
import { createMlSubgraph } from '../../subgraphs/ml/subgraph.ts'
import { silent } from '../harness.ts'
import { now, type Stand, startStand, toys } from './stand.ts'

const ROWS = 500

describe('lists by stored score', () => {
  let stand: Stand
  let subgraph: ReturnType<typeof createMlSubgraph>
  const statements: string[] = []
  beforeAll(async () => {
    stand = await startStand(ROWS, 200)
    subgraph = createMlSubgraph({ ...stand, models: [toys], seed: 1 } as never)
    const job = await startScoring({ jobs: stand.jobs, models: [toys] }, { model: 'toy' }, { viewer: localViewer })
    await stand.jobs.ended(job.id)
    const query = stand.database.pool.query.bind(stand.database.pool)
    stand.database.pool.query = ((...given: [string, ...unknown[]]) => {
      if (typeof given[0] === 'string' && /inkling"?\."?(Score|Version)/.test(given[0])) statements.push(given[0])
      return (query as (...same: unknown[]) => unknown)(...given)
    }) as typeof stand.database.pool.query
  })
  afterAll(() => stand.close())

  async function send(source: string, variables: Record<string, unknown> = {}) {
    const contextValue = subgraph.contextOf({
      requestId: randomUUID(),
      viewer: localViewer,
      now,
      instant: new Date(),
      log: silent,
    })
    return graphql({ schema: subgraph.schema, source, variableValues: variables, contextValue })
  }
  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  async function ask(source: string, variables: Record<string, unknown> = {}): Promise<any> {
    const { data, errors } = await send(source, variables)
    if (errors) throw errors[0]
    return data?.toysByToy
  }
  const sorted = async (): Promise<{ id: string; p: number }[]> => {
    const { rows } = await stand.database.query<{ id: string; p: number }>(
      `SELECT key::json ->> 0 AS id, probability AS p FROM inkling."Score" WHERE model = 'toy'`,
    )
    const text = (id: string) => JSON.stringify([id])
    return rows.sort((a, b) => b.p - a.p || (text(a.id) < text(b.id) ? 1 : -1))
  }

  it('names each list after the entity and the model', () => {
    expect(listNameOf({ entity: 'Progress', name: 'struggle' })).toBe('progressByStruggle')
    expect(listNameOf({ entity: 'Learner', name: 'churn' })).toBe('learnersByChurn')
    expect(listNameOf({ entity: 'Enrollment', name: 'withdrawal' })).toBe('enrollmentsByWithdrawal')
    expect(listNameOf({ entity: 'Company', name: 'default' })).toBe('companiesByDefault')
    expect(listNameOf({ entity: 'Box', name: 'loss' })).toBe('boxesByLoss')
  })

  it('gives the highest first, with what was stored beside each', async () => {
    const expected = await sorted()
    const list = await ask(`{
      toysByToy(first: 3) {
        totalCount
        riskLevels { riskLevel count }
        freshness { scoredAt asOf isStale changes version { number } job { id } }
        edges { score low high riskLevel scoredAt asOf isStale version { id number } node { id } }
      }
    }`)
    expect(list.edges.map((edge: { node: object; score: number }) => ({ ...edge.node, p: edge.score }))).toEqual(
      expected.slice(0, 3),
    )
    expect(list.edges[0]).toMatchObject({
      riskLevel: 'HIGH',
      isStale: false,
      asOf: now.toISOString(),
      version: { number: 1 },
    })
    expect(list.edges[0].low).toBeLessThanOrEqual(list.edges[0].score)
    expect(list.totalCount).toBe(expected.length)
    expect(list.riskLevels).toEqual(
      [
        ['LOW', -1, 0.3],
        ['MEDIUM', 0.3, 0.6],
        ['HIGH', 0.6, 2],
      ].map(([riskLevel, from, to]) => ({
        riskLevel,
        count: expected.filter(({ p }) => p >= Number(from) && p < Number(to)).length,
      })),
    )
    expect(list.freshness).toMatchObject({
      asOf: now.toISOString(),
      isStale: false,
      changes: 0,
      version: { number: 1 },
      job: null,
    })
  })

  it('walks forward and backward over every page, whatever the order and the filter', async () => {
    const expected = (await sorted()).filter(({ p }) => p >= 0.3 && p < 0.6).map(({ id }) => id)
    const page = `{ edges { node { id } cursor } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
    for (const order of ['HIGHEST_FIRST', 'LOWEST_FIRST']) {
      const where = `where: { riskLevel: MEDIUM, probability: { gte: 0.3 } }, orderBy: ${order}`
      const forward: string[] = []
      let back: string | null = null
      for (let after: string | null = null; ; ) {
        const list = await ask(`query ($after: String) { toysByToy(first: 17, after: $after, ${where}) ${page} }`, {
          after,
        })
        forward.push(...list.edges.map((edge: { node: { id: string } }) => edge.node.id))
        expect(list.pageInfo.hasPreviousPage).toBe(after !== null)
        after = back = list.pageInfo.endCursor
        if (!list.pageInfo.hasNextPage) break
      }
      expect(forward).toEqual(order === 'HIGHEST_FIRST' ? expected : expected.toReversed())
      const backward: string[] = []
      for (let before = back; ; ) {
        const list = await ask(`query ($before: String) { toysByToy(last: 17, before: $before, ${where}) ${page} }`, {
          before,
        })
        backward.unshift(...list.edges.map((edge: { node: { id: string } }) => edge.node.id))
        expect(list.pageInfo.hasNextPage).toBe(true)
        before = list.pageInfo.startCursor
        if (!list.pageInfo.hasPreviousPage) break
      }
      expect(backward).toEqual(forward.slice(0, -1))
    }
  })

  it('reads a page in one statement, and nothing that is not selected', async () => {
    statements.length = 0
    await ask('{ toysByToy(first: 100) { nodes { id } edges { score } } }')
    expect(statements).toHaveLength(1)
    statements.length = 0
    await ask('{ toysByToy(first: 100) { totalCount edges { version { id } isStale } } }')
    expect(statements).toHaveLength(3)
  })

  it('computes a page anew on demand: one read and one inference, and the order stays', async () => {
    const before = await sorted()
    await stand.database.query('UPDATE toy SET x = -x WHERE id = $1', [Number(before[0]!.id)])
    const query = `query ($seconds: Int) { toysByToy(first: 20, rescoreIfOlderThanSeconds: $seconds) { edges { node { id } score scoredAt } } }`
    const began = stand.client.statements
    const kept = await ask(query, { seconds: 3600 })
    expect(stand.client.statements).toBe(began)
    const fresh = await ask(query, { seconds: 0 })
    expect(stand.client.statements).toBe(began + 1)
    const ids = (list: { edges: { node: { id: string } }[] }) => list.edges.map(({ node }) => node.id)
    expect(ids(fresh)).toEqual(ids(kept))
    expect(fresh.edges[0].score).not.toBe(kept.edges[0].score)
    const [stored] = await stand.store.latest('toy', [{ id: before[0]!.id }])
    expect(stored).toMatchObject({ probability: fresh.edges[0].score, scoredAt: new Date(fresh.edges[0].scoredAt) })
  })

  it('leaves out of a page computed anew whom the question is no longer about', async () => {
    const [top] = await sorted()
    await stand.database.query('DELETE FROM toy WHERE id = $1', [Number(top!.id)])
    const list = await ask('{ toysByToy(first: 5, rescoreIfOlderThanSeconds: 0) { nodes { id } totalCount } }')
    expect(list.nodes).toHaveLength(4)
    expect((await sorted()).some(({ id }) => id === top!.id)).toBe(false)
  })

  it('says that scores are stale once another version serves, and scores by mutation', async () => {
    await stand.train(2)
    const stale = '{ toysByToy(first: 1) { freshness { isStale } edges { isStale } } }'
    expect(await ask(stale)).toEqual({ freshness: { isStale: true }, edges: [{ isStale: true }] })
    const mutation = `mutation ($model: String!) { scoreModel(input: { model: $model }) {
      __typename ... on ScoreModelPayload { job { id } } ... on Error { code hint }
    } }`
    const { data } = await send(mutation, { model: 'toy' })
    const { job } = data!.scoreModel as { job: { id: string } }
    expect((await stand.jobs.ended(job.id)).state).toBe('SUCCEEDED')
    expect(await ask(stale)).toEqual({ freshness: { isStale: false }, edges: [{ isStale: false }] })
    const refused = await send(mutation, { model: 'nobody' })
    expect(refused.data!.scoreModel).toMatchObject({ __typename: 'NotFoundError', code: 'MODEL_UNKNOWN' })
  })

  it.each([
    ['toysByToy(first: -1)', 'between 0 and'],
    ['toysByToy(first: 5000)', 'between 0 and'],
    ['toysByToy(after: "nonsense")', 'does not belong'],
    ['toysByToy(after: "WyJMT1dFU1RfRklSU1QiLDAuNSwieCJd")', 'does not belong'],
    ['toysByToy(rescoreIfOlderThanSeconds: -5)', 'must not be negative'],
  ])('refuses %s', async (field, message) => {
    const { errors } = await send(`{ ${field} { nodes { id } } }`)
    expect(errors?.[0]?.message).toContain(message)
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
  })
})
