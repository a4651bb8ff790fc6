import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Jobs } from '../jobs/engine.ts'
import type { Job } from '../jobs/job.ts'
import { type AnyJobKind, defineJob } from '../jobs/kind.ts'
import type { Clock } from '../platform/clock.ts'
import type { Database } from '../platform/database.ts'
import { InklingError } from '../platform/errors.ts'
import type { Viewer } from '../platform/viewer.ts'
import type { Registry } from '../registry/registry.ts'
import type { Run } from '../registry/runs.ts'
import type { Model, SqlClient } from './define.ts'
import { featureDifference } from './feature-difference.ts'
import { MODEL_KIND, type ModelContents } from './model-version.ts'
import { readRival } from './rollout/opponent.ts'
import { promotions } from './rollout/policy.ts'
import { completeRun, trainVersion } from './training.ts'

export const TRAINING_JOB = 'train'

const input = z.object({
  model: z.string(),
  /** The run that was written with the job; a job of a schedule writes its own when it begins. */
  runId: z.uuid().optional(),
  seed: z.number().int().min(0).default(7),
  candidates: z.enum(['quick', 'full']).default('quick'),
  budgetMs: z.number().int().positive().optional(),
  promote: z.enum(promotions).default('always'),
})
export type TrainingInput = z.infer<typeof input>

export interface TrainingEngines {
  readonly database: Database
  readonly registry: Registry
  readonly clock: Clock
  readonly client: SqlClient
  readonly models: readonly Model[]
  /** What one training may take of memory, in a process of its own. Default: 2048. */
  readonly memoryMb?: number
}

/** Throws MODEL_UNKNOWN with the names that exist. */
export function findModel(models: readonly Model[], name: string): Model {
  const model = models.find((candidate) => candidate.name === name)
  if (model) return model
  throw new InklingError(
    'MODEL_UNKNOWN',
    `There is no model "${name}".`,
    `Models: ${models.map((candidate) => candidate.name).join(', ') || 'none'}.`,
  )
}

/** The job that carries out a training run. */
export function trainingJob(engines: TrainingEngines): AnyJobKind {
  const { registry, clock, client, models, memoryMb = 2048 } = engines
  return defineJob({
    name: TRAINING_JOB,
    scopes: ['models:train'],
    input,
    retry: { attempts: 3 },
    concurrency: 1, // a training run uses every core
    async run(context, request: TrainingInput) {
      const model = findModel(models, request.model)
      const runId = runIdOf(context.job)
      // An attempt that was overtaken while it slept must not call a run of others its own.
      await context.transaction(async () => {
        const { id: jobId, viewerId } = context.job
        await registry.runs.create({ id: runId, kind: 'training', name: model.name, createdBy: viewerId, jobId })
        await registry.runs.mark(runId, 'RUNNING')
      })
      context.log('info', `training ${model.name}`)
      const [previous] = await registry.list<ModelContents>(MODEL_KIND, model.name, 1)
      const difference = previous ? featureDifference(model, previous) : ''
      if (previous && difference !== '')
        context.log('info', `features differ from those of version ${previous.number} (${difference})`)
      // The step commits version, alias and result together: a crash before leaves nothing, a crash after repeats nothing.
      let register = async (): Promise<unknown> => undefined
      return context.step(
        'register',
        async () => {
          const trained = await trainVersion(model, {
            client,
            now: clock.now(),
            seed: request.seed,
            candidates: request.candidates,
            ...(request.budgetMs ? { budgetMs: request.budgetMs } : {}),
            rival: () => readRival(registry, model),
            memoryMb,
            signal: context.signal,
            onProgress: (progress) => context.progress(progress),
          })
          context.progress({ done: 100, total: 100, message: 'registering' })
          const { promote } = request
          register = () => completeRun(registry, trained, { promote, createdBy: context.job.viewerId, runId })
          return { metrics: trained.contents.metrics, reasons: [...trained.reasons] }
        },
        async () => {
          await register()
        },
      )
    },
    async ended(job, _client) {
      const runId = runIdOf(job)
      if (job.state === 'FAILED') await registry.runs.mark(runId, 'FAILED', { report: { error: job.error } })
      if (job.state === 'CANCELLED') await registry.runs.mark(runId, 'CANCELLED')
    },
  })
}

/** A schedule's job is its own run. */
function runIdOf(job: Job): string {
  return (job.input as { readonly runId?: string }).runId ?? job.id
}

/**
 * Writes the training run and its job in one transaction and returns both at once; the same idempotency key gives the ones
 * that are there. Throws MODEL_UNKNOWN.
 */
export function startTraining(
  engines: Pick<TrainingEngines, 'database' | 'registry' | 'models'> & { readonly jobs: Jobs },
  request: Omit<TrainingInput, 'runId'> & { readonly viewer: Viewer; readonly idempotencyKey?: string | undefined },
): Promise<{ run: Run; jobId: string }> {
  const { database, registry, jobs, models } = engines
  const { viewer, idempotencyKey, ...settings } = request
  const model = findModel(models, settings.model)
  return database.transaction(async () => {
    const job = await jobs.enqueue(TRAINING_JOB, { ...settings, runId: randomUUID() }, { viewer, idempotencyKey })
    const { id: jobId } = job
    const run = await registry.runs.create({
      id: runIdOf(job),
      kind: 'training',
      name: model.name,
      createdBy: viewer.id,
      jobId,
    })
    return { run, jobId }
  })
}
