import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startScoring } from '../../ml/scores/scoring-job.ts'
import { models } from '../../models/index.ts'
import { localViewer } from '../../platform/viewer.ts'
import { type AppUnderTest, startApp } from '../app/app-under-test.ts'

describe('lists by stored score through the gateway', () => {
  let under: AppUnderTest
  beforeAll(async () => {
    under = await startApp({ learners: 1000 })
    for (const { name } of models) {
      const { id } = await startScoring({ jobs: under.app.jobs, models }, { model: name }, { viewer: localViewer })
      expect(await under.app.jobs.ended(id)).toMatchObject({ state: 'SUCCEEDED' })
    }
  })
  afterAll(() => under.close())

  // biome-ignore lint/suspicious/noExplicitAny: whatever the query selects
  async function ask(query: string, variables: object = {}): Promise<any> {
    const { data, errors } = JSON.parse((await under.send(query, variables)).body)
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }

  it('resolves the fields of the other subgraph in one batch', async () => {
    under.statements.count = 0
    const { learnersByChurn } = await ask(`{
      learnersByChurn(first: 100) { totalCount edges { score scoredAt version { number } node { id name country } } }
    }`)
    expect(under.statements.count).toBe(1)
    const { edges, totalCount } = learnersByChurn
    expect(edges).toHaveLength(100)
    expect(totalCount).toBeGreaterThan(100)
    const { rows } = await under.database.query<{ id: string; name: string }>('SELECT id, name FROM learning."Learner"')
    const names = new Map(rows.map(({ id, name }) => [id, name]))
    for (const { node } of edges) expect(node.name).toBe(names.get(node.id))
    const scores = edges.map((edge: { score: number }) => edge.score)
    expect(scores).toEqual(scores.toSorted((a: number, b: number) => b - a))
  })

  it('joins stored scores, rows and predictions computed now, of a composite key too', async () => {
    const { progressByStruggle, enrollmentsByWithdrawal } = await ask(`{
      progressByStruggle(first: 20, where: { probability: { gte: 0.3 } }) {
        edges { score node { learnerId objectiveId objective { title } struggleProbability struggleUnavailable { code } } }
      }
      enrollmentsByWithdrawal(first: 5, orderBy: LOWEST_FIRST) { nodes { id learner { name } } }
    }`)
    expect(progressByStruggle.edges).toHaveLength(20)
    for (const { score, node } of progressByStruggle.edges) {
      expect(node.objective.title).toBeTypeOf('string')
      expect(node.struggleUnavailable).toBeNull()
      expect(Math.abs(node.struggleProbability - score)).toBeLessThan(0.05) // some seconds lie between the two moments
    }
    expect(enrollmentsByWithdrawal.nodes).toHaveLength(5)
  })

  it('answers the examples: a list by score, and a scoring of everyone that is followed', async () => {
    const example = (name: string) =>
      readFileSync(new URL(`../../examples/queries/${name}.graphql`, import.meta.url), 'utf8')
    const { learnersByChurn, progressByStruggle } = await ask(example('9-sorted-by-score'))
    expect(learnersByChurn.edges).toHaveLength(10)
    expect(progressByStruggle.edges).toHaveLength(5)
    const [mutation] = example('82-score-everyone').split(/\n\n(?=#)/)
    const { scoreModel } = await ask(mutation!)
    expect(scoreModel).toMatchObject({ __typename: 'ScoreModelPayload', job: { id: expect.any(String) } })
    expect(await under.app.jobs.ended(scoreModel.job.id)).toMatchObject({ state: 'SUCCEEDED' })
  })

  it('scores again, by itself, those whose rows a mutation changed', async () => {
    await under.app.keepScores()
    const { jobs: whole } = await under.app.jobs.list({ kinds: ['score'], first: 20 })
    for (const { id } of whole) await under.app.jobs.ended(id) // everybody's scores come first
    const { progressByStruggle: before } = await ask(`{
      progressByStruggle(first: 1) { freshness { isStale changes } edges { scoredAt node { learnerId objectiveId } } }
    }`)
    expect(before.freshness).toEqual({ isStale: false, changes: 0 })
    const [{ node }] = before.edges
    const { recordAttempt } = await ask(
      `mutation ($input: RecordAttemptInput!) { recordAttempt(input: $input) {
        __typename ... on RecordAttemptPayload { attempt { score } } ... on Error { message } } }`,
      { input: { ...node, score: 12 } },
    )
    expect(recordAttempt).toMatchObject({ __typename: 'RecordAttemptPayload' })
    const { progressByStruggle: waiting } = await ask(
      '{ progressByStruggle(first: 1) { freshness { isStale changes } } }',
    )
    expect(waiting.freshness.isStale).toBe(true)
    expect(waiting.freshness.changes).toBeGreaterThan(0)
    await under.app.keepScores() // looks at once rather than in ten seconds
    const { jobs } = await under.app.jobs.list({ kinds: ['score'], first: 10 })
    const changed = jobs.filter(({ input }) => (input as { scope?: string }).scope === 'CHANGED')
    expect(changed.length).toBeGreaterThan(0)
    for (const { id } of changed) await under.app.jobs.ended(id)
    const after = await ask(
      `{ progressByStruggle(first: 1) { freshness { isStale } edges { node { learnerId objectiveId } } } }`,
    )
    expect(after.progressByStruggle.freshness.isStale).toBe(false)
    expect(after.progressByStruggle.edges[0].node).not.toEqual(node) // it has a score now: nothing is left to ask
  })
})
