import { execute, type GraphQLFormattedError, parse } from 'graphql'
import type { PredictionFacts, PredictionKey, ReasonsOf } from '../llm/explanation/facts.ts'
import type { KeyValues, Model } from '../ml/define.ts'
import { type ErrorCode, InklingError, isInklingError } from '../platform/errors.ts'
import type { RequestContext, Subgraph } from '../platform/request.ts'
import { fieldNamesOf } from '../schema/prediction/fields.ts'

/** Reasons that an explanation may speak of. */
const MOST_REASONS = 5

interface Answered {
  readonly prediction: Pick<PredictionFacts, 'probability' | 'riskLevel' | 'reasons'> | null
  readonly unavailable: { readonly code: string; readonly message: string; readonly hint: string } | null
}

/**
 * The predictions, as the llm engine may ask for them: through the ml subgraph's own schema and with the request of whoever asks, so that
 * rights, quotas and loaders are the same as for a query.
 */
export function createReasons(models: readonly Model[], ml: () => Promise<Subgraph>): ReasonsOf {
  return async (wanted, request) => {
    const model = modelOf(models, wanted)
    const { prediction, unavailable } = await ask(await ml(), model, keyOf(model, wanted.key), request)
    if (!prediction) {
      throw new InklingError(
        (unavailable?.code ?? 'NOT_FOUND') as ErrorCode,
        unavailable?.message ?? `There is no ${wanted.entity} of that key.`,
        unavailable?.hint ?? 'Ask about one that you may see.',
      )
    }
    const { probability, riskLevel, reasons } = prediction
    const shown = reasons.slice(0, MOST_REASONS)
    const others = model.features
      .map(({ name }) => name)
      .filter((name) => !shown.some(({ feature }) => feature === name))
    return { model: model.name, question: model.question, probability, riskLevel, reasons: shown, others }
  }
}

function modelOf(models: readonly Model[], { entity, model: name }: PredictionKey): Model {
  const asked = models.filter((model) => model.entity === entity && (name === undefined || model.name === name))
  if (asked.length === 1) return asked[0]!
  const known = models.map((model) => `${model.entity} (${model.name})`).join(', ')
  throw new InklingError(
    'BAD_USER_INPUT',
    asked.length === 0 ? 'No model predicts that.' : 'Several models predict that.',
    `Name one of: ${known}.`,
  )
}

function keyOf(model: Model, given: string): KeyValues {
  const [only] = model.key
  if (model.key.length === 1) return { [only!]: given }
  const fields = `{"${model.key.join('":"...","')}":"..."}`
  let key: unknown
  try {
    key = JSON.parse(given)
  } catch {
    throw new InklingError('BAD_USER_INPUT', `The key of ${model.entity} is refused.`, `Give it as JSON: ${fields}.`)
  }
  const values = typeof key === 'object' && key !== null ? (key as Record<string, unknown>) : {}
  const isWhole =
    Object.keys(values).length === model.key.length &&
    model.key.every((field) => Object.hasOwn(values, field) && /^(string|number)$/.test(typeof values[field]))
  if (isWhole) return values as KeyValues
  throw new InklingError('BAD_USER_INPUT', `The key of ${model.entity} is refused.`, `Give it as JSON: ${fields}.`)
}

async function ask(ml: Subgraph, model: Model, key: KeyValues, request: RequestContext): Promise<Answered> {
  const { prediction, unavailable } = fieldNamesOf(model)
  const { data, errors } = await execute({
    schema: ml.schema,
    document: parse(`query ($representations: [_Any!]!) {
      _entities(representations: $representations) {
        ... on ${model.entity} {
          prediction: ${prediction} { probability riskLevel reasons(first: 100) { feature sentence direction } }
          unavailable: ${unavailable} { code message hint }
        }
      }
    }`),
    variableValues: { representations: [{ __typename: model.entity, ...key }] },
    contextValue: ml.contextOf(request),
  })
  const error = errors?.[0]?.originalError ?? errors?.[0]
  if (error) throw isInklingError(error) ? error : refusalOf(error as GraphQLFormattedError & Error)
  const [found] = (data as { _entities: (Answered | null)[] })._entities
  return found ?? { prediction: null, unavailable: null }
}

function refusalOf(error: GraphQLFormattedError & Error): Error {
  if (error.extensions?.code !== 'BAD_USER_INPUT') return error
  return new InklingError('BAD_USER_INPUT', error.message, 'Correct the key.')
}
