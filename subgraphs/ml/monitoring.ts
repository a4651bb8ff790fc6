import { resolveArrayConnection } from '@pothos/plugin-relay'
import type { Model } from '../../ml/define.ts'
import { MODEL_KIND, type ModelVersion } from '../../ml/model-version.ts'

import {
  type PerformancePoint,
  readDrift,
  readPoints,
  readPredictionDrift,
  type Width,
  widths,
} from '../../ml/monitoring/observations.ts'
import { FEWEST_ROWS } from '../../ml/monitoring/performance.ts'
import { thresholdOf } from '../../ml/monitoring/served-rows.ts'
import { retrainOf } from '../../ml/retraining.ts'
import { isInklingError } from '../../platform/errors.ts'
import { checkPage, type PageArguments } from '../../schema/pagination.ts'
import { refused } from '../../schema/prediction/refused.ts'
import type { MlContext } from './context.ts'
import type { ModelRefs } from './models.ts'

// biome-ignore lint/suspicious/noExplicitAny: connections of plain rows; Pothos knows their types only here
type AnyBuilder = any

interface Range {
  readonly from?: Date | null
  readonly to?: Date | null
  readonly version?: number | null
}
interface PointArguments extends Range, PageArguments {
  readonly window: Width
  readonly by?: readonly ('VERSION' | 'SLICE')[] | null
}

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 180
const MOST_DAYS = 800
const scopes = ['models:read'] as const

/** Registers how models do: performance, drift and counts, as connections that a chart can draw. */
export function registerMonitoring(builder: AnyBuilder, { ModelRef, ModelVersionRef }: ModelRefs): void {
  const Window = builder.enumType('MonitoringWindow', {
    description: 'The width of a point of a chart. Points begin at the same moments in every answer.',
    values: {
      DAY: { description: 'One day, UTC.' },
      WEEK: { description: 'Seven days, from a Monday.' },
      MONTH: { description: 'Thirty days.' },
    },
  })
  const Breakdown = builder.enumType('PerformanceBreakdown', {
    description: 'What a point is about, beside its time.',
    values: {
      VERSION: { description: 'Each version by itself.' },
      SLICE: { description: 'All rows, and each slice of the model file by itself.' },
    },
  })
  const PointRef = registerPoint(builder, ModelVersionRef)
  const CountRef = registerCount(builder, ModelVersionRef)
  const DriftRef = registerDrift(builder)
  const RetrainingRef = registerRetraining(builder)
  const range = (t: AnyBuilder, days: string) => ({
    from: t.arg({ type: 'DateTime', description: `From this day on. Default: ${days} before \`to\`.` }),
    to: t.arg({ type: 'DateTime', description: 'Up to this day. Default: today, on the clock of the data.' }),
  })
  const version = (t: AnyBuilder, otherwise: string) =>
    t.arg.int({ description: `Only this version, by its number. Default: ${otherwise}.` })

  builder.objectFields(ModelRef, (t: AnyBuilder) => ({
    performance: t.connection({
      type: PointRef,
      scopes,
      description: 'How served predictions compare with what became known, over time; oldest first.',
      args: {
        window: t.arg({ type: Window, required: true, defaultValue: 'WEEK', description: 'The width of a point.' }),
        by: t.arg({ type: [Breakdown], defaultValue: ['VERSION'], description: 'What each point is about.' }),
        version: version(t, 'every version'),
        ...range(t, `${DEFAULT_DAYS} days`),
      },
      resolve: (model: Model, args: PointArguments, context: MlContext) => pointsOf(model, args, context),
    }),
    servedCounts: t.connection({
      type: CountRef,
      scopes,
      description: 'What was asked and what became of it, over time; oldest first.',
      args: {
        window: t.arg({ type: Window, required: true, defaultValue: 'DAY', description: 'The width of a point.' }),
        version: version(t, 'every version'),
        ...range(t, `${DEFAULT_DAYS} days`),
      },
      resolve: (model: Model, args: PointArguments, context: MlContext) =>
        pointsOf(model, { ...args, by: ['VERSION'] }, context),
    }),
    drift: t.connection({
      type: DriftRef,
      scopes,
      description: "Each feature as it was served, against the version's training rows; most different first.",
      args: { version: version(t, 'the version that serves'), ...range(t, 'a week') },
      resolve: async (model: Model, args: Range & PageArguments, context: MlContext) => {
        checkPage(args, context.viewer)
        const options = await driftOptions(model, args, context)
        const drifts = options ? await readDrift(context.engines.database, options) : []
        return resolveArrayConnection({ args: args as never }, drifts)
      },
    }),
    predictionDrift: t.field({
      type: DriftRef,
      nullable: true,
      scopes,
      description:
        "The probabilities as they were served, against those of the version's hold-out; null where those were not kept.",
      args: { version: version(t, 'the version that serves'), ...range(t, 'a week') },
      resolve: async (model: Model, args: Range, context: MlContext) => {
        const options = await driftOptions(model, args, context)
        return options && readPredictionDrift(context.engines.database, options)
      },
    }),
    decisionThreshold: t.float({
      scopes,
      description: 'Where a probability becomes yes: what accuracy, precision and recall are taken at.',
      resolve: (model: Model, _args: object, context: MlContext) =>
        thresholdOf(model, serving(model, context)?.contents),
    }),
    retraining: t.field({
      type: RetrainingRef,
      nullable: true,
      scopes,
      description: 'When it is trained again by itself; null for never.',
      resolve: (model: Model) => retrainOf(model),
    }),
  }))
}

const rate = (description: string) => ({ nullable: true, description: `${description} Null: not enough data.` })

function versionField(t: AnyBuilder, ModelVersionRef: AnyBuilder) {
  return t.field({
    type: ModelVersionRef,
    nullable: true,
    description: 'The version; null where points are of all versions, or none could answer.',
    resolve: ({ versionId }: PerformancePoint, _args: object, context: MlContext) =>
      versionId ? context.versionById(versionId) : null,
  })
}

function registerPoint(builder: AnyBuilder, ModelVersionRef: AnyBuilder): AnyBuilder {
  const Interval = builder.objectRef('FigureInterval').implement({
    description: 'Between what values a figure lies, at 95 %.',
    fields: (t: AnyBuilder) => ({
      name: t.exposeString('name', { description: 'accuracy, precision, recall or auc.' }),
      low: t.exposeFloat('low', { description: 'Lower end.' }),
      high: t.exposeFloat('high', { description: 'Upper end.' }),
    }),
  })
  const figure = (t: AnyBuilder, name: string, description: string) =>
    t.float({
      ...rate(description),
      resolve: ({ figures }: PerformancePoint) => figures[name as keyof PerformancePoint['figures']],
    })
  const Estimate = builder.objectRef('EstimatedPerformance').implement({
    description:
      'What the probabilities alone let expect, before any outcome is known (confidence-based estimation). As good as the calibration, and blind to a change of what the label means.',
    fields: (t: AnyBuilder) => ({
      isEstimate: t.boolean({ description: 'Always true: nothing here was measured.', resolve: () => true }),
      ...Object.fromEntries(
        ['accuracy', 'precision', 'recall', 'auc', 'logLoss', 'brier'].map((name) => [
          name,
          t.exposeFloat(name, rate(`Expected ${name}.`)),
        ]),
      ),
    }),
  })
  return builder.objectRef('PerformancePoint').implement({
    description: 'How predictions of a stretch of time did.',
    fields: (t: AnyBuilder) => ({
      from: t.expose('from', { type: 'DateTime', description: 'Begin.' }),
      to: t.expose('to', { type: 'DateTime', description: 'End, not included.' }),
      version: versionField(t, ModelVersionRef),
      slice: t.exposeString('slice', { nullable: true, description: 'feature=level; null for all rows.' }),
      served: t.exposeInt('served', {
        description: 'Predictions computed; 0 in a slice, where only outcomes are counted.',
      }),
      labelled: t.exposeInt('labelled', { description: 'Those whose outcome is known by now and counts.' }),
      positives: t.exposeInt('positives', { description: 'Of these, the answers that were yes.' }),
      isEnough: t.boolean({
        description: `Whether there are ${FEWEST_ROWS} outcomes, without which no figure is given.`,
        resolve: ({ labelled }: PerformancePoint) => labelled >= FEWEST_ROWS,
      }),
      accuracy: figure(t, 'accuracy', 'Share of right decisions.'),
      precision: figure(t, 'precision', 'Share of yes that were right.'),
      recall: figure(t, 'recall', 'Share of positives found.'),
      auc: figure(t, 'auc', 'Area under the ROC curve.'),
      logLoss: figure(t, 'logLoss', 'Mean log-loss.'),
      brier: figure(t, 'brier', 'Mean squared error of the probabilities.'),
      calibrationError: figure(t, 'calibrationError', 'Mean gap between said and seen.'),
      intervals: t.field({
        type: [Interval],
        description: 'Intervals of the figures that have one.',
        resolve: ({ intervals }: PerformancePoint) =>
          Object.entries(intervals).map(([name, [low, high]]) => ({ name, low, high })),
      }),
      estimated: t.expose('estimated', { type: Estimate, description: 'Expected without outcomes.' }),
    }),
  })
}

function registerCount(builder: AnyBuilder, ModelVersionRef: AnyBuilder): AnyBuilder {
  return builder.objectRef('ServedCount').implement({
    description: 'What was asked in a stretch of time and what became of it.',
    fields: (t: AnyBuilder) => ({
      from: t.expose('from', { type: 'DateTime', description: 'Begin.' }),
      to: t.expose('to', { type: 'DateTime', description: 'End, not included.' }),
      version: versionField(t, ModelVersionRef),
      served: t.exposeInt('served', { description: 'Predictions computed.' }),
      abstentionRate: t.float({
        ...rate('Share of the questions that the version kept to itself.'),
        resolve: ({ abstention }: PerformancePoint) => abstention,
      }),
      errorRate: t.float({
        ...rate('Share of the questions that failed.'),
        resolve: ({ errors }: PerformancePoint) => errors,
      }),
      fallbacks: t.exposeInt('fallbacks', { description: 'Stored scores and rules that stood in.' }),
    }),
  })
}

function registerDrift(builder: AnyBuilder): AnyBuilder {
  return builder.objectRef('FeatureDrift').implement({
    description: 'How far a distribution is from that of training.',
    fields: (t: AnyBuilder) => ({
      feature: t.exposeString('feature', { description: "The feature's name; `prediction` for the probabilities." }),
      rows: t.exposeInt('rows', { description: 'Values seen.' }),
      psi: t.exposeFloat('psi', rate('Population stability index: above 0.1 a shift, above 0.2 a large one.')),
      ks: t.exposeFloat('ks', {
        nullable: true,
        description: 'Kolmogorov-Smirnov distance over the bins of training; null for categories.',
      }),
      chance: t.exposeFloat('chance', rate('How likely so much difference is where nothing changed.')),
      missingRate: t.exposeFloat('missingRate', rate('Share of missing values.')),
      trainingMissingRate: t.exposeFloat('trainingMissingRate', { description: 'The same in training.' }),
      unknownRate: t.exposeFloat('unknownRate', rate('Share of values that training never saw.')),
      isDrifted: t.exposeBoolean('isDrifted', {
        description: 'Whether it is large, and significant among all features (false discovery rate 1 %).',
      }),
    }),
  })
}

function registerRetraining(builder: AnyBuilder): AnyBuilder {
  return builder.objectRef('Retraining').implement({
    description: 'When a model is trained again by itself; always through its gates.',
    fields: (t: AnyBuilder) => ({
      every: t.string({
        nullable: true,
        description: 'Cron or recurrence rule; null for not by the clock.',
        resolve: ({ every }: { every: string | false }) => every || null,
      }),
      timeZone: t.exposeString('timeZone', { description: 'Time zone of the rule.' }),
      onDrift: t.boolean({
        description: 'Also when an alert of drift opens.',
        resolve: ({ onDrift }: { onDrift?: boolean }) => onDrift ?? false,
      }),
      onOutcomes: t.int({
        nullable: true,
        description: 'Also after so many outcomes.',
        resolve: ({ onOutcomes }: { onOutcomes?: number }) => onOutcomes ?? null,
      }),
    }),
  })
}

function rangeOf({ from, to }: Range, now: Date, days: number): { from: Date; to: Date } {
  const end = to ?? now
  const begin = from ?? new Date(end.getTime() - days * DAY_MS)
  if (begin > end) throw refused('from is after to.')
  if (end.getTime() - begin.getTime() > MOST_DAYS * DAY_MS) throw refused(`A chart covers at most ${MOST_DAYS} days.`)
  return { from: begin, to: end }
}

async function pointsOf(model: Model, args: PointArguments, context: MlContext) {
  checkPage(args, context.viewer)
  const { engines, viewer, now } = context
  const versionId = args.version == null ? undefined : await idOf(model, args.version, context)
  const by = args.by ?? []
  const points = await readPoints(engines.database, {
    tenant: viewer.tenant,
    model,
    ...rangeOf(args, now, DEFAULT_DAYS),
    width: args.window in widths ? args.window : 'WEEK',
    versionId,
    byVersion: by.includes('VERSION'),
    bySlice: by.includes('SLICE'),
  })
  return resolveArrayConnection({ args: args as never }, points)
}

async function idOf(model: Model, number: number, { engines }: MlContext): Promise<string> {
  const id = await engines.registry.find(MODEL_KIND, model.name, number)
  if (id) return id
  throw refused(`${model.name} has no version ${number}.`)
}

async function driftOptions(model: Model, args: Range, context: MlContext) {
  const { viewer, now } = context
  const version =
    args.version == null ? serving(model, context) : await context.versionById(await idOf(model, args.version, context))
  const { days = 7 } = model.alerts || {}
  return version && { tenant: viewer.tenant, model, version, ...rangeOf(args, now, days - 1) }
}

function serving(model: Model, { engines, instant }: MlContext): ModelVersion | null {
  try {
    return engines.serving.championAt(model, instant).version
  } catch (error) {
    if (isInklingError(error)) return null
    throw error
  }
}
