import { z } from 'zod'
import type { Jobs } from '../../jobs/engine.ts'
import type { Job } from '../../jobs/job.ts'
import { type AnyJobKind, defineJob } from '../../jobs/kind.ts'
import { InklingError } from '../../platform/errors.ts'
import { DEFAULT_TENANT, type Viewer } from '../../platform/viewer.ts'
import type { Model } from '../define.ts'
import type { ServedVersion, Serving } from '../serving.ts'
import { findModel } from '../training-job.ts'
import { newestNote } from './changes.ts'
import { type Beginning, isWholeScope, runScoring, type ScoringEngines } from './run.ts'

export const SCORING_JOB = 'score'

/** Keys that one job takes by name. */
export const MOST_KEYS = 5000
const input = z.object({
  model: z.string(),
  /** ALL: whom the question is about. CHANGED: whose rows changed since. */
  scope: z.enum(['ALL', 'CHANGED']).default('ALL'),
  /** Only these entities. */
  keys: z
    .array(z.record(z.string(), z.union([z.string(), z.number()])))
    .min(1)
    .max(MOST_KEYS)
    .optional(),
  /** Whosever they are, and not only those of the job's tenant. Heeded for jobs of the tenant that runs the installation. */
  everyone: z.boolean().optional(),
  /** Only entities whose score is missing, by another version or computed before this moment. */
  scoredBefore: z.iso.datetime().optional(),
})
export type ScoringInput = z.input<typeof input>

/** Scores a model's entities page by page; a page that is stored is never scored again, whatever crashes. */
export function scoringJob(engines: ScoringEngines): AnyJobKind {
  return defineJob({
    name: SCORING_JOB,
    scopes: ['predictions:write'],
    input,
    retry: { attempts: 5 },
    concurrency: 1, // scoring keeps a thread busy by itself
    async run(context, request) {
      const model = findModel(engines.models, request.model)
      checkCandidates(model, request)
      const beginning = await context.step('begin', () => begin(engines, model))
      const lease = await leaseVersion(engines.serving, model, beginning.versionId)
      try {
        const { tenant } = context.job
        const isEverybodys = request.everyone === true && tenant === DEFAULT_TENANT
        const scope = { ...request, tenant: isEverybodys || !model.tenants ? null : tenant }
        return await runScoring(engines, context, model, scope, beginning, lease.served)
      } finally {
        await lease.end()
      }
    },
  })
}

async function begin({ database, serving, clock }: ScoringEngines, model: Model): Promise<Beginning> {
  const { version } = serving.championAt(model, new Date())
  return {
    asOf: clock.now().toISOString(),
    startedAt: new Date().toISOString(),
    versionId: version.id,
    versionNumber: version.number,
    upTo: String(await newestNote(database, model.name)),
  }
}

/** The serving version where it is the wanted one, else a loaded one that the caller ends. */
async function leaseVersion(
  serving: Serving,
  model: Model,
  id: string,
): Promise<{ served: ServedVersion; end(): Promise<void> }> {
  const champion = serving.championAt(model, new Date())
  if (champion.version.id === id) return { served: champion, end: async () => {} }
  const served = await serving.load(id)
  return { served, end: () => served.predictor.dispose() }
}

function checkCandidates(model: Model, { scope, keys }: Pick<ScoringInput, 'scope' | 'keys'>): void {
  if (model.candidates || scope === 'CHANGED' || keys) return
  throw new InklingError(
    'BAD_USER_INPUT',
    `${model.name} does not say whom to score: its model file has no \`candidates\`.`,
    'Add `candidates` to the model file, or name the keys to score.',
  )
}

/** Enqueues a scoring; joins the caller's transaction. Throws MODEL_UNKNOWN, BAD_USER_INPUT, TOO_MANY_JOBS. */
export async function startScoring(
  { jobs, models }: { readonly jobs: Jobs; readonly models: readonly Model[] },
  request: ScoringInput,
  options: { readonly viewer: Viewer; readonly idempotencyKey?: string },
): Promise<Job> {
  const model = findModel(models, request.model)
  for (const key of request.keys ?? []) {
    const lacking = model.key.find((field) => key[field] === undefined)
    if (lacking)
      throw new InklingError(
        'BAD_USER_INPUT',
        `A key of ${model.entity} lacks "${lacking}".`,
        `A key of ${model.entity} has the fields ${model.key.join(', ')}.`,
      )
  }
  checkCandidates(model, request)
  return jobs.enqueue(SCORING_JOB, request, { ...options, tags: [model.name] })
}

/** A whole scoring of everybody, or at least of a tenant, that is not over yet; null when none is under way. */
export async function runningScoring(
  { jobs }: { readonly jobs: Jobs },
  model: string,
  tenant = DEFAULT_TENANT,
): Promise<Job | null> {
  const states = ['SCHEDULED', 'BLOCKED', 'QUEUED', 'RUNNING', 'RETRYING'] as const
  const page = await jobs.list({ kinds: [SCORING_JOB], states, tag: model, first: 20 })
  const isMeant = (job: Job) => {
    const scope = input.parse(job.input)
    return isWholeScope(scope) && (scope.everyone === true || job.tenant === tenant)
  }
  return page.jobs.find(isMeant) ?? null
}
