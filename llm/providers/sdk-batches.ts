import type {
  Experimental_BatchV4Error as BatchError,
  Experimental_BatchV4ItemResult as BatchItemResult,
  Experimental_BatchV4 as BatchV4,
  LanguageModelV4GenerateResult,
} from '@ai-sdk/provider'
import { type Batches, type BatchOutcome, type Part, ProviderError } from '../provider.ts'
import { failureOf, optionsOf, reasons, usageOf } from './sdk-words.ts'

/** The batch interfaces of the AI SDK's packages: OpenAI's files and /v1/batches, Anthropic's /v1/messages/batches. */
export function createSdkBatches(open: () => Promise<BatchV4>): Batches {
  async function calling<Answer>(signal: AbortSignal, call: (batch: BatchV4) => Promise<Answer>): Promise<Answer> {
    try {
      return await call(await open())
    } catch (error) {
      throw failureOf(error, signal)
    }
  }
  return {
    start: (items, signal) =>
      calling(signal, async (batch) => {
        const requests = items.map(({ id, request }) => {
          return { id, type: 'text' as const, modelId: request.llm, options: optionsOf(request) }
        })
        return (await batch.doStartBatch({ requests, abortSignal: signal })).batchId
      }),
    results: (batchId, signal) =>
      calling(signal, async (batch) => {
        const { status, rawStatus, error } = await batch.doGetBatchStatus({ batchId, abortSignal: signal })
        if (status === 'pending') return null
        // Refused as a whole: there is nothing to read.
        if (rawStatus === 'failed') throw new ProviderError('REJECTED', error?.message ?? 'The batch is not accepted.')
        const outcomes = new Map<string, BatchOutcome>()
        for await (const item of await batch.doGetBatchResults({ batchId, abortSignal: signal }))
          outcomes.set(item.id, outcomeOf(item))
        return outcomes
      }),
    cancel: (batchId, signal) =>
      calling(signal, async (batch) => void (await batch.doCancelBatch?.({ batchId, abortSignal: signal }))),
  }
}

function outcomeOf(item: BatchItemResult): BatchOutcome {
  if (item.type !== 'text') return { error: new ProviderError('BAD_REPLY', 'The batch answered what was not asked.') }
  if (item.status === 'succeeded') return partsOf(item.result)
  if (item.status === 'failed') return { error: errorOf(item.error) }
  return { error: new ProviderError('OVERLOADED', `The request was not answered before its batch was ${item.status}.`) }
}

function partsOf({ content, finishReason, usage }: LanguageModelV4GenerateResult): BatchOutcome {
  const reason = reasons[finishReason.unified]
  if (!reason) return { error: new ProviderError('BAD_REPLY', `The answer ended with ${finishReason.raw}.`) }
  const parts = content.flatMap((piece): Part[] => {
    if (piece.type === 'text' || piece.type === 'reasoning') return [{ type: piece.type, text: piece.text }]
    if (piece.type !== 'tool-call') return []
    return [{ type: 'toolCall', id: piece.toolCallId, name: piece.toolName, argumentsJson: piece.input }]
  })
  return { parts: [...parts, { type: 'finish', reason, usage: usageOf(usage) }] }
}

/** A request that the provider refused will be refused again; everything else may come out well elsewhere, or later. */
function errorOf({ message, type, statusCode }: BatchError): ProviderError {
  const isRefused = statusCode === undefined ? type === 'invalid_request_error' : statusCode >= 400 && statusCode < 429
  return new ProviderError(isRefused ? 'REJECTED' : 'OVERLOADED', message, { status: statusCode ?? null })
}
