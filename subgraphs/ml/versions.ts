import { resolveArrayConnection } from '@pothos/plugin-relay'
import type { GateResult } from '../../ml/gates.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import {
  type Change,
  differenceOf,
  type Figure,
  type MetricPair,
  type VersionDifference,
} from '../../ml/rollout/difference.ts'
import type { ChampionComparison } from '../../ml/rollout/evidence.ts'
import { findVersionOf } from '../../ml/rollout/promotion.ts'
import { findModel } from '../../ml/training-job.ts'
import type { AliasMove, versionStates } from '../../registry/version.ts'
import { checkPage, pageLimit } from '../../schema/pagination.ts'
import type { Gain } from '../../trainer/contest.ts'
import type { ModelRefs } from './models.ts'
import { expected } from './refusals.ts'
import type { MlBuilder } from './subgraph.ts'

/** Registers how versions were judged, how they differ, and the audit log of their aliases. */
export function registerVersions(builder: MlBuilder, { ModelVersionRef }: ModelRefs) {
  registerJudgement(builder, ModelVersionRef)
  const DifferenceRef = registerDifference(builder, ModelVersionRef)
  const AliasMoveRef = builder.objectRef<AliasMove>('AliasMove').implement({
    description: 'One move of an alias, as the audit log holds it. The log is only ever added to.',
    fields: (t) => ({
      sequence: t.exposeInt('sequence', { description: 'Its place in the log.' }),
      alias: t.exposeString('alias', { description: 'champion, challenger, shadow or a free name.' }),
      act: t.string({ description: 'MOVE, ROLLBACK or REMOVE.', resolve: ({ act }) => act }),
      from: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that held it; null when none did.',
        resolve: ({ fromId }, _args, context) => (fromId ? context.versionById(fromId) : null),
      }),
      to: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that holds it from then on; null after a removal.',
        resolve: ({ toId }, _args, context) => (toId ? context.versionById(toId) : null),
      }),
      movedAt: t.expose('movedAt', { type: 'DateTime', description: 'When.' }),
      movedBy: t.exposeString('movedBy', { description: 'By whom.' }),
      reason: t.exposeString('reason', { description: 'Why.' }),
    }),
  })
  const StateRef = builder.enumType('ModelVersionState', {
    description: 'Whether a version may serve.',
    values: {
      REGISTERED: { description: 'It may.' },
      REJECTED: { description: 'It failed a gate, or somebody rejected it.' },
      QUARANTINED: { description: 'It was taken out of service for good.' },
      PENDING: { description: 'It waits for approval.' },
    } satisfies Record<(typeof versionStates)[number], object>,
  })
  const model = { required: true, description: "The model's name." } as const
  builder.queryFields((t) => ({
    modelVersions: t.connection({
      type: ModelVersionRef,
      scopes: ['models:read'],
      description: 'Versions of a model, newest first; empty for a model that does not exist.',
      args: {
        model: t.arg.string(model),
        state: t.arg({ type: StateRef, description: 'Only those in this state.' }),
      },
      resolve: async (_root, args, context) => {
        checkPage(args, context.viewer)
        const limit = pageLimit(context.viewer)
        const versions = await context.engines.registry.list<ModelContents>(MODEL_KIND, args.model, limit)
        return resolveArrayConnection(
          { args },
          versions.filter(({ state }) => !args.state || state === args.state),
        ) as never
      },
    }),
    aliasMoves: t.connection({
      type: AliasMoveRef,
      scopes: ['models:read'],
      description: "Every move of a model's aliases, newest first.",
      args: { model: t.arg.string(model), alias: t.arg.string({ description: 'Only those of this alias.' }) },
      resolve: async (_root, args, context) => {
        checkPage(args, context.viewer)
        const moves = await context.engines.registry.moves(MODEL_KIND, args.model)
        return resolveArrayConnection(
          { args },
          moves.filter(({ alias }) => !args.alias || alias === args.alias).reverse(),
        ) as never
      },
    }),
    versionDiff: t.field({
      type: DifferenceRef,
      scopes: ['models:read'],
      description: 'Two versions of a model side by side.',
      args: {
        model: t.arg.string(model),
        before: t.arg.string({ required: true, description: 'A number, an alias or an id.' }),
        after: t.arg.string({ required: true, description: 'A number, an alias or an id.' }),
      },
      resolve: (_root, { model: name, before, after }, { engines }) =>
        expected(async () => {
          const of = findModel(engines.models, name)
          const find = (selector: string) => findVersionOf(engines.registry, of, selector)
          const [one, other] = await Promise.all([find(before), find(after)])
          return differenceOf(one, other)
        }),
    }),
  }))
  return { AliasMoveRef }
}

function registerJudgement(builder: MlBuilder, ModelVersionRef: ModelRefs['ModelVersionRef']): void {
  const GateRef = builder.objectRef<GateResult>('GateResult').implement({
    description: 'What one demand of the model file came to.',
    fields: (t) => ({
      gate: t.exposeString('gate', { description: 'The metric, as the model file names it.' }),
      against: t.string({ description: 'BOUND, SLICE, CHAMPION or BASELINE.', resolve: ({ against }) => against }),
      value: t.exposeFloat('value', {
        nullable: true,
        description: 'The metric, or the gain over the opponent: positive is better. Null: not enough data.',
      }),
      low: t.exposeFloat('low', { nullable: true, description: 'Lower bound of the 95 % interval of a gain.' }),
      high: t.exposeFloat('high', { nullable: true, description: 'Upper bound of it.' }),
      isPassed: t.exposeBoolean('isPassed', { description: 'Whether the demand is met.' }),
      says: t.exposeString('says', { description: 'The same in words.' }),
    }),
  })
  const GainRef = builder.objectRef<Gain & { metric: string }>('MetricGain').implement({
    description: 'How much better a version is than another on the same rows, by paired bootstrap.',
    fields: (t) => ({
      metric: t.exposeString('metric', { description: 'logLoss, auc, brier ...' }),
      own: t.exposeFloat('own', { description: "The version's figure." }),
      other: t.exposeFloat('other', { description: "The other's." }),
      gain: t.exposeFloat('gain', { description: 'Positive is better, whichever way the metric goes.' }),
      low: t.exposeFloat('low', { description: 'Lower bound of the 95 % interval.' }),
      high: t.exposeFloat('high', { description: 'Upper bound of it.' }),
    }),
  })
  const ComparisonRef = builder.objectRef<ChampionComparison>('ChampionComparison').implement({
    description: "A new version beside the champion of that time, both on the new version's hold-out.",
    fields: (t) => ({
      champion: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The champion of that time.',
        resolve: ({ versionId }, _args, context) => context.versionById(versionId),
      }),
      rows: t.exposeInt('rows', { description: 'Rows compared.' }),
      isUnseen: t.exposeBoolean('isUnseen', {
        description: 'Whether the champion cannot have learned from any of them. If not, it looks better than it is.',
      }),
      gains: t.field({
        type: [GainRef],
        description: 'By metric; those that the rows say nothing about are left out.',
        resolve: ({ gains }) => Object.entries(gains).flatMap(([metric, gain]) => (gain ? [{ metric, ...gain }] : [])),
      }),
    }),
  })
  builder.objectFields(ModelVersionRef, (t) => ({
    gates: t.field({
      type: [GateRef],
      description: 'What the demands of the model file came to when it was trained.',
      resolve: ({ contents }: ModelVersion) => [...(contents.gates ?? [])],
    }),
    comparison: t.field({
      type: ComparisonRef,
      nullable: true,
      description: 'Beside the champion of that time; null when there was none that could be compared.',
      resolve: ({ contents }: ModelVersion) => contents.comparison ?? null,
    }),
  }))
}

function registerDifference(builder: MlBuilder, ModelVersionRef: ModelRefs['ModelVersionRef']) {
  const ChangeRef = builder.objectRef<Change>('VersionChange').implement({
    description: 'Something that differs.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'What.' }),
      before: t.exposeString('before', { nullable: true, description: 'Null: it was not there.' }),
      after: t.exposeString('after', { nullable: true, description: 'Null: it is gone.' }),
    }),
  })
  const FigureRef = builder.objectRef<Figure>('MetricFigure').implement({
    description: 'A figure with its 95 % bootstrap interval; null where the rows are too few.',
    fields: (t) => ({
      value: t.exposeFloat('value', { nullable: true, description: 'The figure.' }),
      low: t.exposeFloat('low', { nullable: true, description: 'Lower bound.' }),
      high: t.exposeFloat('high', { nullable: true, description: 'Upper bound.' }),
    }),
  })
  const PairRef = builder.objectRef<MetricPair>('MetricPair').implement({
    description: 'One metric of two versions, each on its own hold-out.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'auc, logLoss ...' }),
      before: t.expose('before', { type: FigureRef, description: 'Of the first version.' }),
      after: t.expose('after', { type: FigureRef, description: 'Of the second.' }),
    }),
  })
  return builder.objectRef<VersionDifference>('VersionDiff').implement({
    description: 'What is different between two versions of one model.',
    fields: (t) => ({
      before: t.expose('before', { type: ModelVersionRef, description: 'The first.' }),
      after: t.expose('after', { type: ModelVersionRef, description: 'The second.' }),
      features: t.field({
        type: [ChangeRef],
        description: 'Features added, removed or changed.',
        resolve: ({ features }) => [...features],
      }),
      metrics: t.field({ type: [PairRef], description: 'Side by side.', resolve: ({ metrics }) => [...metrics] }),
      settings: t.field({
        type: [ChangeRef],
        description: 'Learner, settings, seed, rows and window.',
        resolve: ({ settings }) => [...settings],
      }),
    }),
  })
}
