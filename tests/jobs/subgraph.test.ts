import { execute, type GraphQLSchema, parse, subscribe, validate } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJobs, type Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import type { Subgraph } from '../../platform/request.ts'
import type { Viewer } from '../../platform/viewer.ts'
import { createJobsSubgraph } from '../../subgraphs/jobs/subgraph.ts'
import { openTestDatabase, silent } from '../harness.ts'
import { quickPulse, stranger, testKinds, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
let subgraph: Subgraph
let schema: GraphQLSchema

beforeAll(async () => {
  database = await openTestDatabase()
  jobs = await createJobs({ database, log: silent, kinds: testKinds, worker: true, pulse: quickPulse })
  await jobs.start()
  subgraph = createJobsSubgraph({ jobs, database })
  schema = subgraph.schema
})
afterAll(async () => {
  await jobs.stop()
  await database.close()
})

function requestOf(text: string, variableValues: Record<string, unknown>, as: Viewer) {
  const document = parse(text)
  expect(validate(schema, document)).toEqual([])
  const now = new Date()
  const contextValue = subgraph.contextOf({ requestId: 'test', viewer: as, now, instant: now, log: silent })
  return { schema, document, variableValues, contextValue }
}
// biome-ignore lint/suspicious/noExplicitAny: answers are compared whole
async function ask(text: string, variables: Record<string, unknown> = {}, as = viewer): Promise<any> {
  const { data, errors } = await execute(requestOf(text, variables, as))
  if (errors) throw errors[0]
  return data
}
// biome-ignore lint/suspicious/noExplicitAny: answers are compared whole
async function follow(variables: Record<string, unknown>, as = viewer): Promise<any[]> {
  const text = `subscription ($jobId: ID!, $after: Int) { jobEvents(jobId: $jobId, after: $after) {
    __typename sequence ... on JobMoved { state attempt } ... on JobProgressed { progress { done total message } }
    ... on JobStepCommitted { name } ... on JobSucceeded { result } ... on JobFailed { error { code } } ... on JobEventsRefused { code hint } } }`
  const events = []
  for await (const { data, errors } of (await subscribe(requestOf(text, variables, as))) as AsyncIterable<{
    data?: { jobEvents: object }
    errors?: unknown
  }>) {
    expect(errors).toBeUndefined()
    events.push(data!.jobEvents)
  }
  return events
}

describe('the jobs subgraph', () => {
  it('tells how a job goes', async () => {
    const { id } = await jobs.enqueue('add', { steps: 3, failAt: 2 }, { viewer, tags: ['sums'], priority: 3 })
    await jobs.ended(id)
    const { job } = await ask(
      `query ($id: ID!) { job(id: $id) { id kind state result startedBy tags priority error { message }
        progress { done total unit message } attempts { number outcome worker error { code } } children { id } parent { id } } }`,
      { id },
    )
    expect(job).toEqual({
      id,
      kind: 'add',
      state: 'SUCCEEDED',
      result: { sum: 6 },
      startedBy: 'tester',
      tags: ['sums'],
      priority: 3,
      error: null,
      progress: { done: 3, total: 3, unit: 'steps', message: 'added 3' },
      attempts: [
        { number: 1, outcome: 'FAILED', worker: expect.any(String), error: { code: 'INTERNAL' } },
        { number: 2, outcome: 'SUCCEEDED', worker: expect.any(String), error: null },
      ],
      children: [],
      parent: null,
    })
  })

  it('pages through jobs by filter, newest first, without repeat', async () => {
    const made: string[] = []
    for (let at = 0; at < 5; at++) made.push((await jobs.enqueue('add', { steps: 1 }, { viewer, tags: ['paged'] })).id)
    await Promise.all(made.map((id) => jobs.ended(id)))
    const seen: string[] = []
    let after: string | null = null
    do {
      const { jobs: page } = await ask(
        `query ($after: String) { jobs(first: 2, after: $after, where: { tag: "paged", kinds: ["add"], states: [SUCCEEDED] }) {
          totalCount nodes { id attempts { outcome } } pageInfo { hasNextPage endCursor } } }`,
        { after },
      )
      expect(page.totalCount).toBe(5)
      seen.push(...page.nodes.map((node: { id: string }) => node.id))
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
    } while (after)
    expect(seen).toEqual(made.toReversed())
    await expect(ask('{ jobs(after: "nonsense") { nodes { id } } }')).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    })
    await expect(ask('{ jobs(first: 5000) { nodes { id } } }')).rejects.toThrow('first must be')
  })

  it('shows nothing to other tenants', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer })
    await jobs.ended(id)
    expect(await ask('query ($id: ID!) { job(id: $id) { id } }', { id }, stranger)).toEqual({ job: null })
    const representations = [{ __typename: 'Job', id }]
    const entities =
      'query ($representations: [_Any!]!) { _entities(representations: $representations) { ... on Job { id } } }'
    expect(await ask(entities, { representations })).toEqual({ _entities: [{ id }] })
    expect(await ask(entities, { representations }, stranger)).toEqual({ _entities: [null] })
    const cancel = 'mutation ($id: ID!) { cancelJob(input: { id: $id }) { __typename } }'
    expect(await ask(cancel, { id }, stranger)).toEqual({ cancelJob: { __typename: 'NotFoundError' } })
    expect(await follow({ jobId: id }, stranger)).toMatchObject([
      { __typename: 'JobEventsRefused', code: 'JOB_UNKNOWN' },
    ])
    expect(await ask('query { job(id: "no-uuid") { id } }')).toEqual({ job: null })
  })

  it('streams numbered events up to the last and resumes after any', async () => {
    const { id } = await jobs.enqueue('add', { steps: 4, stepMs: 20, failAt: 2 }, { viewer })
    const events = await follow({ jobId: id })
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, at) => at + 1))
    expect(events[0]).toMatchObject({ __typename: 'JobMoved', state: 'QUEUED' })
    expect(events.at(-1)).toMatchObject({ __typename: 'JobSucceeded', result: { sum: 10 } })
    expect(events.filter((event) => event.__typename === 'JobStepCommitted').map((event) => event.name)).toEqual([
      'add 1',
      'add 2',
      'add 3',
      'add 4',
    ])
    const middle = Math.floor(events.length / 2)
    expect(await follow({ jobId: id, after: middle })).toEqual(events.slice(middle))
    expect(await follow({ jobId: id, after: events.length })).toEqual([])
    expect(await follow({ jobId: '00000000-0000-4000-8000-000000000000' })).toMatchObject([
      { __typename: 'JobEventsRefused', code: 'JOB_UNKNOWN', sequence: 0 },
    ])
  })

  it('cancels and retries, and says why not', async () => {
    const { id } = await jobs.enqueue('wait', {}, { viewer })
    const cancel = `mutation ($id: ID!) { cancelJob(input: { id: $id, reason: "Changed my mind." }) {
      ... on CancelJobPayload { job { state } } ... on Error { code hint } } }`
    const { cancelJob } = await ask(cancel, { id })
    expect(['CANCELLED', 'CANCELLING']).toContain(cancelJob.job.state)
    expect(await jobs.ended(id)).toMatchObject({ state: 'CANCELLED', reason: 'Changed my mind.' })
    const retry = `mutation ($id: ID!) { retryJob(input: { id: $id }) {
      __typename ... on RetryJobPayload { job { state } } ... on Error { code } } }`
    expect(await ask(retry, { id })).toMatchObject({ retryJob: { job: { state: 'QUEUED' } } })
    await ask(cancel, { id })
    await jobs.ended(id)
    const done = await jobs.enqueue('add', { steps: 1 }, { viewer })
    await jobs.ended(done.id)
    expect(await ask(retry, { id: done.id })).toEqual({ retryJob: { __typename: 'ConflictError', code: 'JOB_STATE' } })
    expect(await ask(cancel, { id: done.id })).toMatchObject({ cancelJob: { code: 'JOB_STATE' } })
  })

  it('describes every type, field and argument', () => {
    const missing: string[] = []
    for (const type of Object.values(schema.getTypeMap())) {
      if (type.name.startsWith('_') || ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name)) continue
      if (!type.description && !['Query', 'Mutation', 'Subscription'].includes(type.name)) missing.push(type.name)
      if (!('getFields' in type)) continue
      for (const field of Object.values(type.getFields()))
        if (!field.description && !field.name.startsWith('_')) missing.push(`${type.name}.${field.name}`)
    }
    expect(missing).toEqual([])
  })
})
