import type { Model } from '../../ml/define.ts'
import { type RiskLevel, riskLevelOf } from '../../ml/prediction.ts'
import { countNotes } from '../../ml/scores/changes.ts'
import { newestScoring } from '../../ml/scores/freshness.ts'
import { countLevels } from '../../ml/scores/ranking.ts'
import { runningScoring, startScoring } from '../../ml/scores/scoring-job.ts'
import { withErrors } from '../../schema/errors.ts'
import { registerFilters } from '../../schema/filters.ts'
import { shown } from '../../schema/prediction/precision.ts'
import { findVersion, type ModelRefs } from './models.ts'
import { countPage, readScorePage, type ScoreArguments, type ScoreEdge, type ScorePage } from './scores-page.ts'
import type { MlBuilder, MlContext } from './subgraph.ts'
import type { ResultOf } from './training.ts'

// biome-ignore lint/suspicious/noExplicitAny: fields are made from models that Pothos knows only at run time
type AnyBuilder = any

/** Notes of changed rows are counted up to here. */
const MOST_NOTES = 10_000

/** Lists of entities by a model's stored scores: `<entities>By<Model>`, and the mutation that stores them. */
export function registerScores(
  builder: MlBuilder,
  { ModelVersionRef }: ModelRefs,
  models: readonly Model[],
  resultOf: ResultOf,
  /** Other names of the lists, by model. */
  names: Readonly<Record<string, string>> = {},
): void {
  const types = registerTypes(builder, ModelVersionRef)
  for (const model of models) registerList(builder, model, names[model.name] ?? listNameOf(model), types)
  registerScoreModel(builder, resultOf)
}

/** progressByStruggle, learnersByChurn: the entity's plural, and what it is sorted by. */
export function listNameOf({ entity, name }: Pick<Model, 'entity' | 'name'>): string {
  return `${entity.charAt(0).toLowerCase()}${pluralOf(entity.slice(1))}By${upperFirst(name)}`
}

function pluralOf(word: string): string {
  if (/ss$/.test(word)) return word // progress
  if (/(s|x|z|ch|sh)$/.test(word)) return `${word}es`
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`
}

function upperFirst(word: string): string {
  return `${word.charAt(0).toUpperCase()}${word.slice(1)}`
}

function registerTypes(builder: AnyBuilder, version: AnyBuilder) {
  const filters = registerFilters(builder)
  const Order = builder.enumType('ScoreOrder', {
    description: 'How entities are sorted by their stored score; those that tie are sorted by their key.',
    values: {
      HIGHEST_FIRST: { description: 'Most likely first.' },
      LOWEST_FIRST: { description: 'Least likely first.' },
    },
  })
  const Where = builder.inputType('ScoreWhere', {
    description: 'Conditions on stored scores. Every condition given must hold.',
    fields: (t: AnyBuilder) => ({
      probability: t.field({ type: filters.number, description: 'The stored probability, 0..1.' }),
      riskLevel: t.field({ type: 'RiskLevel', description: 'The band of the stored probability.' }),
    }),
  })
  const LevelCount = builder.objectRef('RiskLevelCount').implement({
    description: 'How many stored scores lie in a band.',
    fields: (t: AnyBuilder) => ({
      riskLevel: t.expose('riskLevel', { type: 'RiskLevel', description: 'The band.' }),
      count: t.exposeInt('count', { description: 'How many.' }),
    }),
  })
  const Freshness = builder.objectRef('ScoreFreshness').implement({
    description: "How up to date a model's stored scores are as a whole.",
    fields: (t: AnyBuilder) => freshnessFields(t, version),
  })
  return { Order, Where, LevelCount, Freshness, version }
}

function freshnessFields(t: AnyBuilder, version: AnyBuilder) {
  const newest = (model: Model, context: MlContext) =>
    newestScoring(context.engines.database, model.name, context.viewer.tenant)
  return {
    scoredAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When everyone was last scored; null before the first time.',
      resolve: async (model: Model, _args: object, context: MlContext) =>
        (await newest(model, context))?.startedAt ?? null,
    }),
    asOf: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The moment which those scores look from.',
      resolve: async (model: Model, _args: object, context: MlContext) => (await newest(model, context))?.asOf ?? null,
    }),
    version: t.field({
      type: version,
      nullable: true,
      description: 'The version that scored.',
      resolve: async (model: Model, _args: object, context: MlContext) => {
        const scoring = await newest(model, context)
        return scoring ? findVersion(context, scoring.versionId) : null
      },
    }),
    isStale: t.boolean({
      description: 'Whether another version serves by now, rows changed since, or nobody was scored yet.',
      resolve: async (model: Model, _args: object, context: MlContext) => {
        const scoring = await newest(model, context)
        if (!scoring || scoring.versionId !== servingId(model, context)) return true
        return (await countNotes(context.engines.database, model.name, 1)) > 0
      },
    }),
    changes: t.int({
      description: `Changes of watched rows, whosever they are, that no score knows yet; counted up to ${MOST_NOTES}.`,
      resolve: (model: Model, _args: object, context: MlContext) =>
        countNotes(context.engines.database, model.name, MOST_NOTES),
    }),
    job: t.field({
      type: 'Job',
      nullable: true,
      description: 'The scoring of everyone that is under way.',
      resolve: (model: Model, _args: object, context: MlContext) =>
        runningScoring(context.engines, model.name, context.viewer.tenant),
    }),
  }
}

function servingId(model: Model, { engines, instant }: MlContext): string | null {
  try {
    return engines.serving.championAt(model, instant).version.id
  } catch {
    return null // nothing serves: what is stored stays readable
  }
}

function registerList(builder: AnyBuilder, model: Model, name: string, types: ReturnType<typeof registerTypes>): void {
  const typeName = upperFirst(name)
  builder.queryField(name, (t: AnyBuilder) =>
    t.connection(
      {
        scopes: ['predictions:read'],
        type: model.entity,
        description: `Sorted by the stored answers to: ${model.question} Nobody is scored for it, unless asked.`,
        args: {
          where: t.arg({ type: types.Where, description: 'Only these.' }),
          orderBy: t.arg({
            type: types.Order,
            defaultValue: 'HIGHEST_FIRST',
            required: true,
            description: 'The order.',
          }),
          rescoreIfOlderThanSeconds: t.arg.int({
            description:
              'Scores of this page that are older, or by another version, are computed anew. The order stays.',
          }),
        },
        resolve: (_root: unknown, args: ScoreArguments, context: MlContext) => readScorePage(model, args, context),
      },
      {
        name: `${typeName}Connection`,
        nodeNullable: true, // the row is another subgraph's to have
        fields: (fields: AnyBuilder) => ({
          totalCount: fields.int({
            description: 'How many the list has under its `where`, on all pages together.',
            resolve: (page: ScorePage, _args: object, context: MlContext) => countPage(page, context),
          }),
          riskLevels: fields.field({
            type: [types.LevelCount],
            description: 'How many of them each band has.',
            resolve: (page: ScorePage, _args: object, { engines }: MlContext) =>
              countLevels(engines.database, page.counting, model.bands),
          }),
          freshness: fields.field({
            type: types.Freshness,
            description: 'How up to date the stored scores are.',
            resolve: () => model,
          }),
        }),
      },
      {
        name: `${typeName}Edge`,
        nodeNullable: true,
        nodeField: { description: 'The row; null where it was deleted since it was scored.' },
        fields: (fields: AnyBuilder) => edgeFields(fields, model, types.version),
      },
    ),
  )
}

function edgeFields(t: AnyBuilder, model: Model, version: AnyBuilder) {
  return {
    score: t.float({
      description: 'The stored probability, 0..1.',
      resolve: ({ score }: ScoreEdge, _args: object, { viewer }: MlContext) => shown(score.probability, viewer),
    }),
    low: t.float({
      description: 'Lower end of the interval that holds it.',
      resolve: ({ score }: ScoreEdge, _args: object, { viewer }: MlContext) => shown(score.low, viewer),
    }),
    high: t.float({
      description: 'Upper end of the interval.',
      resolve: ({ score }: ScoreEdge, _args: object, { viewer }: MlContext) => shown(score.high, viewer),
    }),
    riskLevel: t.field({
      type: 'RiskLevel',
      description: 'Its band.',
      resolve: ({ score }: ScoreEdge): RiskLevel => riskLevelOf(score.probability, model.bands),
    }),
    scoredAt: t.field({
      type: 'DateTime',
      description: 'When it was computed.',
      resolve: ({ score }: ScoreEdge) => score.scoredAt,
    }),
    asOf: t.field({
      type: 'DateTime',
      description: 'The moment it looks from.',
      resolve: ({ score }: ScoreEdge) => score.asOf,
    }),
    version: t.field({
      type: version,
      nullable: true,
      description: 'The version that scored.',
      resolve: async ({ score, page }: ScoreEdge) => (await page.versions()).get(score.versionId) ?? null,
    }),
    isStale: t.boolean({
      description: 'Whether another version serves by now.',
      resolve: ({ score }: ScoreEdge, _args: object, context: MlContext) =>
        score.versionId !== servingId(model, context),
    }),
  }
}

function registerScoreModel(builder: AnyBuilder, resultOf: ResultOf): void {
  const Scope = builder.enumType('ScoringScope', {
    description: 'Whom to score.',
    values: {
      ALL: { description: 'Everyone whom the question is about.' },
      CHANGED: { description: 'Those whose watched rows changed since they were scored.' },
    },
  })
  const Input = builder.inputType('ScoreModelInput', {
    description: 'What to score.',
    fields: (t: AnyBuilder) => ({
      model: t.string({ required: true, description: "The model's name." }),
      scope: t.field({ type: Scope, required: true, defaultValue: 'ALL', description: 'Whom to score.' }),
      scoredBefore: t.field({
        type: 'DateTime',
        description: 'Only those whose score is missing, by another version, or computed before this moment.',
      }),
    }),
  })
  const Payload = builder.objectRef('ScoreModelPayload').implement({
    description: 'The job that scores.',
    fields: (t: AnyBuilder) => ({
      job: t.expose('job', { type: 'Job', description: 'Follow it with `jobEvents`.' }),
    }),
  })
  const failures = ['NotFoundError', 'InvalidInputError', 'TooManyJobsError'] as const
  interface Arguments {
    readonly input: { readonly model: string; readonly scope: 'ALL' | 'CHANGED'; readonly scoredBefore?: Date | null }
  }
  builder.mutationField('scoreModel', (t: AnyBuilder) =>
    t.field({
      scopes: ['predictions:write'],
      type: resultOf(Payload as never, 'ScoreModelResult', failures),
      description: 'Scores entities in the background and stores the scores. Answers at once.',
      args: { input: t.arg({ type: Input, required: true, description: 'What to score.' }) },
      resolve: (_root: unknown, { input }: Arguments, { engines, viewer }: MlContext) =>
        withErrors(failures, async () => {
          const { model, scope, scoredBefore } = input
          const before = scoredBefore ? { scoredBefore: scoredBefore.toISOString() } : {}
          return { job: await startScoring(engines, { model, scope, ...before }, { viewer }) }
        }),
    }),
  )
}
