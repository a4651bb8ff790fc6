// Between our words and the AI SDK's: requests, reasons, usage and errors.
import type {
  APICallError,
  LanguageModelV4CallOptions,
  LanguageModelV4FinishReason,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { messageOf } from '../../platform/errors.ts'
import { type FinishReason, ProviderError, type ProviderRequest, type Usage } from '../provider.ts'
import { promptOf } from './prompt.ts'
import { retryAfterOf } from './retry-after.ts'

/** What is no end of an answer has no reason: `error` and `interrupted`. */
export const reasons: Partial<Record<LanguageModelV4FinishReason['unified'], FinishReason>> = {
  stop: 'STOP',
  length: 'LENGTH',
  'tool-calls': 'TOOL_CALLS',
  'content-filter': 'CONTENT_FILTER',
  other: 'OTHER',
}

export function optionsOf(request: ProviderRequest): LanguageModelV4CallOptions {
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
export function usageOf({ inputTokens, outputTokens }: LanguageModelV4Usage): Usage | null {
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
export function failureOf(error: unknown, signal: AbortSignal): ProviderError {
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
