import { InklingError } from '../../platform/errors.ts'
import { createProgressBar } from '../progress-bar.ts'
import type { Graph } from './graph.ts'
import { findJob, fullId, listJobs } from './operations.ts'
import { type JobRow, printJob } from './print.ts'

interface Event {
  readonly __typename: string
  readonly sequence: number
  readonly progress?: {
    done: number
    total: number | null
    unit: string | null
    message: string | null
    etaAt: string | null
  }
  readonly state?: string
  readonly reason?: string | null
  readonly attempt?: number
  readonly level?: string
  readonly message?: string
  readonly name?: string
}

const UNFINISHED = ['RUNNING', 'CANCELLING', 'RETRYING', 'QUEUED', 'BLOCKED', 'SCHEDULED']
const EVENTS = `subscription ($jobId: ID!, $after: Int) { jobEvents(jobId: $jobId, after: $after) { __typename sequence
  ... on JobProgressed { progress { done total unit message etaAt } } ... on JobMoved { state reason attempt }
  ... on JobLogged { level message } ... on JobStepCommitted { name } } }`
const RECONNECT_MS = 1000
const ENDS = ['JobSucceeded', 'JobFailed', 'JobCancelled']

/** Draws a job until it is over, through lost connections. Resolves with the job; null when nothing was running. */
export async function watchJob(graph: Graph, given: string | undefined): Promise<JobRow | null> {
  const id = given ? await fullId(graph, given) : (await listJobs(graph, { states: UNFINISHED }, 1))[0]?.id
  if (!id) {
    process.stderr.write('no job is running\n')
    return null
  }
  const { kind } = await findJob(graph, id)
  const bar = createProgressBar(`${kind} ${id.slice(0, 8)}`)
  const stop = new AbortController()
  const interrupt = () => stop.abort()
  process.once('SIGINT', interrupt)
  let after = 0
  try {
    for (let isOver = false; !isOver && !stop.signal.aborted; ) {
      try {
        for await (const { jobEvents } of graph.follow<{ jobEvents: Event }>(
          EVENTS,
          { jobId: id, after },
          stop.signal,
        )) {
          after = jobEvents.sequence
          isOver = ENDS.includes(jobEvents.__typename)
          draw(bar, jobEvents)
        }
        if (!isOver) isOver = UNFINISHED.indexOf((await findJob(graph, id)).state) < 0
      } catch (error) {
        if (error instanceof InklingError) throw error
        if (stop.signal.aborted) break
        await new Promise((resolve) => setTimeout(resolve, RECONNECT_MS)) // continues after the last event
      }
    }
  } finally {
    bar.stop()
    process.off('SIGINT', interrupt)
  }
  const job = await findJob(graph, id)
  process.stdout.write(printJob({ ...job, logs: [] }))
  return job
}

function draw(bar: ReturnType<typeof createProgressBar>, event: Event): void {
  const { progress } = event
  if (progress) {
    const left = progress.etaAt
      ? `, ${Math.max(0, Math.round((Date.parse(progress.etaAt) - Date.now()) / 1000))} s left`
      : ''
    bar.update(progress.done, progress.total ?? 0, `${progress.message ?? progress.unit ?? ''}${left}`)
  } else if (event.__typename === 'JobMoved') {
    bar.update(0, 0, `${event.state}${event.reason ? `: ${event.reason}` : ''}`)
  }
}
