import { GraphQLError } from 'graphql'
import type { KeyValues, Model } from '../../ml/define.ts'
import { isPrediction } from '../../ml/prediction.ts'
import type { RequestContext } from '../../platform/request.ts'
import { entityExtensions } from '../federation.ts'
import type { AnyBuilder, PredictionContext } from './types.ts'

type Context = RequestContext & PredictionContext
interface Arguments {
  readonly asOf?: Date | null
}

/** The names of a model's three fields on its entity. */
export function fieldNamesOf(model: Model) {
  const prediction = model.field ?? model.name
  return {
    prediction,
    probability: model.probabilityField ?? `${prediction}Probability`,
    unavailable: `${prediction}Unavailable`,
  }
}

/** Extends each entity that a model asks about, by its key alone, with the model's fields. */
export function registerEntities(
  builder: AnyBuilder,
  models: readonly Model[],
  refs: { readonly PredictionRef: AnyBuilder; readonly UnavailableRef: AnyBuilder },
): void {
  for (const entity of new Set(models.map((model) => model.entity))) {
    const asked = models.filter((model) => model.entity === entity)
    const { key } = asked[0]!
    builder.objectRef(entity).implement({
      directives: { key: { fields: key.join(' ') } },
      extensions: entityExtensions((reference: KeyValues) => reference),
      fields: (t: AnyBuilder) => ({
        ...Object.fromEntries(key.map((field) => [field, t.exposeID(field, { description: 'Part of the key.' })])),
        ...Object.assign({}, ...asked.map((model) => predictionFields(t, model, refs))),
      }),
    })
  }
}

function predictionFields(
  t: AnyBuilder,
  model: Model,
  { PredictionRef, UnavailableRef }: { PredictionRef: AnyBuilder; UnavailableRef: AnyBuilder },
) {
  const names = fieldNamesOf(model)
  const args = {
    asOf: t.arg({ type: 'DateTime', description: 'Look from this moment, with what was known then. Default: now.' }),
  }
  const load = (key: KeyValues, { asOf }: Arguments, context: Context) =>
    context.predictions(model.name).load({ key: keyOf(model, key), asOf: momentOf(asOf, context.now) })
  return {
    [names.prediction]: t.field({
      type: PredictionRef,
      nullable: true,
      args,
      description: `${model.question} Null when it cannot be said: \`${names.unavailable}\` tells why.`,
      resolve: async (key: KeyValues, given: Arguments, context: Context) => {
        const outcome = await load(key, given, context)
        return isPrediction(outcome) ? outcome : null
      },
    }),
    [names.probability]: t.float({
      nullable: true,
      args,
      description: `${model.question} The probability alone, 0..1.`,
      resolve: async (key: KeyValues, given: Arguments, context: Context) => {
        const outcome = await load(key, given, context)
        return isPrediction(outcome) ? outcome.probability : null
      },
    }),
    [names.unavailable]: t.field({
      type: UnavailableRef,
      nullable: true,
      args,
      description: `Why \`${names.prediction}\` is null; null when there is a prediction.`,
      resolve: async (key: KeyValues, given: Arguments, context: Context) => {
        const outcome = await load(key, given, context)
        return isPrediction(outcome) ? null : outcome
      },
    }),
  }
}

function keyOf(model: Model, reference: KeyValues): KeyValues {
  return Object.fromEntries(model.key.map((field) => [field, reference[field]!]))
}

/** Nobody knows what will be known later. */
function momentOf(asOf: Date | null | undefined, now: Date): Date {
  if (!asOf) return now
  if (asOf.getTime() > now.getTime())
    throw new GraphQLError(`asOf ${asOf.toISOString()} lies after now, ${now.toISOString()}.`, {
      extensions: { code: 'BAD_USER_INPUT', hint: 'Ask for a moment that has passed, or leave asOf out.' },
    })
  return asOf
}
