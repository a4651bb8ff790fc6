import { InklingError } from '../../platform/errors.ts'
import { type BoardRow, createBoard } from './board.ts'
import type { Graph } from './graph.ts'
import { findJob, fullId, listJobs } from './operations.ts'
import { type JobRow, printJob } from './print.ts'

interface Event {
  readonly __typename: string
  readonly sequence: number
  readonly progress?: { done: number; total: number | null; unit: string | null; message: string | null }
  readonly state?: string
  readonly reason?: string | null
  readonly error?: { message: string } | null
  readonly message?: string
}

const UNFINISHED = ['RUNNING', 'CANCELLING', 'RETRYING', 'QUEUED', 'BLOCKED', 'SCHEDULED']
const EVENTS = `subscription ($jobId: ID!, $after: Int) { jobEvents(jobId: $jobId, after: $after) { __typename sequence
  ... on JobProgressed { progress { done total unit message } } ... on JobMoved { state reason }
  ... on JobFailed { error { message } } ... on JobCancelled { reason } ... on JobEventsRefused { message } } }`
const RECONNECT_MS = 1000
const MOST_WATCHED = 40
const ends: Record<string, string> = { JobSucceeded: 'SUCCEEDED', JobFailed: 'FAILED', JobCancelled: 'CANCELLED' }

/** Draws jobs until all are over, through lost connections. Resolves with the jobs; without ids, with those that are not over. */
export async function watchJobs(graph: Graph, given: readonly string[], isAll: boolean): Promise<JobRow[]> {
  const ids = await choose(graph, given, isAll)
  if (ids.length === 0) {
    process.stderr.write('no job is running\n')
    return []
  }
  const board = createBoard()
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  try {
    const jobs = await Promise.all(ids.map((id) => findJob(graph, id)))
    await Promise.all(
      jobs.map(({ id, kind }) => watchOne(graph, id, board.row(`${kind} ${id.slice(0, 8)}`), stop.signal)),
    )
  } finally {
    board.stop()
    process.off('SIGINT', interrupt)
  }
  const jobs = await Promise.all(ids.map((id) => findJob(graph, id)))
  for (const job of jobs) process.stdout.write(printJob({ ...job, logs: [] }))
  return jobs
}

async function choose(graph: Graph, given: readonly string[], isAll: boolean): Promise<string[]> {
  if (given.length > 0) return Promise.all(given.map((id) => fullId(graph, id)))
  const jobs = await listJobs(graph, { states: UNFINISHED }, isAll ? MOST_WATCHED : 1)
  return jobs.map(({ id }) => id).reverse()
}

async function watchOne(graph: Graph, jobId: string, row: BoardRow, signal: AbortSignal): Promise<void> {
  for (let [after, isOver] = [0, false]; !isOver && !signal.aborted; ) {
    try {
      for await (const { jobEvents } of graph.follow<{ jobEvents: Event }>(EVENTS, { jobId, after }, signal)) {
        if (jobEvents.__typename === 'JobEventsRefused')
          throw new InklingError('JOB_UNKNOWN', jobEvents.message ?? 'Refused.', 'List the jobs to find its id.')
        after = jobEvents.sequence
        isOver = jobEvents.__typename in ends
        draw(row, jobEvents)
      }
      if (!isOver) isOver = !UNFINISHED.includes((await findJob(graph, jobId)).state)
    } catch (error) {
      if (error instanceof InklingError) throw error
      if (signal.aborted) return
      row.says('connection lost; trying again')
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS)) // continues after the last event
    }
  }
}

function draw(row: BoardRow, { __typename, progress, state, reason, error }: Event): void {
  if (progress) row.progress(progress.done, progress.total ?? 0, progress.unit, progress.message ?? '')
  const word = ends[__typename] ?? state
  const why = error?.message ?? reason
  if (word) row.says(why ? `${word}: ${why}` : word)
}
