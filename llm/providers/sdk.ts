// The AI SDK's provider packages, called at `doStream`: they know each provider's wire format, its usage and its errors. What they
// leave to the caller (a terminal marker, aborts, connections that end) is decided here, once for all of them.
import type {
  Experimental_BatchV4 as BatchV4,
  EmbeddingModelV4,
  LanguageModelV4,
  LanguageModelV4FinishReason,
  LanguageModelV4Usage,
} from '@ai-sdk/provider'
import { type Part, type Provider, ProviderError, type ProviderRequest } from '../provider.ts'
import { createSdkBatches } from './sdk-batches.ts'
import { failureOf, optionsOf, reasons, usageOf } from './sdk-words.ts'
import type { Wire } from './wire.ts'

/** What a provider package offers of use here. Loaded at the first call: the packages are heavy. */
export interface Sdk {
  languageModel(llm: string): LanguageModelV4
  embeddingModel?(llm: string): EmbeddingModelV4
  batch?(): BatchV4
}

/** wire: what the package calls through. hasBatches: whether it offers `batch`; it is not loaded to find out. */
export function createSdkProvider(name: string, wire: Wire, load: () => Promise<Sdk>, hasBatches = false): Provider {
  let loading: Promise<Sdk> | null = null
  /** One for each LLM of a configuration: some packages build their schemas anew with each, 0.6 ms and 100 KB. */
  const models = new Map<string, LanguageModelV4>()
  const sdk = () => {
    loading ??= load()
    return loading
  }
  const modelOf = async (llm: string): Promise<LanguageModelV4> => {
    const model = models.get(llm) ?? (await sdk()).languageModel(llm)
    models.set(llm, model)
    return model
  }
  return {
    name,
    label: null,
    stream: (request, signal) => streamParts(wire, () => modelOf(request.llm), request, signal),
    ...(hasBatches ? { batches: createSdkBatches(async () => (await sdk()).batch!()) } : {}),
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
  wire: Wire,
  model: () => Promise<LanguageModelV4>,
  request: ProviderRequest,
  signal: AbortSignal,
): AsyncGenerator<Part, void> {
  try {
    // A signal of its own is what the wire knows this call by.
    const abortSignal = AbortSignal.any([signal])
    const parts = wire.bypass(abortSignal)
    const { stream } = await (await model()).doStream({ ...optionsOf(request), abortSignal })
    parts.open(stream)
    let finish: { readonly reason: LanguageModelV4FinishReason; readonly usage: LanguageModelV4Usage } | null = null
    let isOver = false
    try {
      for (;;) {
        const { done, value } = await parts.next()
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
      if (!isOver) parts.cancel()
    }
    const reason = finish && reasons[finish.reason.unified]
    if (!finish || !reason)
      throw new ProviderError('TRUNCATED', 'The stream ended without saying that it was complete.')
    yield { type: 'finish', reason, usage: usageOf(finish.usage) }
  } catch (error) {
    throw failureOf(error, signal)
  }
}
