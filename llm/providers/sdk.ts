// The AI SDK's provider packages, called at `doStream`: they know each provider's wire format, its usage and its errors. What they
// leave to the caller (a terminal marker, aborts, connections that end) is decided here, once for all of them.
import type {
  APICallError,
  EmbeddingModelV4,
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { messageOf } from '../../platform/errors.ts'
import {
  type FinishReason,
  type Part,
  type Provider,
  ProviderError,
  type ProviderRequest,
  type Usage,
} from '../provider.ts'
import { promptOf } from './prompt.ts'
import { retryAfterOf } from './retry-after.ts'

/** What a provider package offers of use here. Loaded at the first call: the packages are heavy. */
export interface Sdk {
  languageModel(llm: string): LanguageModelV4
  embeddingModel?(llm: string): EmbeddingModelV4
}

export function createSdkProvider(name: string, load: () => Promise<Sdk>): Provider {
  let loading: Promise<Sdk> | null = null
  const sdk = () => {
    loading ??= load()
    return loading
  }
  return {
    name,
    label: null,
    stream: (request, signal) => streamParts(sdk, request, signal),
    async embed(texts, llm, signal) {
      const model = (await sdk()).embeddingModel?.(llm)
      if (!model) throw new ProviderError('REJECTED', `${name} has no embeddings.`)
      const most = (await model.maxEmbeddingsPerCall) ?? 2048
      const vectors: number[][] = []
      let inputTokens = 0
      try {
        for (let at = 0; at < texts.length; at += most) {
          const answer = await model.doEmbed({ values: texts.slice(at, at + most), abortSignal: signal })
          vectors.push(...answer.embeddings)
          inputTokens += answer.usage?.tokens ?? 0
        }
      } catch (error) {
        throw failureOf(error, signal)
      }
      if (vectors.length !== texts.length || vectors.some((vector) => vector.some((value) => !Number.isFinite(value))))
        throw new ProviderError('BAD_REPLY', `${name} answered ${vectors.length} vectors for ${texts.length} texts.`)
      return { vectors, inputTokens }
    },
  }
}

async function* streamParts(
  sdk: () => Promise<Sdk>,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<Part, void> {
  try {
    const model = (await sdk()).languageModel(request.llm)
    const { stream } = await model.doStream({ ...optionsOf(request), abortSignal: signal })
    const reader = stream.getReader()
    let finish: { readonly reason: LanguageModelV4FinishReason; readonly usage: LanguageModelV4Usage } | null = null
    let isOver = false
    try {
      for (;;) {
        const { done, value } = await reader.read()
        // Some of the packages end an aborted stream as if it were complete.
        signal.throwIfAborted()
        if (done) break
        if (value.type === 'text-delta' && value.delta) yield { type: 'text', text: value.delta }
        else if (value.type === 'reasoning-delta' && value.delta) yield { type: 'reasoning', text: value.delta }
        else if (value.type === 'tool-call')
          yield { type: 'toolCall', id: value.toolCallId, name: value.toolName, argumentsJson: value.input }
        else if (value.type === 'error') throw failureOf(value.error, signal)
        else if (value.type === 'finish') finish = { reason: value.finishReason, usage: value.usage }
      }
      isOver = true
    } finally {
      // Leaving early has to end the call; nobody else does it.
      if (!isOver) reader.cancel().catch(() => {})
    }
    const reason = finish && reasons[finish.reason.unified]
    if (!finish || !reason)
      throw new ProviderError('TRUNCATED', 'The stream ended without saying that it was complete.')
    yield { type: 'finish', reason, usage: usageOf(finish.usage) }
  } catch (error) {
    throw failureOf(error, signal)
  }
}

/** What is no end of an answer has no reason: `error` and `interrupted`. */
const reasons: Partial<Record<LanguageModelV4FinishReason['unified'], FinishReason>> = {
  stop: 'STOP',
  length: 'LENGTH',
  'tool-calls': 'TOOL_CALLS',
  'content-filter': 'CONTENT_FILTER',
  other: 'OTHER',
}

function optionsOf(request: ProviderRequest): LanguageModelV4CallOptions {
  const { tools, toolChoice, responseFormat } = request
  return {
    prompt: promptOf(request.messages),
    ...(request.maxTokens !== undefined && { maxOutputTokens: request.maxTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.topP !== undefined && { topP: request.topP }),
    ...(request.stop !== undefined && { stopSequences: [...request.stop] }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(tools !== undefined && {
      tools: tools.map(({ name, description, parameters }) => ({
        type: 'function' as const,
        name,
        description,
        inputSchema: parameters,
      })),
    }),
    ...(toolChoice !== undefined && {
      toolChoice: typeof toolChoice === 'string' ? { type: toolChoice } : { type: 'tool', toolName: toolChoice.name },
    }),
    ...(responseFormat !== undefined && {
      responseFormat: {
        type: 'json',
        name: responseFormat.name,
        ...(responseFormat.schema && { schema: responseFormat.schema }),
      },
    }),
  }
}

/** Null where what was reported cannot be: the router counts then. */
function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | null {
  const input = inputTokens.total
  const output = outputTokens.total
  const cached = inputTokens.cacheRead ?? 0
  if (!isCount(input) || !isCount(output) || !isCount(cached) || cached > input) return null
  return { inputTokens: input, cachedInputTokens: cached, outputTokens: output, isEstimated: false }
}

function isCount(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0
}

/** Whatever a package throws, as one of ours. */
function failureOf(error: unknown, signal: AbortSignal): ProviderError {
  if (signal.aborted) return new ProviderError('ABORTED', 'The call was stopped.', { cause: signal.reason })
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof ProviderError) return cause
  const status = (error as Partial<APICallError> | null)?.statusCode
  if (status !== undefined && status >= 300) return ofStatus(status, error as APICallError)
  const name = error instanceof Error ? error.name : ''
  if (status === undefined && name === 'AI_APICallError')
    return new ProviderError('UNREACHABLE', messageOf(error), { cause: error })
  if (/JSONParse|TypeValidation|InvalidResponse|EmptyResponse|NoContent/.test(name) || status !== undefined)
    return name.includes('InvalidResponseData') && /without a finish/.test(messageOf(error))
      ? new ProviderError('TRUNCATED', 'The stream ended without saying that it was complete.', { cause: error })
      : new ProviderError('BAD_REPLY', short(messageOf(error)), { cause: error })
  if (name === 'TypeError') return new ProviderError('TRUNCATED', messageOf(error), { cause: error })
  // Error frames come as the provider's own objects.
  const frame = error as { message?: unknown; error?: { message?: unknown } } | null
  const says = frame?.message ?? frame?.error?.message ?? error
  return new ProviderError('OVERLOADED', short(typeof says === 'string' ? says : (JSON.stringify(says) ?? 'unknown')), {
    cause: error,
  })
}

function ofStatus(status: number, error: APICallError): ProviderError {
  const options = { status, retryAfterMs: retryAfterOf(error.responseHeaders ?? {}), cause: error }
  const message = `${status}: ${short(error.message)}`
  if (status === 429) return new ProviderError('RATE_LIMITED', message, options)
  if (status === 401 || status === 403) return new ProviderError('UNAUTHORIZED', message, options)
  if (status === 404) return new ProviderError('UNKNOWN_LLM', message, options)
  if (status === 408 || status === 409 || status >= 500) return new ProviderError('OVERLOADED', message, options)
  return new ProviderError('REJECTED', message, options)
}

function short(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text
}
