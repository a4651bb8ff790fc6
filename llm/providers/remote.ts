import type { Provider } from '../provider.ts'
import { createSdkProvider, type Sdk } from './sdk.ts'
import type { Wire } from './wire.ts'

/** An account at somebody's API, or a server of one's own. */
export interface Account {
  readonly name: string
  readonly wire: Wire
  /** Empty for servers that ask for none. */
  readonly apiKey: string
  /** Where the API lives; the provider's own address where it is missing. */
  readonly baseUrl?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly organization?: string
  /** Of Google Vertex; without an API key the machine's own Google credentials are used. */
  readonly project?: string
  readonly location?: string
}

/** The kinds of providers that a configuration may name. A new kind is one entry here; its package is loaded at the first call. */
const kinds = {
  async openai({ apiKey, baseUrl, headers, organization, wire }: Account): Promise<Sdk> {
    const { createOpenAI } = await import('@ai-sdk/openai')
    const sdk = createOpenAI({
      apiKey,
      baseURL: baseUrl ?? 'https://api.openai.com/v1',
      fetch: wire.fetch,
      ...(headers && { headers }),
      ...(organization && { organization }),
    })
    return {
      languageModel: (llm) => sdk.chat(llm),
      embeddingModel: (llm) => sdk.embedding(llm),
      batch: () => sdk.experimental_batch(),
    }
  },
  async anthropic({ apiKey, baseUrl, headers, wire }: Account): Promise<Sdk> {
    const { createAnthropic } = await import('@ai-sdk/anthropic')
    const sdk = createAnthropic({
      apiKey,
      baseURL: baseUrl ?? 'https://api.anthropic.com/v1',
      fetch: wire.fetch,
      ...(headers && { headers }),
    })
    return { languageModel: (llm) => sdk.languageModel(llm), batch: () => sdk.experimental_batch() }
  },
  async gemini({ apiKey, baseUrl, headers, wire }: Account): Promise<Sdk> {
    const { createGoogle } = await import('@ai-sdk/google')
    const sdk = createGoogle({
      apiKey,
      baseURL: baseUrl ?? 'https://generativelanguage.googleapis.com/v1beta',
      fetch: wire.fetch,
      ...(headers && { headers }),
    })
    return { languageModel: (llm) => sdk.languageModel(llm), embeddingModel: (llm) => sdk.embeddingModel(llm) }
  },
  async vertex({ apiKey, baseUrl, headers, project, location, wire }: Account): Promise<Sdk> {
    const { createGoogleVertex } = await import('@ai-sdk/google-vertex')
    const sdk = createGoogleVertex({
      fetch: wire.fetch,
      ...(apiKey && { apiKey }),
      ...(baseUrl && { baseURL: baseUrl }),
      ...(headers && { headers }),
      ...(project && { project }),
      ...(location && { location }),
    })
    return { languageModel: (llm) => sdk.languageModel(llm), embeddingModel: (llm) => sdk.embeddingModel(llm) }
  },
  /** Ollama's /v1, vLLM, llama.cpp, LM Studio, and whoever else speaks OpenAI's chat completions. */
  async 'openai-compatible'({ name, apiKey, baseUrl, headers, wire }: Account): Promise<Sdk> {
    const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
    const sdk = createOpenAICompatible({
      name,
      baseURL: baseUrl!,
      fetch: wire.fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
      ...(apiKey && { apiKey }),
      ...(headers && { headers }),
    })
    return { languageModel: (llm) => sdk.chatModel(llm), embeddingModel: (llm) => sdk.embeddingModel(llm) }
  },
} satisfies Record<string, (account: Account) => Promise<Sdk>>

export type RemoteKind = keyof typeof kinds
export const remoteKinds = Object.keys(kinds) as RemoteKind[]

/** Kinds whose package speaks the provider's batch interface. */
export const batchKinds: ReadonlySet<RemoteKind> = new Set<RemoteKind>(['openai', 'anthropic'])

export function createRemoteProvider(kind: RemoteKind, account: Account): Provider {
  const discreet = { ...account, wire: withoutKey(account.wire, account.apiKey) }
  return createSdkProvider(account.name, discreet.wire, () => kinds[kind](discreet), batchKinds.has(kind))
}

/** What a refusal quotes of the key goes no further: its words become messages, lines of the log and rows. */
function withoutKey(wire: Wire, apiKey: string): Wire {
  if (apiKey === '') return wire
  return {
    ...wire,
    async fetch(input, init) {
      const response = await wire.fetch(input, init)
      if (response.ok) return response
      const { status, statusText, headers } = response
      return new Response((await response.text()).replaceAll(apiKey, '***'), { status, statusText, headers })
    },
  }
}
