import { createClient } from 'graphql-ws'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { localViewer } from '../../platform/viewer.ts'
import { graphql } from '../client/index.ts'
import { type AppUnderTest, startApp } from './app-under-test.ts'

interface Event {
  readonly __typename: string
  readonly sequence: number
}

const events = `subscription Events($jobId: ID!, $after: Int) {
  jobEvents(jobId: $jobId, after: $after) { __typename sequence ... on JobFailed { error { code message } } }
}`
const terminal = /^Job(Succeeded|Failed|Cancelled|EventsRefused)$/

describe('training by mutation, watched live', () => {
  let under: AppUnderTest
  beforeAll(async () => {
    under = await startApp({ learners: 400, train: false })
  })
  afterAll(() => under.close())

  const start = async (model: string) => {
    const { trainModel } = await under.query(
      graphql(`
        mutation StartTraining($model: String!) {
          trainModel(input: { model: $model }) {
            ... on TrainModelPayload { trainingRun { id state } job { id state } }
            ... on Error { message code hint }
          }
        }
      `),
      { model },
    )
    if (!('job' in trainModel)) throw new Error(JSON.stringify(trainModel))
    return trainModel
  }

  async function overWebSocket(jobId: string, after: number, most = Number.POSITIVE_INFINITY): Promise<Event[]> {
    const client = createClient({
      url: `${under.server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      retryAttempts: 0,
    })
    const seen: Event[] = []
    for await (const { data } of client.iterate<{ jobEvents: Event }>({ query: events, variables: { jobId, after } })) {
      seen.push(data!.jobEvents)
      if (seen.length >= most) break
    }
    await client.dispose()
    return seen
  }

  async function overSse(jobId: string, after: number): Promise<Event[]> {
    const response = await fetch(`${under.server.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
      body: JSON.stringify({ query: events, variables: { jobId, after } }),
    })
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    const text = await response.text()
    expect(text).toContain('event: complete')
    return [...text.matchAll(/^data: (.+)$/gm)].flatMap((match) => JSON.parse(match[1]!).data?.jobEvents ?? [])
  }

  it('answers at once with run and job, and streams numbered events to a terminal one, over WebSocket and SSE alike', async () => {
    const { trainingRun, job } = await start('churn')
    expect(['QUEUED', 'RUNNING']).toContain(trainingRun.state)
    const [socket, sse] = await Promise.all([overWebSocket(job.id, 0), overSse(job.id, 0)])
    for (const seen of [socket, sse]) {
      expect(seen.at(-1)?.__typename).toBe('JobSucceeded')
      expect(seen.filter(({ __typename }) => terminal.test(__typename))).toHaveLength(1)
      const numbers = seen.map(({ sequence }) => sequence)
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      expect(seen.some(({ __typename }) => __typename === 'JobProgressed')).toBe(true)
    }
    const again = await under.query(
      graphql(`
        query HowItWent($job: ID!, $run: ID!) {
          job(id: $job) { state progress { done total message } attempts { number outcome } }
          trainingRun(id: $run) { state isPromoted modelVersion { number metrics { name value } } reasons }
        }
      `),
      { job: job.id, run: trainingRun.id },
    )
    expect(again.job).toMatchObject({ state: 'SUCCEEDED', attempts: [{ number: 1, outcome: 'SUCCEEDED' }] })
    expect(again.trainingRun).toMatchObject({ state: 'SUCCEEDED', modelVersion: { number: 1 } })
    if (again.trainingRun?.isPromoted) {
      await under.app.serving.refresh()
      expect(under.app.serving.states().find(({ model }) => model === 'churn')?.version).toBe(1)
    } else expect(again.trainingRun?.reasons.length).toBeGreaterThan(0)
  })

  it('resumes after a reconnect without gap or repeat', async () => {
    const { job } = await start('withdrawal')
    const first = await overWebSocket(job.id, 0, 2)
    const rest = await overWebSocket(job.id, first.at(-1)!.sequence)
    const whole = await overSse(job.id, 0)
    const steady = (seen: Event[]) =>
      seen.filter(({ __typename }) => __typename !== 'JobProgressed').map(({ sequence }) => sequence)
    expect(steady([...first, ...rest])).toEqual(steady(whole))
  })

  it('gives the same run for the same idempotency key', async () => {
    const ask = graphql(`
      mutation TrainOnce($key: String!) {
        trainModel(input: { model: "withdrawal", idempotencyKey: $key }) {
          ... on TrainModelPayload { trainingRun { id } job { id } }
        }
      }
    `)
    const answers = await Promise.all([1, 2, 3].map(() => under.query(ask, { key: 'once' })))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    const [{ trainModel }] = answers as [(typeof answers)[0]]
    if (!('job' in trainModel)) throw new Error(JSON.stringify(trainModel))
    await under.app.jobs.cancel(trainModel.job.id)
    await under.app.jobs.ended(trainModel.job.id)
  })

  it('is trained by a schedule, which needs no more than the model', async () => {
    const { schedules } = under.app.jobs
    const weekly = {
      name: 'weekly',
      kind: 'train',
      input: { model: 'withdrawal' },
      expression: '0 3 * * 1',
      timeZone: 'Europe/Berlin',
    }
    const { id } = await schedules.create(weekly, localViewer)
    const { job } = await schedules.trigger(id, localViewer)
    const ended = await under.app.jobs.ended(job.id)
    expect(ended.state).toBe('SUCCEEDED')
    expect(await under.app.registry.runs.find(job.id)).toMatchObject({
      state: 'SUCCEEDED',
      name: 'withdrawal',
      jobId: job.id,
    })
  })

  it('says that a job is unknown as an event', async () => {
    const [only, ...more] = await overSse('7c1a3f52-6f0e-4c5e-9a53-000000000000', 0)
    expect(only?.__typename).toBe('JobEventsRefused')
    expect(more).toEqual([])
  })

  it('cancels a training run, which leaves no version', async () => {
    const { job, trainingRun } = await start('struggle')
    await overWebSocket(job.id, 0, 2)
    await under.query(
      graphql(`mutation CancelOne($id: ID!) { cancelJob(input: { id: $id }) { __typename ... on Error { message } } }`),
      { id: job.id },
    )
    expect((await overSse(job.id, 0)).at(-1)?.__typename).toBe('JobCancelled')
    expect(await under.app.registry.runs.find(trainingRun.id)).toMatchObject({ state: 'CANCELLED', versionId: null })
    expect(await under.app.registry.list('model', 'struggle')).toEqual([])
  })

  it('fails a run without rows by name and number, and the others go on', async () => {
    await under.database.query('UPDATE "learning"."Cancellation" SET "at" = now() + interval \'10 years\'')
    const { job, trainingRun } = await start('churn')
    const [last] = (await overSse(job.id, 0)).slice(-1) as [Event & { error?: { code: string; message: string } }]
    expect(last.__typename).toBe('JobFailed')
    expect(last.error?.code).toBe('ONE_CLASS')
    expect(last.error?.message).toMatch(/^All \d+ labelled rows of churn are negative/)
    expect((await under.app.registry.runs.find(trainingRun.id))?.state).toBe('FAILED')
    expect((await under.app.jobs.get(job.id)).attempt).toBe(1)
  })
})
