import type { FeatureSpec, FeatureValue, Model } from '../../ml/define.ts'
import { type Answer, isEstimate } from '../../ml/prediction.ts'
import { refused } from '../../schema/prediction/refused.ts'
import type { AnyBuilder, PredictionRefs } from '../../schema/prediction/types.ts'
import type { MlContext } from './subgraph.ts'

const LONGEST_CATEGORY = 1000

type Given = Readonly<Record<string, Readonly<Record<string, FeatureValue | undefined>> | null | undefined>>

/** Registers the query that scores values that are in no table yet, with an input type made from each model's features. */
export function registerScoreInput(
  builder: AnyBuilder,
  models: readonly Model[],
  { PredictionRef, UnavailableRef }: PredictionRefs,
): void {
  if (models.length === 0) return
  const ScoredInput = builder.objectRef('ScoredInput').implement({
    description: 'What a model says about values that are in no table.',
    fields: (t: AnyBuilder) => ({
      prediction: t.field({
        type: PredictionRef,
        nullable: true,
        description: 'The prediction, with reasons and what-ifs; null when it cannot be made.',
        resolve: (answer: Answer) => (isEstimate(answer) ? answer : null),
      }),
      unavailable: t.field({
        type: UnavailableRef,
        nullable: true,
        description: 'Why there is none.',
        resolve: (answer: Answer) => (isEstimate(answer) ? null : answer),
      }),
    }),
  })
  const inputs = new Map(models.map((model) => [model.name, featuresInput(builder, model)]))
  const ScoreInput = builder.inputType('ScoreInput', {
    description: 'The features of exactly one model, under its name.',
    fields: (t: AnyBuilder) =>
      Object.fromEntries(
        models.map(({ name, question }) => [name, t.field({ type: inputs.get(name), description: question })]),
      ),
  })
  builder.queryFields((t: AnyBuilder) => ({
    scoreInput: t.field({
      scopes: ['predictions:read'],
      type: ScoredInput,
      description: 'Scores values that are in no table yet, such as a form being filled in. Nothing is stored.',
      args: {
        model: t.arg.string({ description: "The model's name, where the input alone should not decide." }),
        input: t.arg({
          type: ScoreInput,
          required: true,
          description: 'Features by name; what is left out is missing.',
        }),
      },
      resolve: (_root: unknown, { model, input }: { model?: string | null; input: Given }, context: MlContext) =>
        scoreGiven(models, model, input, context),
    }),
  }))
}

function featuresInput(builder: AnyBuilder, model: Model): AnyBuilder {
  return builder.inputType(`${model.name[0]!.toUpperCase()}${model.name.slice(1)}Features`, {
    description: `What ${model.name} reads. ${model.question}`,
    fields: (t: AnyBuilder) =>
      Object.fromEntries(
        model.features.map((feature) => [
          feature.name,
          feature.kind === 'number'
            ? t.float({ description: describe(feature) })
            : t.string({ description: describe(feature) }),
        ]),
      ),
  })
}

function describe({ says, unit, actionable, levels }: FeatureSpec): string {
  const parts = [unit ? `In ${unit}.` : '', `Raises it: ${says}.`, actionable ? 'Actionable.' : '']
  if (levels) parts.push(`One of ${levels.join(', ')}.`)
  return parts.filter(Boolean).join(' ')
}

function scoreGiven(
  models: readonly Model[],
  name: string | null | undefined,
  input: Given,
  context: MlContext,
): Promise<Answer> {
  const named = Object.keys(input).filter((key) => input[key] != null)
  const [only] = named
  const model = models.find((candidate) => candidate.name === only)
  if (!model || named.length !== 1 || (name != null && name !== only))
    throw refused(
      `The input names ${named.length === 0 ? 'no model' : named.join(' and ')}; it must be one${name != null ? `: ${name}` : ''}.`,
      'Give the features of one model under its name: { churn: { attempts14d: 3 } }.',
    )
  const given = input[model.name]!
  const values = model.features.map(({ name: feature }) => given[feature] ?? null)
  if (values.some((value) => typeof value === 'string' && value.length > LONGEST_CATEGORY))
    throw refused(`A category has at most ${LONGEST_CATEGORY} characters.`)
  return context.predictions(model.name).score(values, context.now)
}
