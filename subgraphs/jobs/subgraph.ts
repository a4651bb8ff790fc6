import DataLoader from 'dataloader'
import type { Jobs } from '../../jobs/engine.ts'
import type { Job, JobArtifact, JobAttempt } from '../../jobs/job.ts'
import type { Schedule } from '../../jobs/schedule.ts'
import type { Database } from '../../platform/database.ts'
import type { RequestContext, Subgraph } from '../../platform/request.ts'
import { createBuilder } from '../../schema/builder.ts'
import { registerErrors } from '../../schema/errors.ts'
import { toSubgraph } from '../../schema/federation.ts'
import { registerAudit } from './audit.ts'
import { registerEvents } from './events.ts'
import { registerJobs } from './jobs.ts'
import { registerLive } from './live.ts'
import { registerMutations } from './mutations.ts'
import { registerParts } from './parts.ts'
import { registerSchedules } from './schedules.ts'

/** What the jobs subgraph stands on. */
export interface JobsEngines {
  readonly jobs: Jobs
  /** Holds the audit. */
  readonly database: Database
}

export interface JobsContext extends RequestContext {
  readonly jobs: Jobs
  /** A job that the viewer may see, or null. */
  readonly jobOf: DataLoader<string, Job | null>
  readonly attemptsOf: DataLoader<string, JobAttempt[]>
  readonly artifactsOf: DataLoader<string, JobArtifact[]>
  /** A schedule that the viewer may see, or null. */
  readonly scheduleOf: DataLoader<string, Schedule | null>
}

export type JobsBuilder = ReturnType<typeof createJobsBuilder>

function createJobsBuilder() {
  return createBuilder<{ Context: JobsContext; PrismaTypes: object }>()
}

/** Jobs of every kind: how they go, live and afterwards, and the way to stop and to retry them. */
export function createJobsSubgraph({ jobs, database }: JobsEngines): Subgraph {
  const builder = createJobsBuilder()
  const resultOf = registerErrors(builder, ['InvalidInputError', 'NotFoundError', 'ConflictError', 'TooManyJobsError'])
  builder.queryType({})
  builder.mutationType({})
  builder.subscriptionType({})
  const refs = registerJobs(builder, registerParts(builder))
  registerMutations(builder, refs, resultOf)
  registerEvents(builder, refs)
  registerLive(builder, refs)
  registerSchedules(builder, refs, resultOf)
  registerAudit(builder, database)
  return toSubgraph('jobs', builder.toSchema(), (request) => contextOf(jobs, request))
}

function contextOf(jobs: Jobs, request: RequestContext): JobsContext {
  return {
    ...request,
    jobs,
    jobOf: new DataLoader(async (ids) => inOrder(ids, await jobs.find(ids, request.viewer))),
    scheduleOf: new DataLoader(async (ids) => inOrder(ids, await jobs.schedules.find(ids, request.viewer))),
    attemptsOf: new DataLoader(async (ids) => grouped(ids, await jobs.attempts(ids))),
    artifactsOf: new DataLoader(async (ids) => grouped(ids, await jobs.artifacts(ids))),
  }
}

function inOrder<Row extends { id: string }>(ids: readonly string[], rows: readonly Row[]): (Row | null)[] {
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id) ?? null)
}

function grouped<Row extends { jobId: string }>(ids: readonly string[], rows: readonly Row[]): Row[][] {
  const groups = Map.groupBy(rows, (row) => row.jobId)
  return ids.map((id) => groups.get(id) ?? [])
}
