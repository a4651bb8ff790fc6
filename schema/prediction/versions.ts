import type { KeyValues, Model } from '../../ml/define.ts'
import { isEstimate } from '../../ml/prediction.ts'
import { keyOf, momentOf } from './pair.ts'
import { refused } from './refused.ts'
import type { AnyBuilder, PredictionContext, PredictionRefs } from './types.ts'
import { versionSelectorScalar } from './version-selector.ts'

const MOST_VERSIONS = 10

interface Arguments {
  readonly model?: string | null
  readonly versions: readonly string[]
  readonly asOf?: Date | null
}

/** Registers `VersionPrediction`; returns the field that holds versions side by side, for the models of one entity. */
export function registerVersions(builder: AnyBuilder, { PredictionRef, UnavailableRef }: PredictionRefs) {
  builder.addScalarType('VersionSelector', versionSelectorScalar)
  const VersionPrediction = builder.objectRef('VersionPrediction').implement({
    description: 'What one of several versions says.',
    fields: (t: AnyBuilder) => ({
      version: t.expose('version', { type: 'VersionSelector', description: 'The version as it was asked for.' }),
      prediction: t.expose('prediction', {
        type: PredictionRef,
        nullable: true,
        description: 'Its prediction; null when it cannot be made.',
      }),
      unavailable: t.expose('unavailable', {
        type: UnavailableRef,
        nullable: true,
        description: 'Why there is none.',
      }),
    }),
  })
  return (t: AnyBuilder, models: readonly Model[]) => ({
    predictions: t.field({
      scopes: ['predictions:read'],
      type: [VersionPrediction],
      nullable: true,
      description: `What several versions of a model say, from one feature read. Models: ${models.map(({ name }) => name).join(', ')}.`,
      args: {
        model: t.arg.string({
          required: models.length > 1,
          ...(models.length === 1 ? { defaultValue: models[0]!.name } : {}),
          description: "The model's name.",
        }),
        versions: t.arg({
          type: ['VersionSelector'],
          required: true,
          description: `Aliases and numbers, at most ${MOST_VERSIONS}.`,
        }),
        asOf: t.arg({ type: 'DateTime', description: 'Look from this moment. Default: now.' }),
      },
      resolve: async (key: KeyValues, { model: name, versions, asOf }: Arguments, context: PredictionContext) => {
        const model = models.find((candidate) => candidate.name === name)
        if (!model)
          throw refused(
            `There is no model "${name}" here.`,
            `Name one of: ${models.map((one) => one.name).join(', ')}.`,
          )
        if (versions.length > MOST_VERSIONS) throw refused(`At most ${MOST_VERSIONS} versions can be compared.`)
        const pair = { key: keyOf(model, key), asOf: momentOf(asOf, context.now) }
        return Promise.all(
          versions.map(async (version) => {
            const outcome = await context.predictions(model.name).loadVersion(pair, version)
            return {
              version,
              prediction: isEstimate(outcome) ? outcome : null,
              unavailable: isEstimate(outcome) ? null : outcome,
            }
          }),
        )
      },
    }),
  })
}
