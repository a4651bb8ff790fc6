import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Jobs } from '../../jobs/engine.ts'
import { type AnyJobKind, defineJob } from '../../jobs/kind.ts'
import type { Viewer } from '../../platform/viewer.ts'
import type { Run } from '../../registry/runs.ts'
import { readRival } from '../rollout/opponent.ts'
import { promotions } from '../rollout/policy.ts'
import { completeRun } from '../training.ts'
import { findModel, type TrainingEngines } from '../training-job.ts'
import { importModel, tryFile } from './importing.ts'
import { parsePlan } from './plan.ts'

export const IMPORT_JOB = 'import'

const input = z.object({
  model: z.string(),
  runId: z.uuid(),
  /** Of the file, which the registry keeps. */
  sha256: z.string(),
  plan: z.unknown(),
  seed: z.number().int().min(0),
  promote: z.enum(promotions),
})

/** The job that judges an imported model on the rows and registers it. The file was tried before it was enqueued, and is again. */
export function importJob({ registry, clock, client, models }: TrainingEngines): AnyJobKind {
  return defineJob({
    name: IMPORT_JOB,
    input,
    retry: { attempts: 3 },
    concurrency: 1,
    async run(context, request: z.infer<typeof input>) {
      const { model: name, runId, sha256, seed, promote } = request
      const model = findModel(models, name)
      await context.transaction(async () => registry.runs.mark(runId, 'RUNNING'))
      let register = async (): Promise<unknown> => undefined
      return context.step(
        'register',
        async () => {
          const imported = await importModel(model, {
            file: await registry.kept(sha256),
            plan: parsePlan(request.plan),
            client,
            now: clock.now(),
            seed,
            rival: () => readRival(registry, model),
            signal: context.signal,
            onProgress: (progress) => context.progress(progress),
          })
          register = () => completeRun(registry, imported, { promote, createdBy: context.job.viewerId, runId })
          return { metrics: imported.contents.metrics, reasons: [...imported.reasons] }
        },
        async () => {
          await register()
        },
      )
    },
    async ended(job) {
      const { runId } = job.input as { readonly runId: string }
      if (job.state === 'FAILED') await registry.runs.mark(runId, 'FAILED', { report: { error: job.error } })
      if (job.state === 'CANCELLED') await registry.runs.mark(runId, 'CANCELLED')
    },
  })
}

export interface ImportRequest {
  readonly model: string
  readonly file: Uint8Array
  readonly plan: unknown
  readonly seed: number
  readonly promote: z.infer<typeof input>['promote']
  readonly viewer: Viewer
  readonly idempotencyKey?: string | undefined
}

/** Tries the file at once, and lets a job judge and register what is good. Throws IMPORT_INVALID, BAD_USER_INPUT or MODEL_UNKNOWN. */
export async function startImport(
  engines: Pick<TrainingEngines, 'database' | 'registry' | 'models'> & { readonly jobs: Jobs },
  { file, viewer, idempotencyKey, ...request }: ImportRequest,
): Promise<{ run: Run; jobId: string }> {
  const { database, registry, jobs, models } = engines
  const model = findModel(models, request.model)
  const plan = parsePlan(request.plan)
  await tryFile(model, file, plan)
  return database.transaction(async () => {
    const sha256 = await registry.keep(file)
    const job = await jobs.enqueue(
      IMPORT_JOB,
      { ...request, plan, sha256, runId: randomUUID() },
      { viewer, idempotencyKey },
    )
    const { runId } = job.input as { readonly runId: string }
    const createdBy = viewer.id
    const run = await registry.runs.create({ id: runId, kind: 'import', name: model.name, createdBy, jobId: job.id })
    return { run, jobId: job.id }
  })
}
