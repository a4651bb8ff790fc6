import { resolveArrayConnection } from '@pothos/plugin-relay'
import type { FeatureSpec, Model } from '../../ml/define.ts'
import { metricNames } from '../../ml/metric-order.ts'
import { MODEL_KIND, type ModelContents, type ModelVersion } from '../../ml/model-version.ts'
import type { Coverage } from '../../ml/serving.ts'
import { isInklingError } from '../../platform/errors.ts'
import { entityExtensions } from '../../schema/federation.ts'
import { checkPage, pageLimit } from '../../schema/pagination.ts'
import { fieldScopes } from '../../schema/scopes.ts'
import type { LeaderboardRow, Split } from '../../trainer/artefact.ts'
import type { MlBuilder, MlContext } from './subgraph.ts'

type Metrics = Record<string, number | null>

/** Registers models and their versions, and the queries that find them. */
export function registerModels(builder: MlBuilder) {
  const MetricRef = builder.objectRef<{ name: string; value: number | null }>('Metric').implement({
    description: 'A figure measured on rows that the version was not trained on.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'auc, logLoss, brier, ece, accuracy ...' }),
      value: t.exposeFloat('value', { nullable: true, description: 'Null: not enough rows to say.' }),
    }),
  })
  const metrics = (values: Metrics) => metricNames(values).map((name) => ({ name, value: values[name]! }))

  const FeatureRef = builder.objectRef<FeatureSpec>('Feature').implement({
    description: 'One input of a model.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name in the model file.' }),
      kind: t.string({ description: 'number or category.', resolve: (feature) => feature.kind }),
      unit: t.string({
        nullable: true,
        description: 'Unit of its values.',
        resolve: (feature) => feature.unit ?? null,
      }),
      says: t.exposeString('says', { description: 'The sentence shown when it raises the probability.' }),
    }),
  })
  const SplitRef = builder.objectRef<Split>('Split').implement({
    description: 'One honest hold-out: how it was cut and what came of it.',
    fields: (t) => ({
      by: t.string({ description: 'stratified, group, time or time+group.', resolve: (split) => split.by }),
      train: t.exposeInt('train', { description: 'Rows trained on.' }),
      test: t.exposeInt('test', { description: 'Rows judged on.' }),
      metrics: t.field({
        type: [MetricRef],
        description: "The version's figures.",
        resolve: (split) => metrics(split.metrics),
      }),
      baseline: t.field({
        type: [MetricRef],
        description: 'The same of always answering with the base rate.',
        resolve: (split) => metrics(split.baseline),
      }),
    }),
  })
  const CandidateRef = builder.objectRef<LeaderboardRow>('LeaderboardRow').implement({
    description: 'One candidate that training compared.',
    fields: (t) => ({
      learner: t.exposeString('learner', { description: 'The kind of learner.' }),
      logLoss: t.exposeFloat('logLoss', { description: 'Mean log-loss over the folds; lower is better.' }),
      isChosen: t.boolean({ description: 'Whether it became the version.', resolve: (row) => row.chosen }),
    }),
  })

  const CoverageRef = builder.objectRef<Coverage>('Coverage').implement({
    description: 'What a version answered since this process began. It abstains by the policy of the model file.',
    fields: (t) => ({
      asked: t.exposeInt('asked', { description: 'Rows that the question was about.' }),
      answered: t.exposeInt('answered', { description: 'Those that it did not abstain from.' }),
      share: t.float({ description: 'answered / asked, 0..1.', resolve: ({ asked, answered }) => answered / asked }),
    }),
  })

  const ModelRef = builder.objectRef<Model>('Model')
  const ModelVersionRef = builder.objectRef<ModelVersion>('ModelVersion')
  ModelVersionRef.implement({
    description: 'One immutable trained artefact.',
    directives: { key: { fields: 'id' } } as never,
    // Who may see a prediction sees which version made it; all else of a version says how the installation trains.
    extensions: {
      ...entityExtensions(({ id }: { id: string }, context: MlContext) => findVersion(context, id)),
      ...fieldScopes(['models:read']),
    },
    fields: (t) => ({
      id: t.exposeID('id', { scopes: [], description: 'Its id.' }),
      number: t.exposeInt('number', { scopes: [], description: '1, 2, 3 ... per model.' }),
      name: t.exposeString('name', { scopes: [], description: "The model's name." }),
      state: t.string({
        description: 'REGISTERED, REJECTED, QUARANTINED or PENDING.',
        resolve: (version) => version.state,
      }),
      reasons: t.stringList({ description: 'Why it was rejected.', resolve: (version) => [...version.reasons] }),
      learner: t.string({ description: 'What was trained.', resolve: ({ contents }) => contents.learner }),
      rows: t.int({ description: 'Labelled rows trained on.', resolve: ({ contents }) => contents.rows }),
      positives: t.int({ description: 'Those whose answer was yes.', resolve: ({ contents }) => contents.positives }),
      metrics: t.field({
        type: [MetricRef],
        description: 'On the main hold-out.',
        resolve: ({ contents }) => metrics(contents.metrics),
      }),
      splits: t.field({
        type: [SplitRef],
        description: 'Every hold-out.',
        resolve: ({ contents }) => [...contents.splits],
      }),
      leaderboard: t.field({
        type: [CandidateRef],
        description: 'The candidates compared, best first.',
        resolve: ({ contents }) => [...contents.leaderboard],
      }),
      features: t.field({
        type: [FeatureRef],
        description: 'Its inputs, in order.',
        resolve: ({ contents }) => [...contents.features],
      }),
      sha256: t.string({
        description: 'Hash of its ONNX bytes.',
        resolve: ({ artefacts }) => artefacts.onnx ?? '',
      }),
      coverage: t.field({
        type: CoverageRef,
        nullable: true,
        description: 'How often it answered rather than abstained; null when it was never asked in this process.',
        resolve: ({ id }, _args, { engines }) => {
          const coverage = engines.serving.coverageOf(id)
          return coverage && coverage.asked > 0 ? coverage : null
        },
      }),
      createdAt: t.expose('createdAt', { scopes: [], type: 'DateTime', description: 'When it was registered.' }),
    }),
  })

  ModelRef.implement({
    description: 'A question that is answered for every row of an entity.',
    fields: (t) => ({
      name: t.exposeString('name', { description: 'Its name.' }),
      question: t.exposeString('question', { description: 'What it answers.' }),
      entity: t.exposeString('entity', { description: 'The type it is asked about.' }),
      features: t.field({
        type: [FeatureRef],
        description: 'What it reads, as the model file says today.',
        resolve: (model) => [...model.features],
      }),
      champion: t.field({
        type: ModelVersionRef,
        nullable: true,
        description: 'The version that serves; null before the first training.',
        resolve: (model, _args, context) => championOf(context, model),
      }),
      versions: t.connection({
        type: ModelVersionRef,
        description: 'Every version, newest first.',
        resolve: async (model, args, context) => {
          checkPage(args, context.viewer)
          const limit = pageLimit(context.viewer)
          const versions = await context.engines.registry.list<ModelContents>(MODEL_KIND, model.name, limit)
          return resolveArrayConnection({ args }, versions) as never
        },
      }),
    }),
  })

  builder.queryFields((t) => ({
    models: t.field({
      scopes: ['models:read'],
      type: [ModelRef],
      description: 'Every model.',
      resolve: (_root, _args, context) => [...context.engines.models],
    }),
    model: t.field({
      scopes: ['models:read'],
      type: ModelRef,
      nullable: true,
      description: 'A model by its name; null when there is none.',
      args: { name: t.arg.string({ required: true, description: 'Its name.' }) },
      resolve: (_root, { name }, context) => context.engines.models.find((model) => model.name === name) ?? null,
    }),
    modelVersion: t.field({
      scopes: ['models:read'],
      type: ModelVersionRef,
      nullable: true,
      description: 'A version by its id; null when there is none.',
      args: { id: t.arg.id({ required: true, description: 'Its id.' }) },
      resolve: (_root, { id }, context) => findVersion(context, String(id)),
    }),
  }))
  return { ModelRef, ModelVersionRef, MetricRef }
}

export type ModelRefs = ReturnType<typeof registerModels>

function championOf(context: MlContext, model: Model): ModelVersion | null {
  try {
    return context.engines.serving.championAt(model, context.instant).version
  } catch (error) {
    if (isInklingError(error)) return null
    throw error
  }
}

export async function findVersion(context: MlContext, id: string): Promise<ModelVersion | null> {
  const [version] = await context.engines.registry.versions<ModelContents>(MODEL_KIND, [id])
  return version ?? null
}
