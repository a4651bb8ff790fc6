import { type Disagreement, type Dispute, findDisagreement } from '../../ml/disagreement.ts'
import { findModel } from '../../ml/training-job.ts'
import { momentOf } from '../../schema/prediction/pair.ts'
import { refused } from '../../schema/prediction/refused.ts'
import type { AnyBuilder, PredictionRefs } from '../../schema/prediction/types.ts'
import type { MlContext } from './subgraph.ts'

const MOST_DISPUTES = 100
const MOST_ENTITIES = 50_000

interface Arguments {
  readonly model: string
  readonly versions: readonly string[]
  readonly first: number
  readonly among: number
  readonly asOf?: Date | null
}

/** Registers the query that finds the entities on which two versions differ most. */
export function registerDisagreement(
  builder: AnyBuilder,
  { PredictionRef }: PredictionRefs,
  entities: ReadonlyMap<string, AnyBuilder>,
): void {
  const Entity = builder.unionType('PredictedEntity', {
    description: 'Something that a model is asked about.',
    types: [...entities.values()],
    resolveType: ({ entity }: { entity: string }) => entity,
  })
  const DisputeRef = builder.objectRef('Dispute').implement({
    description: 'One entity as two versions see it.',
    fields: (t: AnyBuilder) => ({
      entity: t.field({
        type: Entity,
        description: 'The entity.',
        resolve: ({ first }: Dispute) => ({ ...first.key, entity: first.model.entity }),
      }),
      difference: t.exposeFloat('difference', { description: 'How far the two probabilities are apart, 0..1.' }),
      predictions: t.field({
        type: [PredictionRef],
        description: 'Both predictions, in the order of the versions asked.',
        resolve: ({ first, second }: Dispute) => [first, second],
      }),
    }),
  })
  const DisagreementRef = builder.objectRef('Disagreement').implement({
    description: 'How far two versions of a model are apart.',
    fields: (t: AnyBuilder) => ({
      compared: t.exposeInt('compared', { description: 'Entities that both versions answered for.' }),
      isComplete: t.exposeBoolean('isComplete', { description: 'Whether that was everybody the question is about.' }),
      meanDifference: t.exposeFloat('meanDifference', { description: 'Mean distance of the two probabilities.' }),
      disputes: t.expose('disputes', { type: [DisputeRef], description: 'The largest differences, largest first.' }),
    }),
  })
  builder.queryFields((t: AnyBuilder) => ({
    disagreement: t.field({
      scopes: ['models:read', 'predictions:read'],
      type: DisagreementRef,
      description: 'The entities on which two versions of a model differ most: what to look at before promoting one.',
      args: {
        model: t.arg.string({ required: true, description: "The model's name." }),
        versions: t.arg({
          type: ['VersionSelector'],
          required: true,
          description: 'Two versions: aliases or numbers.',
        }),
        first: t.arg.int({ defaultValue: 10, description: `How many entities, 0..${MOST_DISPUTES}.` }),
        among: t.arg.int({
          defaultValue: 5000,
          description: `Compare at most so many entities, in the order of their keys, 1..${MOST_ENTITIES}.`,
        }),
        asOf: t.arg({ type: 'DateTime', description: 'Look from this moment. Default: now.' }),
      },
      resolve: (_root: unknown, given: Arguments, context: MlContext) => disagreementOf(given, context),
    }),
  }))
}

async function disagreementOf(given: Arguments, context: MlContext): Promise<Disagreement> {
  const { serving, client, models } = context.engines
  const { first, among } = given
  if (!(first >= 0 && first <= MOST_DISPUTES)) throw refused(`first must be between 0 and ${MOST_DISPUTES}.`)
  if (!(among >= 1 && among <= MOST_ENTITIES)) throw refused(`among must be between 1 and ${MOST_ENTITIES}.`)
  const [one, other] = given.versions
  if (given.versions.length !== 2 || !one || !other) throw refused('Name exactly two versions to compare.')
  const model = findModel(models, given.model)
  if (!model.candidates)
    throw refused(`${model.name} does not say whom it is about.`, 'Write `candidates` in the model file.')
  const versions = await Promise.all([one, other].map((name) => serving.versionAt(model, name, context.instant)))
  return findDisagreement({
    model,
    client,
    tenant: context.viewer.tenant,
    batching: context.batching,
    versions: [versions[0]!, versions[1]!],
    asOf: momentOf(given.asOf, context.now),
    first,
    among,
    signal: context.signal,
  })
}
