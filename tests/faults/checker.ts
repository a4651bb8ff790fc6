import type { JobEvent } from '../../jobs/event.ts'
import type { Job } from '../../jobs/job.ts'
import { isAllowedMove, isFinal, type JobState, jobStates } from '../../jobs/states.ts'
import type { History } from './history.ts'

/** Every promise that the history breaks, in words; empty when all were kept. */
export function findViolations(history: History): string[] {
  const faults: string[] = []
  const jobs = new Map(history.jobs.map((job) => [job.id, job]))
  const events = groupBy(history.events, (event) => event.jobId)
  checkAnswers(history, jobs, events, faults)
  for (const job of history.jobs) {
    checkEvents(job, events.get(job.id) ?? [], faults)
    checkAttempts(job, history, faults)
  }
  checkCommits(history, jobs, faults)
  checkReadings(history, events, faults)
  return faults
}

/** Nothing acknowledged is lost: each job exists and is over, each cancel and retry left its event, one key is one job. */
function checkAnswers(
  { said }: History,
  jobs: ReadonlyMap<string, Job>,
  events: ReadonlyMap<string, JobEvent[]>,
  faults: string[],
): void {
  const idOfKey = new Map<string, string>()
  const retries = new Map<string, number>()
  for (const line of said) {
    if (line.op === 'wrong') faults.push(`a request was answered wrongly: ${line.message}`)
    if (line.op !== 'enqueue' && line.op !== 'cancel' && line.op !== 'retry') continue
    const job = jobs.get(line.id)
    if (!job) {
      faults.push(`job ${line.id} was acknowledged by ${line.op} and is lost`)
      continue
    }
    const types = (events.get(line.id) ?? []).map((event) => event.type)
    if (line.op === 'enqueue' && line.key !== null) {
      const known = idOfKey.get(line.key) ?? line.id
      if (known !== line.id) faults.push(`key ${line.key} made two jobs, ${known} and ${line.id}`)
      idOfKey.set(line.key, known)
    }
    if (line.op === 'cancel' && !types.includes('CANCELLING') && !types.includes('CANCELLED'))
      faults.push(`the cancel of job ${line.id} was acknowledged and left nothing`)
    if (line.op === 'retry') retries.set(line.id, (retries.get(line.id) ?? 0) + 1)
  }
  for (const [id, count] of retries) {
    const made = (events.get(id) ?? []).filter(
      (event) => event.type === 'QUEUED' && ['FAILED', 'CANCELLED', 'RETRYING'].includes(String(event.data.from)),
    )
    if (made.length < count) faults.push(`job ${id} was retried ${count} times and its events show ${made.length}`)
  }
  for (const job of jobs.values()) if (!isFinal(job.state)) faults.push(`job ${job.id} is left ${job.state}`)
}

/** Events are numbered from 1 without a gap, states move along the arrows, and the row says what its last event says. */
function checkEvents(job: Job, events: readonly JobEvent[], faults: string[]): void {
  const wrong = events.findIndex((event, at) => event.sequence !== at + 1)
  if (wrong >= 0)
    faults.push(`event ${wrong + 1} of job ${job.id} is missing; ${events[wrong]!.sequence} stands in its place`)
  if (events.length !== job.lastSequence)
    faults.push(`job ${job.id} counts ${job.lastSequence} events and has ${events.length}`)
  let state: JobState | null = null
  for (const { type, sequence } of events) {
    if (!isState(type)) {
      // Only work that is running speaks.
      if (state !== 'RUNNING' && state !== 'CANCELLING')
        faults.push(`job ${job.id} was ${state} when event ${sequence} said ${type}`)
      continue
    }
    if (!isAllowedMove(state, type)) faults.push(`job ${job.id} moved from ${state} to ${type}`)
    state = type
  }
  if (state !== job.state) faults.push(`job ${job.id} is ${job.state}, its events end in ${state}`)
}

/** Attempts are numbered from 1 without a gap, each with its end; the one that succeeded is the last. */
function checkAttempts(job: Job, { attempts }: History, faults: string[]): void {
  const own = attempts.filter((attempt) => attempt.jobId === job.id)
  if (own.length !== job.attempt || own.some((attempt, at) => attempt.number !== at + 1))
    faults.push(`job ${job.id} counts ${job.attempt} attempts and has ${own.map((attempt) => attempt.number)}`)
  if (!isFinal(job.state)) return
  for (const attempt of own)
    if (attempt.outcome === null || attempt.endedAt === null)
      faults.push(`attempt ${attempt.number} of job ${job.id} has no end`)
  const succeeded = own.findIndex((attempt) => attempt.outcome === 'SUCCEEDED')
  if (succeeded >= 0 !== (job.state === 'SUCCEEDED') || (succeeded >= 0 && succeeded !== own.length - 1))
    faults.push(`job ${job.id} is ${job.state} after ${own.map((attempt) => attempt.outcome).join(', ')}`)
}

/** A step commits once, its effect with it, never after a later attempt has committed; and the result counts each step once. */
function checkCommits({ effects, steps }: History, jobs: ReadonlyMap<string, Job>, faults: string[]): void {
  const stepOf = new Map(steps.map((step) => [`${step.jobId} ${step.name}`, step]))
  const seen = new Set<string>()
  const newest = new Map<string, number>()
  for (const { job, step, attempt } of effects) {
    const name = `${job} ${step}`
    if (seen.has(name)) faults.push(`${step} of job ${job} committed twice`)
    seen.add(name)
    if (stepOf.get(name)?.attempt !== attempt)
      faults.push(`${step} of job ${job} left its effect in attempt ${attempt}, its checkpoint says otherwise`)
    if (attempt < (newest.get(job) ?? 0)) faults.push(`attempt ${attempt} of job ${job} wrote after a later one`)
    newest.set(job, Math.max(attempt, newest.get(job) ?? 0))
  }
  for (const name of stepOf.keys()) if (!seen.has(name)) faults.push(`${name} was committed without its effect`)
  for (const job of jobs.values()) {
    if (job.state !== 'SUCCEEDED' || job.kind !== 'effects') continue
    const { steps: most } = job.input as { steps: number }
    const { sum } = job.result as { sum: number }
    const made = effects.filter((effect) => effect.job === job.id).length
    if (made !== most || sum !== (most * (most + 1)) / 2)
      faults.push(`job ${job.id} succeeded with ${made} of ${most} steps and the sum ${sum}`)
  }
}

/** A reader gets each event once, in order, to the last; only progress may be left out, when it lagged. */
function checkReadings({ readings }: History, events: ReadonlyMap<string, JobEvent[]>, faults: string[]): void {
  for (const { jobId, sequences } of readings) {
    if (sequences.some((sequence, at) => at > 0 && sequence <= sequences[at - 1]!))
      faults.push(`a reader of job ${jobId} was given an event twice or out of order`)
    const given = new Set(sequences)
    for (const { sequence, type } of events.get(jobId) ?? [])
      if (type !== 'PROGRESS' && !given.has(sequence)) faults.push(`a reader of job ${jobId} missed event ${sequence}`)
  }
}

function isState(type: string): type is JobState {
  return (jobStates as readonly string[]).includes(type)
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}
