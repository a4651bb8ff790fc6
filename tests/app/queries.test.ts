import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { graphql } from '../client/index.ts'
import { type AppUnderTest, startApp } from './app-under-test.ts'

const page = graphql(`
  query PageOfRisk($first: Int!) {
    learners(first: $first) {
      nodes {
        id
        name
        churnScore
        churn { probability confidence riskLevel asOf modelVersion { id number } }
        churnUnavailable { code message hint }
        progress(first: 3) {
          nodes {
            objective { title }
            state
            struggleProbability
            struggle { probability riskLevel reasons(first: 2) { feature sentence value contribution direction } }
            struggleUnavailable { code }
          }
        }
      }
    }
  }
`)

const travel = graphql(`
  query TimeTravel($id: ID!, $asOf: DateTime!) {
    learner(id: $id) {
      now: churn { probability asOf }
      then: churn(asOf: $asOf) { probability asOf }
      thenUnavailable: churnUnavailable(asOf: $asOf) { code }
    }
  }
`)

const record = graphql(`
  mutation RecordAndLook($input: RecordAttemptInput!) {
    recordAttempt(input: $input) {
      ... on RecordAttemptPayload {
        attempt { score }
        learner { id progress(first: 50) { nodes { objectiveId struggleProbability struggleUnavailable { code } } } }
      }
      ... on Error { code message hint }
    }
  }
`)

describe('predictions in the graph', () => {
  let under: AppUnderTest
  beforeAll(async () => {
    under = await startApp({ learners: 1000 })
  })
  afterAll(() => under.close())

  const aliased = (count: number) => {
    const fields = Array.from(
      { length: count },
      (_, index) => `a${index}: churn { probability reasons(first: 1) { feature } }`,
    )
    return `{ learners(first: 100) { nodes { ${fields.join(' ')} churnScore } } }`
  }
  const spent = async (work: () => Promise<unknown>) => {
    under.statements.count = 0
    under.statements.texts.length = 0
    await work()
    return under.statements.count
  }

  it('answers the README’s first query with calibrated probabilities of trained versions', async () => {
    const text = readFileSync(new URL('../../examples/queries/1-who-is-at-risk.graphql', import.meta.url), 'utf8')
    const { status, body } = await under.send(text)
    expect(status).toBe(200)
    const { data, errors } = JSON.parse(body)
    expect(errors).toBeUndefined()
    expect(data.learners.nodes).toHaveLength(50)
  })

  it('gives null with a typed reason where there is nothing to predict, and a number everywhere else', async () => {
    const { learners } = await under.query(page, { first: 1000 })
    expect(learners.nodes).toHaveLength(1000)
    const reasons = new Set<string>()
    let predicted = 0
    for (const { churn, churnScore, churnUnavailable, progress } of learners.nodes) {
      expect(churn === null).toBe(churnUnavailable !== null)
      expect(churnScore).toBe(churn?.probability ?? null)
      if (churnUnavailable) reasons.add(churnUnavailable.code)
      for (const { struggle, struggleProbability, struggleUnavailable } of progress.nodes) {
        expect(struggle === null).toBe(struggleUnavailable !== null)
        expect(struggleProbability).toBe(struggle?.probability ?? null)
        if (!struggle) continue
        predicted++
        expect(struggle.probability).toBeGreaterThan(0)
        expect(struggle.probability).toBeLessThan(1)
        expect(struggle.reasons).toHaveLength(2)
        const [first, second] = struggle.reasons!
        expect(Math.abs(first!.contribution)).toBeGreaterThanOrEqual(Math.abs(second!.contribution))
        expect(first!.sentence.length).toBeGreaterThan(5)
      }
    }
    expect(predicted).toBeGreaterThan(300)
    expect([...reasons]).toEqual(['NOT_APPLICABLE'])
  })

  it('costs the same number of SQL statements for 10 learners and for 1,000, with one feature read per model', async () => {
    await under.query(page, { first: 5 })
    const few = await spent(() => under.query(page, { first: 10 }))
    const many = await spent(() => under.query(page, { first: 1000 }))
    expect(many).toBe(few)
    const reads = under.statements.texts.filter(
      (text) => /unnest\(.*WITH ORDINALITY/s.test(text) && /daysSince|cognitiveLoad/.test(text),
    )
    expect(reads.length).toBeLessThanOrEqual(2)
  })

  it('reads and scores once, whatever the aliases', async () => {
    const one = await spent(() => under.send(aliased(1)))
    const many = await spent(() => under.send(aliased(12)))
    expect(many).toBe(one)
  })

  it('answers for an earlier moment from what was known then, and refuses the future', async () => {
    const { learners } = await under.query(page, { first: 100 })
    const payer = learners.nodes.find(({ churn }) => churn !== null)!
    const asOf = new Date(under.ground.clock.now().getTime() - 20 * 86_400_000).toISOString()
    const { learner } = await under.query(travel, { id: payer.id, asOf })
    expect(learner?.now?.probability).toBe(payer.churn?.probability)
    expect(learner?.then ? learner.then.asOf : learner?.thenUnavailable?.code).toBe(
      learner?.then ? asOf : 'NOT_APPLICABLE',
    )
    const future = await under.send(
      `{ learner(id: "${payer.id}") { churn(asOf: "2150-01-01T00:00:00Z") { probability } } }`,
    )
    expect(JSON.parse(future.body).errors[0].extensions.code).toBe('BAD_USER_INPUT')
  })

  it('moves a risk when an attempt is recorded, and stops asking about what has been scored', async () => {
    const { learners } = await under.query(page, { first: 1000 })
    const candidate = learners.nodes.find(
      ({ progress }) => progress.nodes.filter(({ struggle }) => struggle !== null).length === 3,
    )!
    const before = await under.query(
      graphql(
        `query Before($id: ID!) { learner(id: $id) { progress(first: 50) { nodes { objectiveId struggleProbability } } } }`,
      ),
      { id: candidate.id },
    )
    const asked = before.learner!.progress.nodes.filter(({ struggleProbability }) => struggleProbability !== null)
    const { objectiveId } = asked[0]!
    const { recordAttempt } = await under.query(record, { input: { learnerId: candidate.id, objectiveId, score: 3 } })
    if (!('learner' in recordAttempt)) throw new Error(JSON.stringify(recordAttempt))
    const after = new Map(recordAttempt.learner.progress.nodes.map((node) => [node.objectiveId, node]))
    expect(after.get(objectiveId)).toMatchObject({
      struggleProbability: null,
      struggleUnavailable: { code: 'NOT_APPLICABLE' },
    })
    const moved = asked.filter((node) => after.get(node.objectiveId)?.struggleProbability !== node.struggleProbability)
    expect(moved.length).toBeGreaterThan(1)
  })

  it('lists models with their hold-outs beside the base rate', async () => {
    const { models } = await under.query(
      graphql(`
        query ModelsAndSplits {
          models {
            name
            champion { number state splits { by test metrics { name value } baseline { name value } } sha256 }
            versions(first: 5) { nodes { number } }
          }
        }
      `),
    )
    expect(models.map(({ name }) => name)).toEqual(['struggle', 'withdrawal', 'churn'])
    for (const { champion } of models) {
      const [split] = champion!.splits
      const auc = split!.metrics.find(({ name }) => name === 'auc')?.value
      expect(auc).toBeGreaterThan(0.6)
      expect(split!.baseline.find(({ name }) => name === 'auc')?.value).toBeCloseTo(0.5, 1)
    }
  })

  it('refuses unknown models, keys and pages as data or typed errors, never as a fault', async () => {
    const unknown = await under.send(
      'mutation { trainModel(input: { model: "nope" }) { __typename ... on Error { code hint } } }',
    )
    expect(JSON.parse(unknown.body).data.trainModel).toMatchObject({
      __typename: 'NotFoundError',
      code: 'MODEL_UNKNOWN',
    })
    expect(
      JSON.parse(
        (
          await under.send(
            '{ learner(id: "nobody") { churn { probability } } model(name: "x") { name } job(id: "x") { id } }',
          )
        ).body,
      ),
    ).toEqual({
      data: { learner: null, model: null, job: null },
    })
    for (const text of [
      '{ learners(first: -1) { nodes { id } } }',
      '{ learners(first: 100000) { nodes { id } } }',
      '{ models { versions(first: -1) { nodes { id } } } }',
    ]) {
      const { status, body } = await under.send(text)
      expect(status).toBeLessThan(500)
      expect(JSON.parse(body).errors[0].extensions.code).toMatch(/BAD_USER_INPUT|OPERATION_LIMIT/)
    }
  })
})
