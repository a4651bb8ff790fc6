import { type DocumentNode, type ExecutionResult, execute, type GraphQLError, parse } from 'graphql'
import { Operation } from '../gateway/operation.ts'
import type { SubgraphTransport } from '../gateway/transport.ts'
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

/** Asks the ml subgraph, with the request of whoever asks: rights, quotas and loaders are the same as for a query. */
export type AskMl = (
  call: { readonly document: DocumentNode; readonly variables: Record<string, unknown> },
  request: RequestContext,
) => Promise<ExecutionResult>

/** Of this process. */
export function askHere(open: () => Promise<Subgraph>): AskMl {
  return async ({ document, variables }, request) => {
    const ml = await open()
    return execute({ schema: ml.schema, document, variableValues: variables, contextValue: ml.contextOf(request) })
  }
}

/** In a process of its own, as a gateway does: the viewer's token goes along, and is verified there again. */
export function askElsewhere(transport: SubgraphTransport): AskMl {
  const executor = transport.executorOf('ml')
  return async (call, request) => {
    const operation = new Operation(request, undefined, request.authorization)
    request.signal?.addEventListener('abort', () => operation.abort(), { once: true, signal: operation.signal })
    return (await executor({ ...call, operationType: 'query', context: { operation } })) as ExecutionResult
  }
}

/** The predictions, as the llm engine may ask for them. */
export function createReasons(models: readonly Model[], ask: AskMl): ReasonsOf {
  return async (wanted, request) => {
    const model = modelOf(models, wanted)
    const { prediction, unavailable } = await look(ask, model, keyOf(model, wanted.key), request)
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

async function look(ask: AskMl, model: Model, key: KeyValues, request: RequestContext): Promise<Answered> {
  const { prediction, unavailable } = fieldNamesOf(model)
  const document = parse(`query ($representations: [_Any!]!) {
    _entities(representations: $representations) {
      ... on ${model.entity} {
        prediction: ${prediction} { probability riskLevel reasons(first: 100) { feature sentence direction } }
        unavailable: ${unavailable} { code message hint }
      }
    }
  }`)
  const { data, errors } = await ask(
    { document, variables: { representations: [{ __typename: model.entity, ...key }] } },
    request,
  )
  if (errors?.[0]) throw refusalOf(errors[0])
  const [found] = (data as { _entities: (Answered | null)[] })._entities
  return found ?? { prediction: null, unavailable: null }
}

/** Why ml does not answer, said as it said it. What is masked stays so. */
function refusalOf(error: GraphQLError): Error {
  const thrown = error.originalError ?? error
  if (isInklingError(thrown)) return thrown
  const { code, hint } = error.extensions
  if (typeof code !== 'string' || code === 'INTERNAL') return thrown
  return new InklingError(code as ErrorCode, error.message, typeof hint === 'string' ? hint : 'Correct the key.')
}
