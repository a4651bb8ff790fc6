import { resolveArrayConnection } from '@pothos/plugin-relay'
import { MODEL_KIND } from '../../ml/model-version.ts'
import { type ModelExperiment, startExperiment } from '../../ml/rollout/experiments.ts'
import type { Arm, SequentialInterval } from '../../ml/rollout/sequential.ts'
import { findModel } from '../../ml/training-job.ts'
import { BUCKETS, bucketsAt, type ExperimentStep } from '../../registry/experiments/experiment.ts'
import { withErrors } from '../../schema/errors.ts'
import { checkPage, pageLimit } from '../../schema/pagination.ts'
import type { ModelRefs } from './models.ts'
import { moverOf, rolloutFailures, versionOf } from './rollouts.ts'
import type { MlBuilder } from './subgraph.ts'
import type { ResultOf } from './training.ts'

/** Registers A/B experiments: what they are, and the mutations that start, ramp and stop them. */
export function registerExperiments(builder: MlBuilder, refs: ModelRefs, resultOf: ResultOf): void {
  const ExperimentRef = registerTypes(builder, refs)
  const payload = (name: string, description: string) =>
    resultOf(
      builder.objectRef<{ experiment: ModelExperiment }>(`${name}Payload`).implement({
        description,
        fields: (t) => ({ experiment: t.expose('experiment', { type: ExperimentRef, description: 'As it is now.' }) }),
      }),
      `${name}Result`,
      rolloutFailures,
    )
  const StepInput = builder.inputType('ExperimentStepInput', {
    description: 'A share of the keys from a moment on.',
    fields: (t) => ({
      share: t.float({ required: true, description: "The challenger's share, 0..1." }),
      at: t.field({ type: 'DateTime', description: 'From when on; at once when absent.' }),
    }),
  })
  const MetricRef = builder.enumType('ExperimentMetric', {
    description: 'The loss that decides: smaller is better.',
    values: {
      LOG_LOSS: { value: 'logLoss', description: 'Log-loss, probabilities clipped to 0.001..0.999.' },
      BRIER: { value: 'brier', description: 'Squared distance of probability and truth.' },
      ERROR: { value: 'error', description: 'Share of wrong decisions at the threshold of the time.' },
    } as const,
  })
  const StartInput = builder.inputType('StartExperimentInput', {
    description: 'Which version challenges the champion, for which keys, and what decides.',
    fields: (t) => ({
      model: t.string({ required: true, description: "The model's name." }),
      version: t.string({ required: true, description: "The challenger's id, number or alias." }),
      steps: t.field({ type: [StepInput], required: true, description: 'Shares now and later.' }),
      metric: t.field({ type: MetricRef, description: 'LOG_LOSS when absent.' }),
      errorRate: t.float({
        description: 'Share of experiments without a difference that may end as if there was one. Default: 0.05.',
      }),
      leastKeys: t.int({
        description: 'Labelled keys that each side needs before anything is concluded. Default: 100.',
      }),
      promotes: t.boolean({ description: 'Whether a challenger that is surely better is promoted. Default: false.' }),
      endsAt: t.field({ type: 'DateTime', description: 'The latest end.' }),
      expected: t.id({ description: 'The id of the version that you believe to be the champion.' }),
    }),
  })
  const RampInput = builder.inputType('RampExperimentInput', {
    description: 'How an experiment goes on.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Its id.' }),
      steps: t.field({ type: [StepInput], required: true, description: 'Replace those that are still to come.' }),
    }),
  })
  const StopInput = builder.inputType('StopExperimentInput', {
    description: 'Which experiment to stop.',
    fields: (t) => ({
      id: t.id({ required: true, description: 'Its id.' }),
      reason: t.string({ description: 'Why.' }),
    }),
  })
  builder.mutationFields((t) => ({
    startExperiment: t.field({
      scopes: ['models:promote'],
      type: payload('StartExperiment', 'The experiment that runs.'),
      description:
        'Lets a version answer about a share of the keys beside the champion. One runs at a time for each model.',
      args: { input: t.arg({ type: StartInput, required: true, description: 'Which version.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(rolloutFailures, async () => {
          const { registry, models } = context.engines
          const { metric, errorRate, leastKeys, promotes, endsAt, steps, expected } = input
          const experiment = await startExperiment(registry, findModel(models, input.model), {
            challenger: await versionOf(context, input),
            steps: steps.map(({ share, at }) => ({ share, at: at ?? undefined })),
            plan: {
              metric: metric ?? undefined,
              errorRate: errorRate ?? undefined,
              leastKeys: leastKeys ?? undefined,
              promotes: promotes ?? undefined,
              endsAt: endsAt?.toISOString(),
            },
            expected: expected === null || expected === undefined ? undefined : String(expected),
            startedBy: context.viewer.id,
          })
          return { experiment }
        }) as never,
    }),
    rampExperiment: t.field({
      scopes: ['models:promote'],
      type: payload('RampExperiment', 'The experiment with its new steps.'),
      description: "Changes the share of the keys. Who is the challenger's already stays so while the share grows.",
      args: { input: t.arg({ type: RampInput, required: true, description: 'Which experiment.' }) },
      resolve: (_root, { input }, { engines, viewer }) =>
        withErrors(rolloutFailures, async () => {
          const steps = input.steps.map(({ share, at }) => ({ share, at: at ?? undefined }))
          return { experiment: await engines.registry.experiments.ramp(String(input.id), steps, viewer.id) }
        }) as never,
    }),
    stopExperiment: t.field({
      scopes: ['models:promote'],
      type: payload('StopExperiment', 'The experiment, which has ended.'),
      description: 'Ends an experiment: the champion answers about every key again.',
      args: { input: t.arg({ type: StopInput, required: true, description: 'Which experiment.' }) },
      resolve: (_root, { input }, context) =>
        withErrors(rolloutFailures, async () => {
          const { movedBy, reason = 'stopped' } = moverOf(context, input)
          const end = { endedBy: movedBy, outcome: 'STOPPED', reason } as const
          return { experiment: await context.engines.registry.experiments.stop(String(input.id), end) }
        }) as never,
    }),
  }))
  builder.queryFields((t) => ({
    experiment: t.field({
      type: ExperimentRef,
      nullable: true,
      scopes: ['models:read'],
      description: 'An experiment by its id; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: async (_root, { id }, { engines }) =>
        (await engines.registry.experiments.find(String(id))) as ModelExperiment | null,
    }),
    experiments: t.connection({
      type: ExperimentRef,
      scopes: ['models:read'],
      description: 'Experiments, newest first.',
      args: { model: t.arg.string({ description: 'Only those of this model.' }) },
      resolve: async (_root, args, { engines, viewer }) => {
        checkPage(args, viewer)
        const { experiments } = engines.registry
        const found = await experiments.list(MODEL_KIND, args.model ?? null, pageLimit(viewer))
        return resolveArrayConnection({ args }, found) as never
      },
    }),
  }))
}

function registerTypes(builder: MlBuilder, { ModelRef, ModelVersionRef }: ModelRefs) {
  const StepRef = builder.objectRef<ExperimentStep>('ExperimentStep').implement({
    description: 'A share of the keys from a moment on.',
    fields: (t) => ({
      share: t.float({ description: "The challenger's, 0..1.", resolve: ({ buckets }) => buckets / BUCKETS }),
      at: t.expose('at', { type: 'DateTime', description: 'From when on.' }),
      setBy: t.exposeString('setBy', { description: 'Who set it.' }),
    }),
  })
  const ArmRef = builder.objectRef<Arm>('ExperimentArm').implement({
    description: 'The answers of one side of which the truth is known.',
    fields: (t) => ({
      keys: t.exposeInt('keys', { description: 'Keys; each counts once.' }),
      loss: t.float({
        nullable: true,
        description: 'Mean loss; null without keys.',
        resolve: ({ keys, mean }) => (keys > 0 ? mean : null),
      }),
    }),
  })
  const IntervalRef = builder.objectRef<SequentialInterval>('SequentialInterval').implement({
    description:
      "The difference of the challenger's loss from the baseline's, valid at every look at once: positive is worse.",
    fields: (t) => ({
      difference: t.exposeFloat('difference', { description: 'The difference so far.' }),
      low: t.exposeFloat('low', { description: 'Lower bound: above 0 the challenger is surely worse.' }),
      high: t.exposeFloat('high', { description: 'Upper bound: below 0 the challenger is surely better.' }),
    }),
  })
  const ExperimentRef = builder.objectRef<ModelExperiment>('Experiment').implement({
    description: 'Two versions of a model that answer side by side, each about its own keys.',
    fields: (t) => ({
      id: t.exposeID('id', { description: 'Its id.' }),
      model: t.exposeString('name', { description: "The model's name." }),
      baseline: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The champion when it began.',
        resolve: ({ baselineId }, _args, context) => context.versionById(baselineId),
      }),
      challenger: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'Who answers about the other keys.',
        resolve: ({ challengerId }, _args, context) => context.versionById(challengerId),
      }),
      share: t.float({
        description: "The challenger's share of the keys now, 0..1; 0 when it has ended.",
        // not at the request's instant: a mutation that starts or ramps it says what it is from then on
        resolve: ({ steps, endedAt }) => (endedAt ? 0 : bucketsAt(steps, new Date()) / BUCKETS),
      }),
      steps: t.field({ type: [StepRef], description: 'Its ramp.', resolve: ({ steps }) => [...steps] }),
      metric: t.string({ description: 'The loss that decides.', resolve: ({ plan }) => plan.metric }),
      errorRate: t.float({ description: 'How often it may err.', resolve: ({ plan }) => plan.errorRate }),
      leastKeys: t.int({ description: 'Labelled keys that each side needs.', resolve: ({ plan }) => plan.leastKeys }),
      promotes: t.boolean({
        description: 'Whether a better challenger is promoted.',
        resolve: ({ plan }) => plan.promotes,
      }),
      baselineArm: t.field({
        type: ArmRef,
        nullable: true,
        description: "The champion's side, at the last look.",
        resolve: ({ verdict }) => verdict?.baseline ?? null,
      }),
      challengerArm: t.field({
        type: ArmRef,
        nullable: true,
        description: "The challenger's side, at the last look.",
        resolve: ({ verdict }) => verdict?.challenger ?? null,
      }),
      interval: t.field({
        type: IntervalRef,
        nullable: true,
        description: 'What the last look found; null while labelled keys are too few.',
        resolve: ({ verdict }) => verdict?.interval ?? null,
      }),
      startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When.' }),
      startedBy: t.exposeString('startedBy', { description: 'By whom.' }),
      endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'Null: it runs.' }),
      endedBy: t.exposeString('endedBy', {
        nullable: true,
        description: 'Who ended it: a viewer or the sequential test.',
      }),
      outcome: t.string({
        nullable: true,
        description:
          'CHALLENGER_BETTER, CHALLENGER_WORSE, INCONCLUSIVE, CHALLENGER_UNFIT, STOPPED, ROLLED_BACK or CHAMPION_MOVED.',
        resolve: ({ outcome }) => outcome,
      }),
      reason: t.exposeString('reason', { nullable: true, description: 'Why it ended, with the figures.' }),
    }),
  })
  builder.objectField(ModelRef, 'experiment', (t) =>
    t.field({
      type: ExperimentRef,
      nullable: true,
      description: 'The experiment that runs; null for none.',
      resolve: async ({ name }, _args, { engines }) =>
        ((await engines.registry.experiments.running(MODEL_KIND)).find((one) => one.name === name) ??
          null) as ModelExperiment | null,
    }),
  )
  return ExperimentRef
}
