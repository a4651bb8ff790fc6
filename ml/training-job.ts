import { z } from 'zod'
import type { Jobs } from '../jobs/engine.ts'
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
import { registerVersion, trainVersion } from './training.ts'

export const TRAINING_JOB = 'train'

const input = z.object({
  model: z.string(),
  runId: z.uuid(),
  seed: z.number().int().min(0),
  candidates: z.enum(['quick', 'full']),
  budgetMs: z.number().int().positive().optional(),
  promote: z.enum(['always', 'never']),
})
export type TrainingInput = z.infer<typeof input>

export interface TrainingEngines {
  readonly database: Database
  readonly registry: Registry
  readonly clock: Clock
  readonly client: SqlClient
  readonly models: readonly Model[]
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
  const { registry, clock, client, models } = engines
  return defineJob({
    name: TRAINING_JOB,
    input,
    retry: { attempts: 3 },
    concurrency: 1, // a training run uses every core
    async run(context, request: TrainingInput) {
      const model = findModel(models, request.model)
      const runId = request.runId
      // An attempt that was overtaken while it slept must not call a run of others its own.
      await context.transaction(() => registry.runs.mark(runId, 'RUNNING'))
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
            signal: context.signal,
            onProgress: (progress) => context.progress(progress),
          })
          register = async () => {
            const outcome = await registerVersion(registry, trained, {
              promote: request.promote,
              createdBy: context.job.viewerId,
              runId,
            })
            const report = { promoted: outcome.promoted, reasons: outcome.reasons, metrics: trained.contents.metrics }
            await registry.runs.mark(runId, 'SUCCEEDED', { versionId: outcome.version.id, report })
          }
          return { metrics: trained.contents.metrics, reasons: [...trained.reasons] }
        },
        async () => {
          await register()
        },
      )
    },
    async ended(job, _client) {
      const { runId } = job.input as TrainingInput
      if (job.state === 'FAILED') await registry.runs.mark(runId, 'FAILED', { report: { error: job.error } })
      if (job.state === 'CANCELLED') await registry.runs.mark(runId, 'CANCELLED')
    },
  })
}

/** Writes the training run and its job in one transaction and returns both at once. Throws MODEL_UNKNOWN. */
export function startTraining(
  engines: Pick<TrainingEngines, 'database' | 'registry' | 'models'> & { readonly jobs: Jobs },
  request: Omit<TrainingInput, 'runId'> & { readonly viewer: Viewer; readonly idempotencyKey?: string },
): Promise<{ run: Run; jobId: string }> {
  const { database, registry, jobs, models } = engines
  const { viewer, idempotencyKey, ...settings } = request
  const model = findModel(models, settings.model)
  return database.transaction(async () => {
    const run = await registry.runs.create({ kind: 'training', name: model.name, createdBy: viewer.id })
    const job = await jobs.enqueue(
      TRAINING_JOB,
      { ...settings, runId: run.id },
      {
        viewer,
        ...(idempotencyKey ? { idempotencyKey } : {}),
      },
    )
    await registry.runs.attach(run.id, job.id)
    return { run: { ...run, jobId: job.id }, jobId: job.id }
  })
}
