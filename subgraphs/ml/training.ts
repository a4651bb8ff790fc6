import { resolveArrayConnection } from '@pothos/plugin-relay'
import { CHAMPION } from '../../ml/model-version.ts'
import type { Promotion } from '../../ml/rollout/policy.ts'
import { startTraining } from '../../ml/training-job.ts'
import type { Run } from '../../registry/runs.ts'
import { type ErrorTypeName, withErrors } from '../../schema/errors.ts'
import { checkPage, pageLimit } from '../../schema/pagination.ts'
import { findVersion, type ModelRefs } from './models.ts'
import type { MlBuilder } from './subgraph.ts'

// biome-ignore lint/suspicious/noExplicitAny: the union is made for a payload that Pothos knows only here
export type ResultOf = (payload: any, unionName: string, failures?: readonly ErrorTypeName[]) => any

/** Registers training runs and the mutation that starts one. */
export function registerTraining(builder: MlBuilder, { ModelVersionRef }: ModelRefs, resultOf: ResultOf) {
  const JobRef = builder.objectRef<{ id: string }>('Job').implement({
    description: 'A durable job; the jobs subgraph tells how it goes.',
    directives: { key: { fields: 'id', resolvable: false } } as never,
    fields: (t) => ({ id: t.exposeID('id', { description: 'Its id.' }) }),
  })
  const RunState = builder.enumType('TrainingRunState', {
    description: 'How a training run stands.',
    values: ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const,
  })
  const TrainingRunRef = builder.objectRef<Run>('TrainingRun').implement({
    description: 'One attempt to train a version of a model.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      model: t.string({ description: "The model's name.", resolve: (run) => run.name }),
      state: t.field({ type: RunState, description: 'How it stands.', resolve: (run) => run.state }),
      job: t.field({
        type: JobRef,
        nullable: true,
        description: 'The job that carries it out; null for one started on the command line.',
        resolve: (run) => (run.jobId ? { id: run.jobId } : null),
      }),
      modelVersion: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version it made.',
        resolve: (run, _args, context) => (run.versionId ? findVersion(context, run.versionId) : null),
      }),
      isPromoted: t.boolean({
        nullable: true,
        description: `Whether its version became ${CHAMPION}; null before it ended.`,
        resolve: (run) => reportOf(run)?.promoted ?? null,
      }),
      why: t.string({
        nullable: true,
        description: 'Why its version was promoted or not; null before it ended.',
        resolve: (run) => reportOf(run)?.why ?? null,
      }),
      reasons: t.stringList({
        description: 'Why it was not promoted, or why it failed.',
        resolve: (run) => {
          const report = reportOf(run)
          return report?.error ? [report.error.message] : [...(report?.reasons ?? [])]
        },
      }),
      createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked for.' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    }),
  })

  builder.queryFields((t) => ({
    trainingRun: t.field({
      scopes: ['models:read'],
      type: TrainingRunRef,
      nullable: true,
      description: 'A training run by its id; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: (_root, { id }, context) => context.engines.registry.runs.find(String(id)),
    }),
    trainingRuns: t.connection({
      scopes: ['models:read'],
      type: TrainingRunRef,
      description: 'Training runs, newest first.',
      args: { model: t.arg.string({ description: 'Only those of this model.' }) },
      resolve: async (_root, args, context) => {
        checkPage(args, context.viewer)
        const { runs } = context.engines.registry
        const found = await runs.list('training', args.model ?? null, pageLimit(context.viewer))
        return resolveArrayConnection({ args }, found) as never
      },
    }),
  }))

  const Payload = builder.objectRef<{ trainingRun: Run; job: { id: string } }>('TrainModelPayload').implement({
    description: 'The training run that was written and the job that will carry it out.',
    fields: (t) => ({
      trainingRun: t.expose('trainingRun', { type: TrainingRunRef, description: 'The run.' }),
      job: t.expose('job', { type: JobRef, description: 'The job: follow it with `jobEvents`.' }),
    }),
  })
  const PromotionRef = builder.enumType('PromotionPolicy', {
    description: 'When a version that passed its gates serves.',
    values: {
      ALWAYS: { value: 'always', description: 'At once.' },
      IF_BETTER: { value: 'if-better', description: 'When it is surely not worse than the champion on the same rows.' },
      AFTER_APPROVAL: { value: 'after-approval', description: 'When somebody approves it: `approveVersion`.' },
      NEVER: { value: 'never', description: 'When somebody promotes it: `promoteVersion`.' },
    } as const satisfies Record<string, { value: Promotion; description: string }>,
  })
  const Input = builder.inputType('TrainModelInput', {
    description: 'What to train.',
    fields: (t) => ({
      model: t.string({ required: true, description: "The model's name." }),
      idempotencyKey: t.string({ description: 'The same key gives the run that was started with it.' }),
      promote: t.field({ type: PromotionRef, description: 'When its version serves; ALWAYS when absent.' }),
      seed: t.int({ description: 'Seed of every random choice; the same rows and seed give the same version.' }),
    }),
  })
  const failures = ['NotFoundError', 'InvalidInputError', 'TooManyJobsError'] as const
  builder.mutationFields((t) => ({
    trainModel: t.field({
      scopes: ['models:train'],
      type: resultOf(Payload as never, 'TrainModelResult', failures),
      description: 'Starts a training run and answers at once. A version that passes its gates serves when it is done.',
      args: { input: t.arg({ type: Input, required: true, description: 'What to train.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(failures, async () => {
          const { engines, viewer } = context
          const { run, jobId } = await startTraining(engines, {
            viewer,
            model: input.model,
            idempotencyKey: input.idempotencyKey ?? undefined,
            seed: input.seed ?? engines.seed,
            candidates: 'quick',
            promote: input.promote ?? 'always',
          })
          return { trainingRun: run, job: { id: jobId } }
        }) as never,
    }),
  }))
  return { JobRef, TrainingRunRef }
}

export type TrainingRefs = ReturnType<typeof registerTraining>

interface Report {
  readonly promoted?: boolean
  readonly why?: string
  readonly reasons?: readonly string[]
  readonly error?: { readonly message: string }
}

function reportOf(run: Run): Report | null {
  return run.report as Report | null
}
