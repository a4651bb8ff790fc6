import { z } from 'zod'
import { InklingError } from '../../platform/errors.ts'
import type { Experiment, ExperimentOutcome } from '../../registry/experiments/experiment.ts'
import type { NewStep } from '../../registry/experiments/experiments.ts'
import type { Registry } from '../../registry/registry.ts'
import type { Model } from '../define.ts'
import { MODEL_KIND, type ModelVersion } from '../model-version.ts'
import { type Arm, experimentMetrics, type SequentialInterval, sequentialInterval } from './sequential.ts'

/** What an experiment of a model is judged by. */
export const experimentPlan = z.object({
  metric: z.enum(experimentMetrics).default('logLoss'),
  /** The share of experiments without a difference that may be stopped as if there was one. */
  errorRate: z.number().min(0.0001, 'below 0.0001 nothing ever ends').max(0.5).default(0.05),
  /** Labelled keys that each side needs before anything is concluded. */
  leastKeys: z.number().int().min(30, 'means of fewer are not normal').max(1_000_000).default(100),
  /** The challenger is promoted when it is surely better; otherwise the experiment ends and somebody decides. */
  promotes: z.boolean().default(false),
  /** The latest end: undecided by then is INCONCLUSIVE. */
  endsAt: z.iso.datetime().nullable().default(null),
})
export type ExperimentPlan = z.infer<typeof experimentPlan>

/** The newest judgement of an experiment. */
export interface ExperimentVerdict {
  readonly judgedAt: string
  readonly baseline: Arm
  readonly challenger: Arm
  /** Null: fewer labelled keys than the plan asks for. */
  readonly interval: SequentialInterval | null
}

export type ModelExperiment = Experiment<ExperimentPlan, ExperimentVerdict>

export interface ExperimentRequest {
  readonly challenger: ModelVersion
  readonly steps: readonly NewStep[]
  readonly plan: z.input<typeof experimentPlan>
  readonly expected?: string | undefined
  readonly startedBy: string
}

/** Starts an A/B of the champion and another version. Throws NOT_FOUND, ARTEFACT_INVALID, CONFLICT, BAD_USER_INPUT. */
export async function startExperiment(registry: Registry, model: Model, request: ExperimentRequest) {
  const { challenger, steps, expected, startedBy } = request
  const plan = experimentPlan.safeParse(request.plan)
  if (!plan.success) {
    const faults = plan.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
    throw new InklingError('BAD_USER_INPUT', `The plan has faults: ${faults.join('; ')}.`, 'Correct them.')
  }
  if (challenger.schemaHash !== model.schemaHash)
    throw new InklingError(
      'BAD_USER_INPUT',
      `${model.name} version ${challenger.number} was trained with other features and cannot answer beside the champion.`,
      'Train a version of the model file as it is.',
    )
  const started = await registry.experiments.start({
    kind: MODEL_KIND,
    name: model.name,
    challengerId: challenger.id,
    expected,
    plan: plan.data,
    steps,
    startedBy,
  })
  return started as ModelExperiment
}

/** What a look at the outcomes means for an experiment. */
export interface Judgement {
  readonly verdict: ExperimentVerdict
  readonly end: { readonly outcome: ExperimentOutcome; readonly reason: string } | null
}

/** Pure, so that a history can be judged again. */
export function judgeExperiment(
  { plan }: Pick<ModelExperiment, 'plan'>,
  arms: { readonly baseline: Arm; readonly challenger: Arm },
  now: Date,
): Judgement {
  const { baseline, challenger } = arms
  const isEnough = Math.min(baseline.keys, challenger.keys) >= plan.leastKeys
  const interval = isEnough ? sequentialInterval(baseline, challenger, plan.metric, plan.errorRate) : null
  const verdict = { judgedAt: now.toISOString(), baseline, challenger, interval }
  if (interval && interval.low > 0)
    return { verdict, end: { outcome: 'CHALLENGER_WORSE', reason: describe(plan, interval) } }
  if (interval && interval.high < 0)
    return { verdict, end: { outcome: 'CHALLENGER_BETTER', reason: describe(plan, interval) } }
  if (plan.endsAt !== null && new Date(plan.endsAt) <= now)
    return {
      verdict,
      end: {
        outcome: 'INCONCLUSIVE',
        reason: interval ? describe(plan, interval) : `only ${challenger.keys} of the challenger's keys are labelled`,
      },
    }
  return { verdict, end: null }
}

function describe({ metric, errorRate }: ExperimentPlan, { difference, low, high }: SequentialInterval): string {
  const level = Number((100 * (1 - errorRate)).toFixed(2))
  return `the challenger's ${metric} differs by ${difference.toFixed(4)} (${level} % at every look: ${low.toFixed(4)} to ${high.toFixed(4)}; positive is worse)`
}
