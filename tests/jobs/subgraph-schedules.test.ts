import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Jobs } from '../../jobs/engine.ts'
import type { Database } from '../../platform/database.ts'
import { type JobsGraph, openJobsGraph } from './jobs-graph.ts'
import { stranger, viewer } from './kinds.ts'

let database: Database
let jobs: Jobs
let graph: JobsGraph

beforeAll(async () => {
  graph = await openJobsGraph()
  database = graph.database
  jobs = graph.jobs
})
afterAll(() => graph.close())

const CREATE = `mutation ($input: CreateScheduleInput!) { createSchedule(input: $input) { __typename
  ... on CreateSchedulePayload { schedule { id name kind input expression timeZone missed overlap isPaused nextRuns(first: 2) nextAt lastAt problem createdBy lastJob { id } } }
  ... on Error { code message hint } } }`
const change = (verb: string) =>
  `mutation ($id: ID!) { it: ${verb}Schedule(input: { id: $id }) { __typename
    ... on ${verb[0]!.toUpperCase()}${verb.slice(1)}SchedulePayload { schedule { id isPaused nextAt lastJob { id schedule { name } } } } ... on Error { code message hint } } }`

interface EventPage {
  readonly nodes: { sequence: number }[]
  readonly pageInfo: { hasNextPage: boolean; endCursor: string | null }
}

async function create(input: object): Promise<{ id: string; nextRuns: string[] }> {
  const { createSchedule } = await graph.ask(CREATE, { input })
  expect(createSchedule).toMatchObject({ __typename: 'CreateSchedulePayload' })
  return createSchedule.schedule
}

describe('schedules in the graph', () => {
  it('are made, listed, paused, resumed, triggered and deleted', async () => {
    const schedule = await create({
      name: 'morning',
      kind: 'add',
      input: '{"steps":2}',
      expression: '30 7 * * MON',
      timeZone: 'Europe/Berlin',
      missed: 'ALL',
      overlap: 'QUEUE',
    })
    expect(schedule).toMatchObject({
      kind: 'add',
      input: { steps: 2 },
      timeZone: 'Europe/Berlin',
      missed: 'ALL',
      overlap: 'QUEUE',
      isPaused: false,
      lastAt: null,
      lastJob: null,
      problem: null,
      createdBy: 'tester',
    })
    const days = schedule.nextRuns.map((text) =>
      new Date(text).toLocaleString('en', {
        timeZone: 'Europe/Berlin',
        weekday: 'short',
        hour: '2-digit',
        minute: '2-digit',
      }),
    )
    expect(days).toEqual(['Mon 07:30 AM', 'Mon 07:30 AM'])
    const { id } = schedule
    const list = '{ schedules(first: 1) { totalCount nodes { id name } pageInfo { hasNextPage endCursor } } }'
    expect(await graph.ask(list)).toMatchObject({ schedules: { totalCount: 1, nodes: [{ id, name: 'morning' }] } })
    expect(await graph.ask(change('pause'), { id })).toMatchObject({
      it: { schedule: { isPaused: true, nextAt: null } },
    })
    expect(await graph.ask(change('resume'), { id })).toMatchObject({
      it: { schedule: { isPaused: false, nextAt: schedule.nextRuns[0] } },
    })
    const trigger = `mutation ($id: ID!) { triggerSchedule(input: { id: $id }) { ... on TriggerSchedulePayload { job { id kind } schedule { lastAt } } } }`
    const { triggerSchedule } = await graph.ask(trigger, { id })
    const jobId = triggerSchedule.job.id
    await jobs.ended(jobId)
    expect(
      await graph.ask(
        'query ($id: ID!) { schedule(id: $id) { lastJob { id state schedule { name } } jobs { nodes { id } } } jobs(where: { scheduleId: $id }) { totalCount } }',
        { id },
      ),
    ).toEqual({
      schedule: {
        lastJob: { id: jobId, state: 'SUCCEEDED', schedule: { name: 'morning' } },
        jobs: { nodes: [{ id: jobId }] },
      },
      jobs: { totalCount: 1 },
    })
    expect(await graph.ask(change('delete'), { id })).toMatchObject({ it: { schedule: { id } } })
    expect(await graph.ask(change('delete'), { id })).toMatchObject({ it: { __typename: 'NotFoundError' } })
    expect(await graph.ask('query ($id: ID!) { job(id: $id) { state schedule { id } } }', { id: jobId })).toEqual({
      job: { state: 'SUCCEEDED', schedule: null },
    })
  })

  it('are refused with a type that says why', async () => {
    const input = { name: 'refusals', kind: 'add', input: '{"steps":1}', expression: '@daily' }
    await create(input)
    expect(await graph.ask(CREATE, { input })).toMatchObject({ createSchedule: { __typename: 'ConflictError' } })
    for (const wrong of [
      { kind: 'nope' },
      { expression: 'never' },
      { timeZone: 'X/Y' },
      { input: '{}' },
      { input: '{' },
    ])
      expect(await graph.ask(CREATE, { input: { ...input, name: 'other', ...wrong } })).toMatchObject({
        createSchedule: { __typename: 'InvalidInputError', code: 'BAD_USER_INPUT' },
      })
  })

  it('are shown to their tenant only', async () => {
    const { id } = await create({ name: 'secret', kind: 'add', input: '{"steps":1}', expression: '@daily' })
    expect(
      await graph.ask('query ($id: ID!) { schedule(id: $id) { id } schedules { totalCount } }', { id }, stranger),
    ).toEqual({
      schedule: null,
      schedules: { totalCount: 0 },
    })
    for (const verb of ['pause', 'resume', 'delete'])
      expect(await graph.ask(change(verb), { id }, stranger)).toMatchObject({ it: { __typename: 'NotFoundError' } })
  })

  it('are previewed before they are made', async () => {
    const preview = 'query ($e: String!, $z: String, $n: Int) { nextRuns(expression: $e, timeZone: $z, first: $n) }'
    expect((await graph.ask(preview, { e: '0 * * * *', n: 3 })).nextRuns.length).toBe(3)
    const refusal = { extensions: { code: 'BAD_USER_INPUT' } }
    await expect(graph.ask(preview, { e: 'often' })).rejects.toMatchObject(refusal)
    await expect(graph.ask(preview, { e: '@daily', z: 'Nowhere' })).rejects.toMatchObject(refusal)
    await expect(graph.ask(preview, { e: '@daily', n: 1000 })).rejects.toMatchObject(refusal)
  })
})

describe('what belongs to a job', () => {
  it('is paged: events and the log by level', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer, startAfter: new Date(Date.now() + 3_600_000) })
    await database.query(
      `INSERT INTO inkling."JobEvent" ("jobId", sequence, type, data) SELECT $1, n + 1, 'LOG',
         jsonb_build_object('level', CASE WHEN n % 10 = 0 THEN 'error' ELSE 'info' END, 'message', 'line ' || n) FROM generate_series(1, 60) n`,
      [id],
    )
    const text = `query ($id: ID!, $first: Int, $after: String, $levels: [JobLogLevel!]) { job(id: $id) {
      logs(first: $first, after: $after, levels: $levels) { nodes { level message } pageInfo { hasNextPage endCursor } }
      events(first: $first, after: $after) { nodes { __typename sequence } pageInfo { hasNextPage endCursor } } } }`
    const errors = (await graph.ask(text, { id, first: 100, levels: ['ERROR'] })).job.logs
    expect(errors.nodes.map((line: { message: string }) => line.message)).toEqual(
      [10, 20, 30, 40, 50, 60].map((n) => `line ${n}`),
    )
    const sequences: number[] = []
    let after: string | null = null
    do {
      const { events }: { events: EventPage } = (await graph.ask(text, { id, first: 25, after })).job
      sequences.push(...events.nodes.map((event) => event.sequence))
      after = events.pageInfo.hasNextPage ? events.pageInfo.endCursor : null
    } while (after)
    expect(sequences).toEqual(Array.from({ length: 61 }, (_, at) => at + 1))
    await expect(graph.ask(text, { id, first: 5, after: 'x' })).rejects.toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
    })
  })

  it('can be downloaded, whole or in stretches', async () => {
    const { id } = await jobs.enqueue('add', { steps: 1 }, { viewer })
    await jobs.ended(id)
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, at) => at % 256))
    await database.query(
      `INSERT INTO inkling."JobArtifact" ("jobId", name, "mediaType", bytes) VALUES ($1, 'all.bin', 'application/octet-stream', $2)`,
      [id, bytes],
    )
    const text = `query ($id: ID!, $offset: Int, $length: Int) { job(id: $id) { artifact(name: "all.bin") { sizeBytes mediaType base64(offset: $offset, length: $length) } } }`
    const read = async (stretch: object) =>
      Buffer.from((await graph.ask(text, { id, ...stretch })).job.artifact.base64, 'base64')
    expect(await read({})).toEqual(bytes)
    expect(await read({ offset: 250, length: 10 })).toEqual(bytes.subarray(250, 260))
    expect((await read({ offset: 5000 })).length).toBe(0)
    for (const wrong of [{ offset: -1 }, { length: -1 }, { length: 2_000_000 }])
      await expect(read(wrong)).rejects.toMatchObject({ extensions: { code: 'BAD_USER_INPUT' } })
    expect(await graph.ask('query ($id: ID!) { job(id: $id) { artifact(name: "none") { name } } }', { id })).toEqual({
      job: { artifact: null },
    })
  })

  it('fails together and is redriven together', async () => {
    const failed = await Promise.all([1, 2, 3].map(() => jobs.enqueue('fail', { retryable: false }, { viewer })))
    for (const { id } of failed) await jobs.ended(id)
    const redrive = (input: object, as = viewer) =>
      graph.ask(
        'mutation ($input: RedriveJobsInput!) { redriveJobs(input: $input) { ... on RedriveJobsPayload { count } ... on Error { code } } }',
        { input },
        as,
      )
    expect(await redrive({ kind: 'fail' }, stranger)).toEqual({ redriveJobs: { count: 0 } })
    expect(await redrive({ kind: 'add' })).toEqual({ redriveJobs: { count: 0 } })
    expect(await redrive({ kind: 'fail', limit: 2 })).toEqual({ redriveJobs: { count: 2 } })
    for (const { id } of failed) await jobs.ended(id)
    expect((await jobs.find(failed.map(({ id }) => id))).map(({ attempt }) => attempt).sort()).toEqual([1, 2, 2])
    expect(await redrive({ limit: 0 })).toEqual({ redriveJobs: { code: 'BAD_USER_INPUT' } })
  })

  it('is found by nothing that PostgreSQL would refuse', async () => {
    const text = 'query ($where: JobWhere) { jobs(where: $where) { totalCount } }'
    for (const where of [{ parentId: 'x' }, { scheduleId: "'" }])
      expect(await graph.ask(text, { where })).toEqual({ jobs: { totalCount: 0 } })
  })
})
