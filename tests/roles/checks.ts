import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { Client } from './client.ts'

export interface CheckStand {
  readonly client: Client
  /** Moves churn's champion to its newest version from outside the deployment; resolves with the version's number. */
  promote(): Promise<number>
}

const example = (name: string) => readFileSync(new URL(`../../examples/queries/${name}`, import.meta.url), 'utf8')
const risk = example('1-who-is-at-risk.graphql')
const jobEvents = `subscription($jobId: ID!, $after: Int) {
  jobEvents(jobId: $jobId, after: $after) { __typename ... on JobEvent { sequence } ... on JobFailed { error { code message } } }
}`

/** Starts a job by a mutation and reads its events to the end, over both transports alike. */
async function follow(client: Client, mutation: string): Promise<void> {
  const [payload] = Object.values(await client.data(mutation)) as [{ job: { id: string } }]
  const variables = { jobId: payload.job.id }
  const [socket, sse] = await Promise.all([
    client.events(jobEvents, variables),
    client.serverEvents(jobEvents, variables),
  ])
  for (const events of [socket, sse]) {
    const seen = events.map((event) => event.jobEvents)
    expect(seen.at(-1), JSON.stringify(seen.at(-1))).toMatchObject({ __typename: 'JobSucceeded' })
    const numbers = seen.map(({ sequence }) => sequence)
    expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  }
  const { job } = await client.data('query($id: ID!) { job(id: $id) { state attempts { outcome } } }', {
    id: payload.job.id,
  })
  expect(job).toEqual({ state: 'SUCCEEDED', attempts: [{ outcome: 'SUCCEEDED' }] })
}

/** The product's behaviour, whatever it runs in. Each check stands on those before it. */
export const checks: Readonly<Record<string, (stand: CheckStand) => Promise<void>>> = {
  async 'trains by mutation, watched live, and serves a version that another process promotes'({ client, promote }) {
    await follow(
      client,
      'mutation { trainModel(input: { model: "churn" }) { ... on TrainModelPayload { job { id } } } }',
    )
    const number = await promote()
    const query = '{ learners(first: 40) { nodes { churn { modelVersion { number } } } } }'
    const served = async () => {
      const numbers = new Set<number>()
      for (let round = 0; round < 4; round++) {
        const { learners } = await client.data(query)
        for (const { churn } of learners.nodes) if (churn) numbers.add(churn.modelVersion.number)
      }
      return [...numbers]
    }
    await expect.poll(served, { timeout: 60_000, interval: 100 }).toEqual([number])
  },

  async 'answers the first query of the README with predictions, or the reason why there is none'({ client }) {
    const { learners } = await client.data(risk)
    expect(learners.nodes).toHaveLength(50)
    expect(
      learners.nodes.filter((node: { churnScore: number | null }) => node.churnScore !== null).length,
    ).toBeGreaterThan(5)
    const { learners: page } = await client.data(
      `{ learners(first: 100) { nodes { churnScore churn { probability reasons(first: 2) { contribution } whatIf(goal: LOWER, to: 0.1) { newProbability } }
         churnUnavailable { code hint } progress(first: 1) { nodes { struggleUnavailable { code } } } } } }`,
    )
    for (const { churn, churnScore, churnUnavailable } of page.nodes) {
      expect(churn === null).toBe(churnUnavailable !== null)
      expect(churnScore).toBe(churn?.probability ?? null)
    }
  },

  async 'answers twelve aliases of one prediction like one'({ client }) {
    const aliases = Array.from({ length: 12 }, (_, index) => `a${index}: churn { probability }`).join(' ')
    const { learners } = await client.data(`{ learners(first: 50) { nodes { ${aliases} churnScore } } }`)
    for (const { churnScore, ...rest } of learners.nodes)
      for (const alias of Object.values(rest) as ({ probability: number } | null)[])
        expect(alias?.probability ?? null).toBe(churnScore)
  },

  async 'answers for an earlier moment, and refuses the future'({ client }) {
    const ask = (asOf: string) =>
      client.ask(
        `{ learners(first: 100) { nodes { churn(asOf: "${asOf}") { asOf } churnUnavailable(asOf: "${asOf}") { code } } } }`,
      )
    const { data } = await ask('2026-10-20T12:00:00.000Z')
    for (const { churn, churnUnavailable } of data.learners.nodes)
      expect(churn?.asOf ?? churnUnavailable.code).toMatch(/^(2026-10-20T12:00:00.000Z|NOT_APPLICABLE)$/)
    const future = await ask('2199-01-01T00:00:00Z')
    expect(future.errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    expect(future.status).toBe(200)
  },

  async 'records by mutation and answers with the row that was written'({ client }) {
    const { learners } = await client.data(
      '{ learners(first: 100) { nodes { id progress(first: 1, where: { state: UPCOMING }) { nodes { objectiveId } } } } }',
    )
    const learner = learners.nodes.find((node: { progress: { nodes: unknown[] } }) => node.progress.nodes.length > 0)
    const input = { learnerId: learner.id, objectiveId: learner.progress.nodes[0].objectiveId, score: 37.5 }
    const { recordAttempt } = await client.data(
      `mutation($input: RecordAttemptInput!) { recordAttempt(input: $input) {
         ... on RecordAttemptPayload { attempt { score } learner { id churnUnavailable { code } } } ... on Error { code message } } }`,
      { input },
    )
    expect(recordAttempt).toMatchObject({ attempt: { score: 37.5 }, learner: { id: learner.id } })
  },

  async 'stores scores by a job, and lists by them with the rows of the other subgraph'({ client }) {
    await follow(
      client,
      'mutation { scoreModel(input: { model: "churn" }) { ... on ScoreModelPayload { job { id } } } }',
    )
    const { learnersByChurn } = await client.data(
      '{ learnersByChurn(first: 10) { totalCount edges { score node { name subscriptions(first: 1) { totalCount } } } } }',
    )
    expect(learnersByChurn.totalCount).toBeGreaterThan(20)
    const scores = learnersByChurn.edges.map(({ score }: { score: number }) => score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    for (const { node } of learnersByChurn.edges) expect(node.name).toMatch(/\w/)
  },

  async 'lists jobs and schedules, and says as data what cannot be done'({ client }) {
    const { jobs, trainingRuns } = await client.data(
      '{ jobs(first: 5) { nodes { id kind state } } trainingRuns(first: 5) { nodes { state } } }',
    )
    expect(jobs.nodes.map(({ kind }: { kind: string }) => kind)).toEqual(expect.arrayContaining(['train', 'score']))
    expect(trainingRuns.nodes[0].state).toBe('SUCCEEDED')
    const nobody = '7c1a3f52-6f0e-4c5e-9a53-000000000000'
    const refused = await client.data(
      `mutation { cancelJob(input: { id: "${nobody}" }) { __typename } trainModel(input: { model: "nope" }) { __typename ... on Error { code } } }`,
    )
    expect(refused).toEqual({
      cancelJob: { __typename: 'NotFoundError' },
      trainModel: { __typename: 'NotFoundError', code: 'MODEL_UNKNOWN' },
    })
    const [only, ...more] = await client.serverEvents(jobEvents, { jobId: nobody })
    expect(only.jobEvents.__typename).toBe('JobEventsRefused')
    expect(more).toEqual([])
  },

  async 'explains a prediction in words, citing what predicted it'({ client }) {
    const { learners } = await client.data('{ learners(first: 100) { nodes { id churnScore } } }')
    const { id } = learners.nodes.find(({ churnScore }: { churnScore: number | null }) => churnScore !== null)
    const explained = `subscription($key: String!) { predictionExplained(entity: "Learner", key: $key, language: "en") {
      __typename ... on ExplanationStarted { probability label reasons { feature } } ... on ExplanationFailed { code message } } }`
    const events = (await client.events(explained, { key: id })).map((event) => event.predictionExplained)
    expect(events[0], JSON.stringify(events[0])).toMatchObject({ label: 'BUILTIN_NOT_AN_LLM' })
    expect(events[0].reasons.length).toBeGreaterThan(0)
    expect(events.at(-1).__typename).toBe('ExplanationFinished')
  },

  async 'refuses what is wrong as the client’s fault, and unknown keys as null'({ client }) {
    for (const query of ['{ learners(first: -1) { nodes { id } } }', '{ learners(first: 100000) { nodes { id } } }']) {
      const { status, errors } = await client.ask(query)
      expect(status).toBeLessThan(500)
      expect(errors?.[0]?.extensions.code).toMatch(/BAD_USER_INPUT|OPERATION_LIMIT/)
    }
    expect(
      await client.data(
        '{ learner(id: "nobody") { churn { probability } } model(name: "x") { name } job(id: "x") { id } }',
      ),
    ).toEqual({
      learner: null,
      model: null,
      job: null,
    })
  },

  async 'keeps every mutation in the audit, refused ones too, whatever part of the graph they came to'({ client }) {
    const refused = {
      recordAttempt:
        'mutation { recordAttempt(input: { learnerId: "nobody", objectiveId: "none", score: 50 }) { __typename } }',
      trainModel: 'mutation { trainModel(input: { model: "nope" }) { __typename } }',
      cancelJob: 'mutation { cancelJob(input: { id: "7c1a3f52-6f0e-4c5e-9a53-000000000000" }) { __typename } }',
      noSuchMutation: 'mutation { noSuchMutation { id } }', // the gateway's own refusal
    }
    const newest = async () => {
      const { auditLog } = await client.data('{ auditLog(first: 4) { nodes { requestId field outcome } } }')
      return auditLog.nodes as { requestId: string; field: string; outcome: string }[]
    }
    const before = new Set((await newest()).map(({ requestId }) => requestId))
    for (const mutation of Object.values(refused)) await client.ask(mutation)
    const added = async () =>
      (await newest())
        .filter(({ requestId, outcome }) => !before.has(requestId) && outcome !== 'OK')
        .map(({ field }) => field)
        .sort()
    await expect.poll(added, { timeout: 10_000 }).toEqual(Object.keys(refused).sort())
  },
}
