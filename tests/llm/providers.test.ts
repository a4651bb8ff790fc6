import { afterAll } from 'vitest'
import { createRemoteProvider, type RemoteKind } from '../../llm/providers/remote.ts'
import { createWire } from '../../llm/providers/wire.ts'
import { type Contender, providerContract } from './contract.ts'
import type { Call } from './provider-server/server.ts'

const wire = createWire({ isLocal: true })
afterAll(() => wire.close())

const opener = (kind: RemoteKind, path: string) => (url: string) =>
  createRemoteProvider(kind, { name: kind, wire, apiKey: 'test-key', baseUrl: url + path })

const openaiWire: Contender['wire'] = {
  tools: ({ body }: Call) => body.tools,
  schema: ({ body }: Call) => body.response_format?.json_schema,
  image: ({ body }: Call) => body.messages,
  maxTokens: ({ body }: Call) => body.max_tokens,
}
const geminiWire: Contender['wire'] = {
  tools: ({ body }: Call) => body.tools,
  schema: ({ body }: Call) => body.generationConfig?.responseSchema ?? body.generationConfig?.responseJsonSchema,
  image: ({ body }: Call) => body.contents,
  maxTokens: ({ body }: Call) => body.generationConfig?.maxOutputTokens,
}

const contenders: readonly Contender[] = [
  { name: 'openai', open: opener('openai', '/v1'), wire: openaiWire, hasEmbeddings: true },
  {
    name: 'openai-compatible (Ollama, vLLM, llama.cpp, LM Studio)',
    open: opener('openai-compatible', '/v1'),
    wire: openaiWire,
    hasEmbeddings: true,
  },
  {
    name: 'anthropic',
    open: opener('anthropic', '/v1'),
    wire: {
      tools: ({ body }: Call) => body.tools,
      schema: ({ body }: Call) => body.output_config ?? body.output_format ?? body.tools,
      image: ({ body }: Call) => body.messages,
      maxTokens: ({ body }: Call) => body.max_tokens,
    },
    hasEmbeddings: false,
  },
  { name: 'gemini', open: opener('gemini', '/v1beta'), wire: geminiWire, hasEmbeddings: true },
  { name: 'vertex', open: opener('vertex', '/v1beta1/publishers/google'), wire: geminiWire, hasEmbeddings: false },
]
for (const contender of contenders) providerContract(contender)
