import { GraphQLError, type GraphQLResolveInfo } from 'graphql'
import type { KeyValues, Model } from '../../ml/define.ts'
import type { MaybePromise, Terms } from '../../ml/loaders.ts'
import { type Absence, type Answer, type Estimate, isEstimate } from '../../ml/prediction.ts'
import { hasScope } from '../../platform/viewer.ts'
import { entityExtensions } from '../federation.ts'
import { momentOf } from './pair.ts'
import { shown } from './precision.ts'
import { refused } from './refused.ts'
import { asksComputation } from './selection.ts'
import type { AnyBuilder, PredictionContext, PredictionRefs } from './types.ts'
import { registerVersions } from './versions.ts'

interface Arguments {
  readonly asOf?: Date | null
  readonly asServed?: boolean | null
  readonly within?: { readonly ms: number; readonly otherwise: 'STORED' | 'NULL' | 'ERROR' } | null
}

const LONGEST_BUDGET_MS = 30_000

/** The names of a model's three fields on its entity. */
export function fieldNamesOf(model: Model) {
  const prediction = model.field ?? model.name
  return {
    prediction,
    probability: model.probabilityField ?? `${prediction}Probability`,
    unavailable: `${prediction}Unavailable`,
  }
}

/** Extends each entity that a model asks about, by its key alone, with the models' fields. Returns the entities by name. */
export function registerEntities(
  builder: AnyBuilder,
  models: readonly Model[],
  refs: PredictionRefs,
): ReadonlyMap<string, AnyBuilder> {
  const within = registerBudget(builder)
  const versions = registerVersions(builder, refs)
  const entities = new Map<string, AnyBuilder>()
  for (const entity of new Set(models.map((model) => model.entity))) {
    const asked = models.filter((model) => model.entity === entity)
    const { key } = asked[0]!
    const ref = builder.objectRef(entity).implement({
      directives: { key: { fields: key.join(' ') } },
      extensions: entityExtensions((reference: KeyValues) => reference),
      fields: (t: AnyBuilder) => ({
        ...Object.fromEntries(key.map((field) => [field, t.exposeID(field, { description: 'Part of the key.' })])),
        ...Object.assign({}, ...asked.map((model) => predictionFields(t, model, refs, within))),
        ...versions(t, asked),
      }),
    })
    entities.set(entity, ref)
  }
  return entities
}

function registerBudget(builder: AnyBuilder): AnyBuilder {
  const Otherwise = builder.enumType('LateAnswer', {
    description: 'What to answer when the time is over.',
    values: {
      STORED: { description: 'The score that was stored last; null with a reason where there is none.' },
      NULL: { description: 'Null, with DEADLINE_EXCEEDED as the reason.' },
      ERROR: { description: 'An error with the code DEADLINE_EXCEEDED.' },
    },
  })
  return builder.inputType('TimeBudget', {
    description: 'How long a prediction may take. Fields with other budgets still share the feature read.',
    fields: (t: AnyBuilder) => ({
      ms: t.int({
        required: true,
        description: `Milliseconds from when it is first asked for, 1..${LONGEST_BUDGET_MS}.`,
      }),
      otherwise: t.field({ type: Otherwise, defaultValue: 'NULL', description: 'What to answer when they are over.' }),
    }),
  })
}

function predictionFields(
  t: AnyBuilder,
  model: Model,
  { PredictionRef, UnavailableRef }: PredictionRefs,
  within: AnyBuilder,
) {
  const names = fieldNamesOf(model)
  const scopes = ['predictions:read']
  const mayBeStored = model.freshForMs !== undefined
  const args = {
    asOf: t.arg({ type: 'DateTime', description: 'Look from this moment, with what was known then. Default: now.' }),
    asServed: t.arg.boolean({
      defaultValue: false,
      description: 'The score that was really stored by that moment, instead of computing it.',
    }),
    within: t.arg({ type: within, description: 'How long it may take, and what to answer instead.' }),
  }
  const prepared = (isWhole: boolean) => preparation(model, isWhole && mayBeStored)
  const answer = (key: KeyValues, given: Arguments, context: PredictionContext, computed = false) =>
    context.predictions(model.name).answer({ key, asOf: momentOf(given.asOf, context.now) }, termsOf(given, computed))
  return {
    [names.prediction]: t.field({
      scopes,
      extensions: prepared(true),
      type: PredictionRef,
      nullable: true,
      args,
      description: `${model.question} Null when it cannot be said: \`${names.unavailable}\`, asked with the same arguments, tells why.`,
      resolve: (key: KeyValues, given: Arguments, context: PredictionContext, info: GraphQLResolveInfo) =>
        once(answer(key, given, context, mayBeStored && asksComputation(info)), (answered) =>
          estimateOrNull(answered, given),
        ),
    }),
    [names.probability]: t.float({
      scopes,
      extensions: prepared(false),
      nullable: true,
      args,
      description: `${model.question} The probability alone, 0..1.`,
      resolve: (key: KeyValues, given: Arguments, context: PredictionContext) =>
        once(answer(key, given, context), (answered) => {
          const estimate = estimateOrNull(answered, given)
          return estimate && shown(estimate.probability, context.viewer)
        }),
    }),
    [names.unavailable]: t.field({
      scopes,
      extensions: prepared(false),
      type: UnavailableRef,
      nullable: true,
      args,
      description: `Why \`${names.prediction}\` is null; null when there is a prediction.`,
      resolve: (key: KeyValues, given: Arguments, context: PredictionContext): MaybePromise<Absence | null> =>
        once(answer(key, given, context), (answered) => (isEstimate(answered) ? null : answered)),
    }),
  }
}

/**
 * `extensions` of a field of an entity: whoever is about to resolve it for a list of entities may have all of them prepared, and then each comes
 * without a promise. Says nothing where the arguments ask for something that is found one by one.
 */
function preparation(model: Model, mayBeComputed: boolean) {
  return {
    prepare(keys: readonly KeyValues[], given: Arguments, context: PredictionContext, info: GraphQLResolveInfo) {
      if (given.asServed || given.within || !hasScope(context.viewer, 'predictions:read')) return undefined
      const asOf = momentOf(given.asOf, context.now)
      return context.predictions(model.name).prepare(
        keys.map((key) => ({ key, asOf })),
        mayBeComputed && asksComputation(info),
      )
    },
  }
}

/** What comes of an answer, at once where it is known already. */
function once<T>(answered: MaybePromise<Answer>, map: (answer: Answer) => T): MaybePromise<T> {
  return answered instanceof Promise ? answered.then(map) : map(answered)
}

function estimateOrNull(answer: Answer, { within }: Arguments): Estimate | null {
  if (isEstimate(answer)) return answer
  if (answer.code === 'DEADLINE_EXCEEDED' && within?.otherwise === 'ERROR')
    throw new GraphQLError(answer.message, { extensions: { code: answer.code, hint: answer.hint, retryable: true } })
  return null
}

/** Undefined for what is asked most: the champion's answer, however long it takes. */
function termsOf({ asServed, within }: Arguments, computed: boolean): Terms | undefined {
  if (!asServed && !within) return computed ? { computed } : undefined
  if (within && !(within.ms >= 1 && within.ms <= LONGEST_BUDGET_MS))
    throw refused(`ms must be between 1 and ${LONGEST_BUDGET_MS}.`)
  return {
    asServed: asServed ?? false,
    computed,
    ...(within ? { within: { ms: within.ms, otherwise: within.otherwise === 'STORED' ? 'STORED' : 'NULL' } } : {}),
  }
}
