import { type Answer, countWords, type Protocol, sse } from '../protocol.ts'

const reasons = { stop: 'stop', length: 'length', contentFilter: 'content_filter' } as const

function chunk({ id, llm }: Answer, delta: unknown, finish: string | null = null) {
  return {
    id,
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: llm,
    choices: [{ index: 0, delta, finish_reason: finish }],
  }
}

function finishOf({ behaviour }: Answer): string {
  return behaviour.toolCalls ? 'tool_calls' : reasons[behaviour.finish ?? 'stop']
}

function usageOf({ usage }: Answer) {
  if (!usage) return undefined
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached },
    completion_tokens_details: { reasoning_tokens: 0 },
  }
}

/** OpenAI's chat completions, spoken by Ollama's /v1, vLLM, llama.cpp and LM Studio too. */
export const openai: Protocol = {
  name: 'openai',
  contentType: 'text/event-stream',
  llmOf: (path, body) => (path.endsWith('/chat/completions') ? (body.model ?? '') : null),
  isStream: (_path, body) => body.stream === true,
  inputTokens: countWords,
  head: (answer) => sse(chunk(answer, { role: 'assistant', content: '' })),
  text: (answer, piece) => sse(chunk(answer, { content: piece })),
  reasoning: (answer, piece) => sse(chunk(answer, { reasoning_content: piece })),
  toolCall(answer, call, index) {
    const json = JSON.stringify(call.arguments)
    const half = Math.ceil(json.length / 2)
    const part = (fields: object) => sse(chunk(answer, { tool_calls: [{ index, ...fields }] }))
    return (
      part({ id: `call_${index}`, type: 'function', function: { name: call.name, arguments: '' } }) +
      part({ function: { arguments: json.slice(0, half) } }) +
      part({ function: { arguments: json.slice(half) } })
    )
  },
  tail(answer) {
    const usage = usageOf(answer)
    const last =
      usage && answer.body.stream_options?.include_usage ? sse({ ...chunk(answer, {}), choices: [], usage }) : ''
    return `${sse(chunk(answer, {}, finishOf(answer)))}${last}data: [DONE]\n\n`
  },
  errorFrame: () => sse({ error: { message: 'The server had an error', type: 'server_error', code: 'server_error' } }),
  invalidJson: () => 'data: {"id":"x","choices":[{"delta":{"content":\n\n',
  keepAlive: () => ': keep-alive\n\n',
  whole: (answer, text) => ({
    id: answer.id,
    object: 'chat.completion',
    created: 1_700_000_000,
    model: answer.llm,
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: finishOf(answer) }],
    usage: usageOf(answer),
  }),
  error: (status) => ({
    error: {
      message: `This is a ${status}`,
      type: status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error',
      code: status === 429 ? 'rate_limit_exceeded' : null,
      param: null,
    },
  }),
}
